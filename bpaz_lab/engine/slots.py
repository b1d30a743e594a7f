"""The values of a run: a list with a slot for each output and each input, by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bpaz_lab.engine.plan import Feed, Step

MISSING: Final[Any] = type("Missing", (), {"__repr__": lambda _: "MISSING", "__slots__": ()})()
"""In a slot: nothing came, since the branch was not taken or nobody gave it."""


def several(feed: Feed, values: list[Any]) -> list[Any]:
    """What came over the wires of one port, in their order."""
    return [
        values[slot] if convert is None else convert(values[slot])
        for slot, convert in feed.slots
        if values[slot] is not MISSING
    ]


def outputs(step: Step, values: list[Any]) -> dict[str, Any]:
    """What a step gave, by output."""
    return {
        name: values[slot]
        for bound in step.bound
        for name, slot in bound.slots
        if values[slot] is not MISSING
    }
