"""The Python types of a workflow's inputs and outputs, as other people's schemas want them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bpaz_lab.engine.plan import Plan, RunInput, Step

_KINDS: Final[dict[str, Any]] = {
    "text": str,
    "multiline": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "list": list[Any],
    "object": dict[str, Any],
}


def named_inputs(plan: Plan) -> list[tuple[str, RunInput]]:
    """The inputs of a plan by name; by ``node.port`` where wires of several nodes share one."""
    told = Counter(each.name for each in plan.inputs)
    return [
        (
            f"{each.node}.{each.name}" if each.port.source == "wire" and told[each.name] > 1 else each.name,
            each,
        )
        for each in plan.inputs
    ]


def given_type(given: RunInput, step: Step) -> Any:
    """The type of an input, from the kind that its node tells, else from the tag of its port."""
    from bpaz_lab.nodes.io.start import Start

    if isinstance(step.made, Start):
        kind = next(field.kind for field in step.made.fields if field.name == given.name)
        return _KINDS.get(kind, Any)
    field = next((each for each in step.cls.shape().fields if each.name == given.name and each.port), None)
    if field is not None and field.kind in _KINDS:
        return _KINDS[field.kind]
    return kept_type(given.port.tag)


def default_of(given: RunInput, step: Step) -> Any:
    """What an input is where nobody gives it; None where that is nothing."""
    from bpaz_lab.nodes.io.chat_input import ChatInput
    from bpaz_lab.nodes.io.start import Start

    if given.has_default:
        return given.default
    if isinstance(step.made, ChatInput):
        return step.made.default or None
    if isinstance(step.made, Start):
        return next(field.default for field in step.made.fields if field.name == given.name)
    return None


def kept_type(tag: str) -> Any:
    """The type of what a port of this tag carries."""
    if tag == "text":
        return str
    if tag == "list[text]":
        return list[str]
    return list[Any] if tag in ("messages", "documents") or tag.startswith("list[") else Any
