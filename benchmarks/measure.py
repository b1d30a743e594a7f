"""Measuring side by side: every round runs each contender once, so that a busy machine slows all alike."""

from __future__ import annotations

import gc
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BUDGET = 2.0
"""Seconds after which a slow contender sits out the remaining rounds."""
LEAST = 3
"""Rounds that even a slow contender takes part in."""


def seconds(work: Callable[[], object]) -> float:
    """The seconds of one call, without garbage collection, as ``timeit`` measures."""
    gc.collect()
    gc.disable()
    try:
        began = perf_counter()
        work()
        return perf_counter() - began
    finally:
        gc.enable()


def side_by_side(contenders: Mapping[str, Callable[[], object]], rounds: int = 21) -> dict[str, float]:
    """The median seconds of each contender; one round before the first is thrown away."""
    return medians({name: lambda work=work: seconds(work) for name, work in contenders.items()}, rounds)


def medians(
    samples: Mapping[str, Callable[[], float]], rounds: int = 21, once: float = float("inf")
) -> dict[str, float]:
    """The median of what each contender measures itself.

    Args:
        samples: What measures each contender.
        rounds: How often at most; the first round is thrown away.
        once: The seconds from which on a first run is the only one, and counts.
    """
    taken: dict[str, list[float]] = {name: [] for name in samples}
    for name, sample in samples.items():
        if (first := sample()) >= once:
            taken[name] = [first]
    short = [name for name, each in taken.items() if not each]
    for _ in range(rounds):
        for name in short:
            if len(taken[name]) < LEAST or sum(taken[name]) < BUDGET:
                taken[name].append(samples[name]())
    return {name: median(each) for name, each in taken.items()}


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table; floats as ratios with two digits."""
    texts = [
        list(head),
        *([f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows),
    ]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    print(f"\n{title}")
    for row in texts:
        first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  " + "  ".join([first, *(cell.strip().rjust(len(cell)) for cell in rest)]))
