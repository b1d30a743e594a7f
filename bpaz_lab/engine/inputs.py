"""What a run is given by name, and where it goes.

A name goes to the fields of ChatInput and Start of that name, else to the only unconnected input port
of that name; ``"node.port"`` names one where several share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import InputError
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.engine.plan import Plan, RunInput


def fill(plan: Plan, given: Mapping[str, Any], values: list[Any]) -> None:
    """Puts the inputs and the defaults into their slots.

    Raises:
        InputError: A name is unknown or ambiguous, or a required input is missing; it lists what exists.
    """
    filled: set[int] = set()
    for name, value in given.items():
        for target in _targets(plan, name):
            values[target.slot] = value
            filled.add(target.slot)
    missing: list[RunInput] = []
    for each in plan.inputs:
        if each.slot in filled:
            continue
        if each.has_default:
            values[each.slot] = each.default
        elif each.port.required:
            missing.append(each)
    if missing:
        names = ", ".join(dict.fromkeys(_shown(plan, each) for each in missing))
        example = missing[0].name if len(_named(plan, missing[0].name)) == 1 else _full(missing[0])
        how = f"run({example}=...)" if example.isidentifier() else f"run({{{example!r}: ...}})"
        raise InputError(
            f"the run needs {names}",
            path=f"nodes.{missing[0].node}.inputs.{missing[0].name}",
            hint=f"Pass it: {how}, or connect it.",
        )


def _targets(plan: Plan, name: str) -> list[RunInput]:
    found = _named(plan, name)
    if not found:
        names = sorted({_shown(plan, each) for each in plan.inputs})
        raise InputError(
            f"the run has no input {name!r}",
            hint=closest(name, names) or f"Its inputs are: {', '.join(names) or 'none'}.",
        )
    if len(found) > 1 and found[0].port.source == "wire":
        raise InputError(
            f"several nodes have an input {name!r}",
            hint=f"Name one in a mapping: run({{{_full(found[0])!r}: ...}}), or {_full(found[1])!r}.",
        )
    return found


def _named(plan: Plan, name: str) -> list[RunInput]:
    if "." in name:
        return [each for each in plan.inputs if _full(each) == name]
    found = [each for each in plan.inputs if each.name == name]
    return [each for each in found if each.port.source == "run"] or found


def _full(each: RunInput) -> str:
    return f"{each.node}.{each.name}"


def _shown(plan: Plan, each: RunInput) -> str:
    shared = len(_named(plan, each.name)) > 1 and each.port.source == "wire"
    return _full(each) if shared else each.name
