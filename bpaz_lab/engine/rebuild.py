"""What a run that goes on must make again: live objects, and values that have no form, where they are needed.

A model, a store, a retriever are no values: nothing keeps them. The steps that made them are called again, as
far as something that is still to come reads what they give, and so are those before them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bpaz_lab.engine.ledger import DONE, Kept
from bpaz_lab.engine.values import Absent
from bpaz_lab.graph.ports import is_resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bpaz_lab.engine.plan import Bound, Plan, Step
    from bpaz_lab.engine.scheduler import Scheduler


class Again(NamedTuple):
    """What a done step is called again for, and the first region that needs it."""

    calls: list[Bound]
    region: int


class Past(NamedTuple):
    """What a ledger knows of a step of a plan, and the calls that make what it did not keep."""

    kept: Kept
    calls: list[Bound]

    @property
    def done(self) -> bool:
        """Whether it is done."""
        return self.kept.state in DONE


def past_of(scheduler: Scheduler) -> dict[int, Past]:
    """What the ledger of a run knows of the steps of a scheduler, by their index."""
    ledger, plan, prefix = scheduler.shared.ledger, scheduler.plan, scheduler.prefix
    if ledger is None or not ledger.knows(prefix):
        return {}
    known = {step.index: kept for step in plan.steps if (kept := ledger.kept(prefix + step.node)) is not None}
    done = {index for index, kept in known.items() if kept.state in DONE}
    missing = {slot for index in done for slot in _not_kept(plan.steps[index], known[index])}
    again = calls_again(plan, done, missing)
    return {index: Past(kept, again[index].calls if index in again else []) for index, kept in known.items()}


def _not_kept(step: Step, kept: Kept) -> Iterator[int]:
    """The slots whose values are not there although the step gave them."""
    for name, value in kept.outputs.items():
        if isinstance(value, Absent) and name in step.slots:
            yield step.slots[name]
    if (step.entry.get("policy") or {}).get("on_error", "fail") == "fail":
        for bound in step.bound:
            if not bound.call.split:  # else an output that is missing is a branch not taken
                yield from (slot for name, slot in bound.slots if name not in kept.outputs)


def calls_again(plan: Plan, done: set[int], missing: set[int]) -> dict[int, Again]:
    """The done steps that are called again, for missing values that something to come needs.

    Args:
        plan: What is run.
        done: The steps that are done, by index.
        missing: The slots that are not kept.
    """
    found: dict[int, Again] = {}
    wanted = dict.fromkeys(collected(plan), plan.regions)
    for step in reversed(plan.steps):
        calls, region = step.bound, step.region
        if step.index in done:
            made = [slot for slot in step.slots.values() if slot in wanted and slot in missing]
            if not made:
                continue
            calls = [bound for bound in step.bound if any(slot in made for _, slot in bound.slots)]
            region = min(wanted[slot] for slot in made)
            found[step.index] = Again(calls, region)
        for slot in feeding(step, calls):
            wanted[slot] = min(region, wanted.get(slot, region))
    return found


def readers(plan: Plan, index: int, calls: list[Bound], again: Mapping[int, Again]) -> list[int]:
    """The followers that read what these calls give; the others have the values already."""
    given = {slot for bound in calls for _, slot in bound.slots}
    return [
        follower
        for follower in plan.steps[index].followers
        if not given.isdisjoint(
            feeding(
                plan.steps[follower],
                again[follower].calls if follower in again else plan.steps[follower].bound,
            )
        )
    ]


def wanted(plan: Plan, again: Mapping[int, Again], done: set[int]) -> set[int]:
    """The slots that what is to come reads."""
    found = set(collected(plan))
    for step in plan.steps:
        if step.index not in done:
            found.update(feeding(step, step.bound))
        elif step.index in again:
            found.update(feeding(step, again[step.index].calls))
    return found


def collected(plan: Plan) -> Iterator[int]:
    """The slots of what the run, or the body, gives."""
    yield from plan.ends.values()
    for feed in plan.outputs.values():
        yield from (slot for slot, _ in feed.slots)


def feeding(step: Step, calls: list[Bound]) -> Iterator[int]:
    """The slots that these calls of a step read."""
    for bound in calls:
        for feed in bound.feeds:
            yield from (slot for slot, _ in feed.slots)
    if step.passes is not None:
        yield from (slot for slot, _ in step.passes[0].slots)


def live_slots(plan: Plan) -> set[int]:
    """The slots that are filled again instead of kept: of live objects, and of inputs of the run."""
    given = {each.node for each in plan.inputs if each.port.source == "run"}
    return {
        slot
        for step in plan.steps
        for name, slot in step.slots.items()
        if step.node in given or is_resource(step.tags.get(name, "data"))
    }
