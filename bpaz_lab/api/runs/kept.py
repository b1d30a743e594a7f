"""What a run has kept in its ledger, to look at: any step, in any round, also of another kernel's run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.runs.forking import wanted
from bpaz_lab.api.runs.memory import inputs_of, parts_of, step_of
from bpaz_lab.api.runs.moment import GIVEN, IN_DOUBT, Moment
from bpaz_lab.engine.inputs import fill
from bpaz_lab.engine.ledger import DONE, STRICT
from bpaz_lab.engine.reading import NodeOutputs
from bpaz_lab.engine.slots import MISSING
from bpaz_lab.engine.spans import Span, spans
from bpaz_lab.engine.steps import intact
from bpaz_lab.engine.values import Absent, content, unpack
from bpaz_lab.errors import BpazError, InputError, IntegrityError
from bpaz_lab.graph.address import inside, path_of, place_of
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bpaz_lab.engine.plan import Plan, Step
    from bpaz_lab.engine.steps import StepRow, Steps

_STATES: Final = {"done": "finished", "given": GIVEN, "failed": "failed"}
_LIVE: Final = "live"


class Kept:
    """The steps of a run; reading needs no lease.

    Args:
        steps: Its ledger.
        plan: Makes the plan of the run, where its node types are there.
        events: What happened, as far as it is known.

    Raises:
        NotFound: There is no such run, or it is another person's.
    """

    def __init__(self, steps: Steps, plan: Callable[[], Plan], events: Iterable[Any] = ()) -> None:
        self._steps = steps
        self._plan = plan
        self._events = events
        self.rows: dict[str, StepRow] = {row.address: row for row in steps.read()}

    @property
    def addresses(self) -> list[str]:
        """The steps of which something is kept."""
        return [address for address in self.rows if address]

    def digests(self) -> dict[str, str]:
        """What names the outputs of each step: the same name for the same values."""
        rows = {address: row for address, row in self.rows.items() if address and row.data}
        return {address: content(row.data) for address, row in rows.items() if row.state in DONE}

    def full(self, address: str) -> str:
        """An address with its rounds: the last ones where it names none.

        Raises:
            InputError: It is no address, or nothing is known of it.
        """
        if address in self.rows:
            return address
        asked = parts_of(address)
        fitting = [row for row in self.rows.values() if row.address and _fits(row.address, asked)]
        if fitting:
            return max(fitting, key=_round).address
        told = {each.node: each for each in spans(self._events)}
        with suppress(BpazError):
            place_in(self._plan(), address)
            return address
        places = {place_of(each) for each in (*self.addresses, *told)}
        hint = "" if place_of(address) in places else closest(place_of(address), places)
        raise InputError(
            f"the run has no step {address!r}",
            path=path_of(address),
            hint=hint or f"It has: {', '.join(sorted(places)) or 'none'}.",
        )

    def values(self, address: str) -> dict[str, Any]:
        """What a step gave, by output; what was not kept is an ``Absent``.

        Raises:
            IntegrityError: What is kept of it is damaged.
        """
        row = self.rows.get(address)
        if row is None or not row.data:
            return {}
        if not intact(self._steps.run_id, row):
            raise IntegrityError(
                f"what the run has kept of {address or 'its inputs'} is damaged",
                path=path_of(address) if address else "inputs",
                hint="Go on with repair=True: what may be repeated is computed again, the rest is asked for.",
            )
        return unpack(row.data, self._steps.part)

    def moment(self, address: str) -> Moment:
        """A step as it was.

        Raises:
            InputError: There is no such step.
            IntegrityError: What is kept of it is damaged.
        """
        address = self.full(address)
        row = self.rows.get(address)
        span = next((each for each in spans(self._events) if each.node == address), None)
        told = self.values(address)
        lacking = {name: value.why for name, value in told.items() if isinstance(value, Absent)}
        outputs = {name: value for name, value in told.items() if name not in lacking}
        if row is None:
            span = span or Span(address, 0.0, 0.0, "skipped", why="the run has not come to it")
            return Moment(
                address,
                span.state,
                self.inputs(address),
                NodeOutputs(address, {}),
                why=span.why,
                error=span.error,
            )
        status = _STATES.get(row.state) or (IN_DOUBT if row.effect in STRICT else "running")
        why = "; ".join(
            f"{name} is a live object, made again where it is needed"
            if reason == _LIVE
            else f"{name}: {reason}"
            for name, reason in lacking.items()
        )
        return Moment(
            address,
            status,
            self.inputs(address),
            NodeOutputs(address, outputs),
            max(row.ended - row.began, 0.0) if row.ended and status != GIVEN else 0.0,
            why,
            span.error if span and status == "failed" else None,
        )

    def inputs(self, address: str) -> dict[str, Any]:
        """What a step got, by input, as far as that is kept and the types of the nodes are there."""
        try:
            plan, step, prefix = place_in(self._plan(), address)
        except BpazError:  # the workflow is another one by now, or its node types are not here
            return {}
        values: list[Any] = [MISSING] * plan.size
        for default in plan.inputs:
            if default.has_default:
                values[default.slot] = default.default
        if not prefix:
            fill(plan, wanted(plan, self.values("")), values)
        needed = {slot for bound in step.bound for feed in bound.feeds for slot, _ in feed.slots}
        for each in plan.steps:
            if not needed.isdisjoint(each.slots.values()):
                for name, value in self.values(prefix + each.node).items():
                    if name in each.slots and not isinstance(value, Absent):
                        values[each.slots[name]] = value
        return inputs_of(step, values)


def place_in(plan: Plan, address: str) -> tuple[Plan, Step, str]:
    """The plan in which a step stands, the step, and what stands before it in addresses.

    Raises:
        InputError: There is no such step.
    """
    prefix = ""
    *containers, (node, _) = parts_of(address)
    for container, key in containers:
        body = step_of(plan, container).body
        if body is None:
            raise InputError(f"{container} has no steps inside", path=path_of(address))
        plan, prefix = body, inside(prefix + container, key or "")
    return plan, step_of(plan, node), prefix


def _round(row: StepRow) -> tuple[list[int], float]:
    """What orders the rounds of a step: their numbers, else when they ended."""
    keys = [key or "" for _, key in parts_of(row.address)]
    return [int(key) if key.isdecimal() else 0 for key in keys], row.ended


def _fits(address: str, asked: list[tuple[str, str | None]]) -> bool:
    """Whether an address is one of those that another one without some of its rounds means."""
    parts = parts_of(address)
    return len(parts) == len(asked) and all(
        node == name and key in (None, known) for (node, known), (name, key) in zip(parts, asked, strict=True)
    )
