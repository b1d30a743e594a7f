"""Where a run stands, as data: what is done, and the values that what is not done still needs.

LangGraph keeps this in its checkpoint while a person thinks, perhaps for days and for another process. It
holds values only: live objects (a model, a store) are made again by the nodes that made them, when something
that is not done needs them. Inputs of the run are not in it either; the graph's own state has those.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from bpaz_lab.engine.langgraph_tables import packed, unpacked
from bpaz_lab.engine.rebuild import calls_again, live_slots, readers, wanted
from bpaz_lab.engine.rounds import Rounds
from bpaz_lab.engine.slots import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.engine.plan import Plan
    from bpaz_lab.engine.scheduler import Scheduler, Shared


class BodyFrame(TypedDict):
    """Where the body of a container stands: the outputs of the rounds that are over, and the open ones."""

    over: dict[str, dict[str, Any]]
    open: dict[str, Frame]


class Frame(TypedDict):
    """Where a plan stands."""

    done: list[str]
    """The nodes that are done, or not to be done any more."""
    parked: list[str]
    """The nodes that wait for a person."""
    values: dict[str, dict[str, Any]]
    """What done nodes gave, by node and output, as far as it is still needed."""
    bodies: dict[str, BodyFrame]
    """Of the containers that wait."""


def snapshot(scheduler: Scheduler, over: set[str]) -> Frame:
    """Where a scheduler stands that has nothing left to do for now.

    Args:
        scheduler: Of the top, or of a body.
        over: The addresses of all steps that are done, at the top and in bodies.
    """
    plan, prefix = scheduler.plan, scheduler.prefix
    done = {step.index for step in plan.steps if prefix + step.node in over}
    live = live_slots(plan)
    needed = wanted(plan, calls_again(plan, done, live), done)
    bodies: dict[str, BodyFrame] = {}
    for step in scheduler.parked:
        rounds = scheduler.shared.bodies.get(prefix + step.node)
        if rounds is not None:
            waiting = rounds.waiting if isinstance(rounds, Resumed) else {}
            now_open = {key: snapshot(inner, over) for key, inner in rounds._open.items()}
            over_now = {key: packed(given) for key, given in rounds._done.items()}
            bodies[step.node] = {"over": over_now, "open": {**waiting, **now_open}}
    values = {
        step.node: {
            name: packed(scheduler.values[slot])
            for name, slot in step.slots.items()
            if slot in needed and slot not in live and scheduler.values[slot] is not MISSING
        }
        for step in plan.steps
        if step.index in done
    }
    return {
        "done": [plan.steps[index].node for index in sorted(done)],
        "parked": [step.node for step in scheduler.parked],
        "values": {node: found for node, found in values.items() if found},
        "bodies": bodies,
    }


def restore(scheduler: Scheduler, frame: Frame, over: set[str]) -> set[int]:
    """Lets a fresh scheduler go on from where another one stood.

    Args:
        scheduler: A new one, the inputs filled in.
        frame: What ``snapshot`` gave.
        over: Gets the addresses of what is done.

    Returns:
        The done steps that are called again when something needs the live objects that they make.
    """
    plan, values = scheduler.plan, scheduler.values
    names = set(frame["done"])
    done = {step.index for step in plan.steps if step.node in names}
    parked = {step.index for step in plan.steps if step.node in frame["parked"]}
    for step in plan.steps:
        for name, value in frame["values"].get(step.node, {}).items():
            values[step.slots[name]] = unpacked(value)
    again = calls_again(plan, done, live_slots(plan))
    if again:
        steps = list(plan.steps)
        for index, (calls, region) in again.items():
            heirs = readers(plan, index, calls, again)
            steps[index] = replace(steps[index], bound=calls, region=region, followers=heirs)
        scheduler.plan = replace(plan, steps=steps)
    over.update(scheduler.prefix + plan.steps[index].node for index in done)
    for node, body in frame["bodies"].items():
        address = scheduler.prefix + node
        inner = next(step.body for step in plan.steps if step.node == node)
        assert inner is not None
        scheduler.shared.bodies[address] = Resumed(inner, address, scheduler.shared, body, over)
    _seed(scheduler, plan, done - again.keys(), parked)
    return set(again)


class Resumed(Rounds):
    """The body of a container that waited: rounds that are over answer at once, open ones go on."""

    def __init__(self, plan: Plan, address: str, shared: Shared, frame: BodyFrame, over: set[str]) -> None:
        super().__init__(plan, address, shared)
        self.waiting = dict(frame["open"])
        """Rounds that the container has not asked for again yet."""
        self._done.update({key: unpacked(given) for key, given in frame["over"].items()})
        self._over = over

    def _begin(self, inputs: Mapping[str, Any], key: str) -> Scheduler:
        scheduler = super()._begin(inputs, key)
        if (frame := self.waiting.pop(key, None)) is not None:
            restore(scheduler, frame, self._over)
        return scheduler


def _seed(scheduler: Scheduler, whole: Plan, finished: set[int], parked: set[int]) -> None:
    """Tells a scheduler what is finished and what is called again."""
    steps, waits = scheduler.plan.steps, [step.waits for step in scheduler.plan.steps]
    for step in whole.steps:
        still = () if step.index in finished else frozenset(steps[step.index].followers)
        for follower in step.followers:
            waits[follower] -= follower not in still
    for index in finished:
        waits[index] = -1  # which no further step that settles makes 0
        if steps[index].eager:
            scheduler._begun.add(index)
            scheduler.dropped.update(steps[index].rivals)
    scheduler._waits = waits
    scheduler.again = parked
    scheduler._held = [step for step in steps if not waits[step.index]]
    for step in steps:
        if step.eager and waits[step.index] >= 0 and scheduler._came(step):
            scheduler._begun.add(step.index)
            scheduler._drop(step)
            if waits[step.index]:
                scheduler._held.append(step)
