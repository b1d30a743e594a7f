"""What a canvas is told of a workflow beside its structure: problems, inputs, what is stale or pinned."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import BpazError, DocumentError, MissingPackage
from bpaz_lab.widget import messages as m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.widget.host import Host

GOING: Final = ("pending", "running")


@dataclass(slots=True)
class Look:
    """One look at a workflow."""

    problems: list[m.Problem] = field(default_factory=list)
    inputs: list[m.RunInput] = field(default_factory=list)
    stale: dict[str, str] = field(default_factory=dict)
    pinned: list[str] = field(default_factory=list)


def look(host: Host, before: Look) -> Look:
    """How the workflow is now; what cannot be told at this moment is as it was."""
    problems = [problem_of(problem) for problem in host.validate()]
    try:
        inputs = [_input(each) for each in host.inputs if _asked(each)]
    except DocumentError:  # among the problems already
        inputs = before.inputs
    except MissingPackage as error:
        problems, inputs = [*problems, problem_of(error)], before.inputs
    return Look(problems, inputs, _stale(host, before), sorted(host.pins))


def _stale(host: Host, before: Look) -> dict[str, str]:
    """Why nodes would be computed again: before the first run that says nothing, during one it changes."""
    if host.latest is None:
        return {}
    if host.latest.status in GOING:
        return before.stale
    entries = host.history.document["nodes"]
    specs = {id: host.types.spec(entry["type"]) for id, entry in entries.items()}
    always = {id for id, spec in specs.items() if spec is not None and spec.effect == "once"}
    return {id: reason for id, reason in host.stale().items() if id not in always}


def splices(before: Sequence[m.Message], after: Sequence[m.Message]) -> list[dict[str, Any]]:
    """What turns one list into the other: a thousand nodes have long lists, and an edit changes little."""
    if before == after:
        return []
    one, other = ([each.model_dump_json() for each in side] for side in (before, after))
    codes = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return [
        {"at": start, "remove": end - start, "insert": after[low:high]}
        for kind, start, end, low, high in codes
        if kind != "equal"
    ]


def problem_of(error: BpazError) -> m.Problem:
    """An error as the canvas shows it."""
    return m.Problem(**error.to_dict())


def _asked(each: Any) -> bool:
    """Whether the canvas asks a person for this input; others have their form or their default."""
    return each.port.source == "run" or (each.port.required and not each.has_default)


def _input(each: Any) -> m.RunInput:
    return m.RunInput(
        name=each.name,
        node=each.node,
        port=each.port.name,
        title=each.port.title or each.name,
        tag=each.port.tag,
        required=each.port.required and not each.has_default,
        default=each.default,
    )
