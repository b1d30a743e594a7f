"""What a row of ``map`` costs, against the same function gathered under a semaphore."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from measure import side_by_side, table

from bpaz_lab import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 10_000
AT_ONCE = 8
WAIT = 0.001


async def add(x: int) -> int:
    """A row that does nothing."""
    return x + 1


async def wait(x: int) -> int:
    """A row that waits for a server."""
    await asyncio.sleep(WAIT)
    return x + 1


def gathered(function: Callable[[int], object], rows: list[int]) -> list[object]:
    """Bare asyncio: a task a row, so many at a time."""

    async def all_of() -> list[object]:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(row: int) -> object:
            async with places:
                return await function(row)

        return await asyncio.gather(*(one(row) for row in rows))

    return asyncio.run(all_of())


def mapped(function: Callable[[int], object], rows: list[int], **options: object) -> object:
    """The workflow of this one function, over a table."""
    wf = Workflow()
    wf.add(function)
    return wf.map(rows, concurrency=AT_ONCE, progress=False, **options)


def main() -> None:
    """Prints microseconds a row, and ratios."""
    rows = list(range(ROWS))
    with TemporaryDirectory() as folder:
        numbers = iter(range(1000))
        took = side_by_side(
            {
                "gather": lambda: gathered(add, rows),
                "map": lambda: mapped(add, rows, cache=False),
                "map, rows kept in a file": lambda: mapped(
                    add, rows, cache=False, resume=Path(folder, f"{next(numbers)}.jsonl")
                ),
                "map, looked up in the cache": lambda: mapped(add, rows),
            },
            rounds=3,
        )
    each = [(name, time / ROWS * 1e6, time / took["gather"]) for name, time in took.items()]
    table(f"{ROWS:,} rows that do nothing", ("way", "µs a row", "/ gather"), each)
    some = rows[:2000]
    took = side_by_side(
        {"gather": lambda: gathered(wait, some), "map": lambda: mapped(wait, some, cache=False)}, rounds=3
    )
    table(
        f"{len(some):,} rows that wait {WAIT * 1000:g} ms, {AT_ONCE} at a time",
        ("way", "ratio"),
        [("map / gather", took["map"] / took["gather"])],
    )


if __name__ == "__main__":
    main()
