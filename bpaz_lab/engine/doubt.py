"""Steps of which nobody knows whether they happened: the run was cut off while they were in flight.

What may be repeated is repeated. A step that must not happen twice is repeated by itself only if its class
says ``idempotent``: it hands ``context.idempotency_key`` to a provider that does the same only once. For any
other the run asks a person who can look: was it done, and with what result, or shall it be repeated?
The same question serves where it is known that a step was done, and not what it gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.rebuild import feeding
from bpaz_lab.engine.slots import MISSING
from bpaz_lab.engine.values import Absent
from bpaz_lab.graph.spec import FieldSpec
from bpaz_lab.nodes.context import HAPPENED, RESULT, Paused, Question, is_verdict

if TYPE_CHECKING:
    from bpaz_lab.engine.plan import Bound, Step
    from bpaz_lab.engine.rebuild import Past
    from bpaz_lab.engine.scheduler import Scheduler

REPEAT: Final = "repeat"
WAS_DONE: Final = "done"


def in_doubt(step: Step, past: Past) -> bool:
    """Whether a step that must not happen twice may have happened."""
    return (
        step.strict and past.kept.state == "started" and not (step.cls.idempotent and past.kept.answers >= 0)
    )


def rebuilds(step: Step, calls: list[Bound]) -> bool:
    """Whether calls of a done step may be made again without asking.

    That is so where the step may be repeated, and where what declares nothing makes live objects alone.
    """
    if not step.strict:
        return True
    makes = all(name in step.live for bound in calls for name, _ in bound.slots)
    return makes and step.cls.effect == "undeclared"


def verdicts(at: Scheduler, address: str) -> list[dict[str, Any]]:
    """What people said so far about whether a step happened, in the order of the questions."""
    return [each for each in at.shared.services.answers.get(address, ()) if is_verdict(each)]


def verdict(at: Scheduler, step: Step, past: Past) -> dict[str, Any] | None:
    """What the step gave, as a person says; None where it is to be repeated.

    Raises:
        Paused: Nobody has said it yet, or what was said does not fit.
    """
    address, said = at.prefix + step.node, verdicts(at, at.prefix + step.node)
    before = len(said) if past.kept.damaged else past.kept.answers
    heard = at.shared.heard.setdefault(address, before)
    if len(said) <= heard:
        raise Paused(_question(at, step, past))
    if said[-1][HAPPENED] == REPEAT:
        return None
    try:
        return _results(at, step, said[-1])
    except ValueError as error:
        at.shared.heard[address] = len(said)
        raise Paused(_question(at, step, past, f"{error}. ")) from None


def _results(at: Scheduler, step: Step, said: dict[str, Any]) -> dict[str, Any]:
    """The outputs that a person tells."""
    names = _names(step)
    if RESULT not in said or said[RESULT] is None:
        if needed(at, step):
            raise ValueError(f"Something to come needs what it gave: {', '.join(names)}")
        return dict.fromkeys(names, Absent("nobody said what it gave"))
    told = said[RESULT]
    if len(names) == 1 and not (isinstance(told, dict) and list(told) == names):
        return {names[0]: told}
    if not isinstance(told, dict) or (unknown := [name for name in told if name not in names]):
        what = f"has no output {unknown[0]!r}" if isinstance(told, dict) else "has several outputs"
        raise ValueError(f"It {what}: give the result as {{output: value}} of {', '.join(names) or 'none'}")
    return told


def needed(at: Scheduler, step: Step) -> bool:
    """Whether a step that is still to come reads what this one gave."""
    read = {
        slot for other in at.plan.steps if other is not step for slot in feeding(other, _to_come(at, other))
    }
    return any(slot in read for bound in step.bound for _, slot in bound.slots)


def _to_come(at: Scheduler, step: Step) -> list[Bound]:
    past = at.past.get(step.index)
    return past.calls if past is not None and past.done else step.bound


def _names(step: Step) -> list[str]:
    """The outputs of a step that are values."""
    return [name for bound in step.bound for name, _ in bound.slots if name not in step.live]


def _question(at: Scheduler, step: Step, past: Past, problem: str = "") -> Question:
    address, names = at.prefix + step.node, _names(step)
    if past.done:
        text = f"{address} was done, and what it gave is needed and was not kept. Shall it be repeated?"
        why = "repeat: call it once more"
    else:
        text = f"The run was cut off while {address} was in flight. Was it done, or shall it be repeated?"
        why = "Look where it acts: repeat where nothing has happened there, done where it has"
    live = past.done and all(name in step.live for bound in past.calls for name, _ in bound.slots)
    form = [
        FieldSpec(
            name=HAPPENED,
            title="What happened",
            kind="choice",
            choices=(REPEAT,) if live else (REPEAT, WAS_DONE),
            required=True,
            help=f"{why}.",
        )
    ]
    if not live:
        about = (
            f"What it gave, as JSON, where it was done: {{output: value}} of {', '.join(names) or 'none'}."
        )
        form.append(FieldSpec(name=RESULT, title="Result", kind="json", help=about))
    given = {
        feed.name: at.values[slot]
        for bound in step.bound
        for feed in bound.feeds
        for slot, _ in feed.slots
        if at.values[slot] is not MISSING
    }
    return Question(problem + text, tuple(form), given)
