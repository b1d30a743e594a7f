"""What a run still has in memory, by the address of a step: all of the top, the last round of each body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.runs.moment import GIVEN, Moment
from bpaz_lab.engine.reading import NodeOutputs
from bpaz_lab.engine.slots import MISSING, several
from bpaz_lab.engine.spans import Span, spans
from bpaz_lab.errors import InputError
from bpaz_lab.graph.address import inside, path_of, place_of
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from bpaz_lab.engine.plan import Plan, Step
    from bpaz_lab.engine.run import Run
    from bpaz_lab.engine.scheduler import Scheduler

_PART: Final = re.compile(r"(?P<id>\w+)(?:\[(?P<key>[^\]/]*)\])?\Z")


def moment(run: Run, address: str) -> Moment | None:
    """A step as it was; None where the run has its values no more.

    Args:
        run: The run, over or not.
        address: The step; without a round that of the last one.

    Raises:
        InputError: The run has no such step.
    """
    if (
        address not in {step.node for step in run._plan.steps} and address in run._options.given
    ):  # a fork needs it no more
        outputs = NodeOutputs(address, run._options.given[address])
        return Moment(address, GIVEN, {}, outputs, masker=run.masker)
    scheduler = _scheduler(run, address)
    if scheduler is None:
        return None
    step = step_of(scheduler.plan, address)
    full = scheduler.prefix + step.node
    told = [each for each in spans(run.events) if each.node == full]
    span = told[0] if told else Span(full, 0.0, 0.0, "skipped", why="the run did not come to it")
    return Moment(
        address=full,
        status=GIVEN if step.made is None and span.state == "cached" else span.state,
        inputs=inputs_of(step, scheduler.values),
        outputs=NodeOutputs(full, outputs_of(step, scheduler.values)),
        seconds=span.seconds(run.duration),
        why=span.why,
        error=span.error,
        masker=run.masker,
    )


def step_of(plan: Plan, address: str) -> Step:
    """The step of a plan that stands last in an address.

    Raises:
        InputError: There is none.
    """
    node = place_of(address).rpartition("/")[2]
    steps = {step.node: step for step in plan.steps}
    if node not in steps:
        hint = closest(node, steps) or f"It has: {', '.join(steps)}."
        raise InputError(f"the run has no step {address!r}", path=path_of(address), hint=hint)
    return steps[node]


def parts_of(address: str) -> list[tuple[str, str | None]]:
    """The nodes and rounds of an address, from the top down.

    Raises:
        InputError: It is no address.

    Example:
        >>> parts_of("each[3]/clean")
        [('each', '3'), ('clean', None)]
    """
    found = [_PART.match(part) for part in address.split("/")]
    if not all(found):
        raise InputError(
            f"{address!r} names no step",
            hint="Write the node's id, or 'each[2]/clean' for a node in a round of a container.",
        )
    return [(each["id"], each["key"]) for each in found if each]


def inputs_of(step: Step, values: list[Any]) -> dict[str, Any]:
    """What a step got, by input."""
    found: dict[str, Any] = {}
    for bound in step.bound:
        found |= bound.constants
        for feed in bound.feeds:
            if came := several(feed, values):
                found[feed.name] = came if feed.many else came[0]
    return found


def outputs_of(step: Step, values: list[Any]) -> dict[str, Any]:
    """What a step gave, by output."""
    return {name: values[slot] for name, slot in step.slots.items() if values[slot] is not MISSING}


def _scheduler(run: Run, address: str) -> Scheduler | None:
    """The scheduler of the round in which a step stands; None where it is gone."""
    containers = parts_of(address)[:-1]
    found: Scheduler | None = run._scheduler
    plan = run._plan
    for node, key in containers:
        inner = step_of(plan, node).body
        if inner is None:
            raise InputError(
                f"{node} has no steps inside", path=path_of(address), hint=f"Write {node!r} itself."
            )
        plan = inner
        found = _round(run, found.prefix + node, key) if found is not None else None
    step_of(plan, address)  # which says what there is, where it is none
    return found


def _round(run: Run, container: str, key: str | None) -> Scheduler | None:
    """A round of a container that is still known; the last one where ``key`` is None."""
    rounds = run._shared.bodies.get(container)
    if rounds is None:
        return None
    known = [*([rounds.latest] if rounds.latest else []), *rounds._open.values()]
    return next((each for each in known[::-1] if key is None or each.prefix == inside(container, key)), None)
