"""The body of a container while it runs: each round is a scheduler of its own over the body's plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.inputs import fill
from bpaz_lab.engine.scheduler import Scheduler, Shared
from bpaz_lab.engine.slots import MISSING, several
from bpaz_lab.errors import InputError, NodeFailed
from bpaz_lab.graph.address import inside, path_of
from bpaz_lab.nodes.context import Paused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.engine.plan import Plan


class Rounds:
    """What ``context.body`` is for a container; see ``nodes/context.py``.

    Args:
        plan: The plan of the body.
        address: The container's.
        shared: What all schedulers of the run share.
    """

    def __init__(self, plan: Plan, address: str, shared: Shared) -> None:
        self.names = tuple(dict.fromkeys(each.name for each in plan.inputs))
        self.gives = tuple(plan.outputs)
        self.latest: Scheduler | None = None
        """Of the rounds that have ended, the one that began last."""
        self.failed: dict[str, NodeFailed] = {}
        """The rounds that failed, which are not repeated when the run goes on after a pause."""
        self._plan = plan
        self._address = address
        self._shared = shared
        self._open: dict[str, Scheduler] = {}
        self._done: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, int] = {}
        self._latest = 0

    async def __call__(self, inputs: Mapping[str, Any], key: str = "") -> dict[str, Any]:
        """Runs a round, or what is left of it after a pause."""
        if key in self._done:
            return self._done[key]
        if key in self.failed:
            raise self.failed[key]
        scheduler = self._open.get(key)
        if scheduler is None:
            scheduler = self._open[key] = self._begin(inputs, key)
        else:
            scheduler.unpark()
        try:
            await scheduler.run()
        except BaseException as error:
            del self._open[key]
            if self._plan.pauses and isinstance(error, NodeFailed):
                self.failed[key] = error
            raise
        if scheduler.parked:
            raise Paused
        del self._open[key]
        if self._shared.memo is not None:
            self._shared.memo.forget(scheduler.prefix)
        if (number := self._numbers[key]) >= self._latest:
            self.latest, self._latest = scheduler, number
        outputs = self._outputs(scheduler.values)
        if self._plan.pauses:
            self._done[key] = outputs
        return outputs

    def _begin(self, inputs: Mapping[str, Any], key: str) -> Scheduler:
        self._numbers[key] = len(self._numbers)
        values = [MISSING] * self._plan.size
        try:
            fill(self._plan, {name: inputs[name] for name in self.names if name in inputs}, values)
        except InputError as error:
            error.path = f"{path_of(self._address)}.body.{error.path}"
            raise
        return Scheduler(self._plan, values, self._shared, inside(self._address, key))

    def _outputs(self, values: list[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, feed in self._plan.outputs.items():
            if came := several(feed, values):
                found[name] = came if feed.many else came[0]
        return found
