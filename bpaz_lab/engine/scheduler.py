"""The dataflow scheduler: a node starts the moment its inputs are there.

Ready steps stand in one queue. A worker runs them one after the other; while there are more behind, a
second worker stands by, and the loop turns to it when the first one waits for something. Steps that
never wait therefore cost no task at all, which is what beats a hand-written scheduler with a task a
node, and fast branches never wait for slow ones.

The first failure cancels everything else. A long row of instant nodes yields to the loop now and then,
so that Stop and other runs get their turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import NodeFailed, RunCancelled
from bpaz_lab.nodes.call import invoke, results
from bpaz_lab.nodes.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.engine.plan import Bound, Feed, Plan, Step
    from bpaz_lab.nodes.context import Services

MISSING: Final[Any] = type("Missing", (), {"__repr__": lambda _: "MISSING", "__slots__": ()})()
"""In a slot: nothing came, since the branch was not taken or nobody gave it."""

TURN: Final = 0.01
"""Seconds after which a row of instant nodes yields to the loop."""


class Scheduler:
    """Runs the regions of one plan over one list of values.

    Args:
        plan: What to run.
        values: The slots, inputs filled in.
        services: What the nodes may ask of the outside.
        record: Takes events as kind, node, data; called on the loop only.
    """

    def __init__(
        self, plan: Plan, values: list[Any], services: Services, record: Callable[[str, str, Any], None]
    ) -> None:
        self._steps = plan.steps
        self._values = values
        self._services = services
        self._record = record
        self._waits = [step.waits for step in plan.steps]
        self._ready: deque[Step] = deque()
        self._stand_by = False
        """Another worker will get its turn as soon as the present one waits."""
        self._turn = perf_counter()

    async def run(self, region: int) -> None:
        """Runs one region to its end.

        Raises:
            NodeFailed: A node raised; its error is the cause.
        """
        self._ready.extend(step for step in self._steps if step.region == region and not step.waits)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._work(group))
        except BaseExceptionGroup as failures:
            first = failures.exceptions[0]
            raise first from first.__cause__

    async def _work(self, group: asyncio.TaskGroup) -> None:
        """Runs ready steps one after the other until there is none."""
        ready, steps, waits = self._ready, self._steps, self._waits
        while ready:
            step = ready.popleft()
            if ready and not self._stand_by:
                self._stand_by = True
                group.create_task(self._stand_in(group))
            if step.optional and (reason := self._skipped(step)):
                self._record("node.skipped", step.node, {"reason": reason})
            else:
                await self._run(step)
            if _cancelled():  # and the node swallowed it
                raise asyncio.CancelledError
            for index in step.followers:
                waits[index] -= 1
                if not waits[index]:
                    ready.append(steps[index])
            if perf_counter() - self._turn > TURN:
                await asyncio.sleep(0)
                self._turn = perf_counter()

    async def _stand_in(self, group: asyncio.TaskGroup) -> None:
        """Gets its turn when the worker before it waits for something, and takes over the rest."""
        self._stand_by = False
        await self._work(group)

    def _skipped(self, step: Step) -> str:
        """Why the step is not computed: a required input is missing, or everything that feeds it is."""
        values, alive = self._values, False
        for bound in step.bound:
            for feed in bound.feeds:
                came = any(values[slot] is not MISSING for slot, _ in feed.slots)
                if not came and feed.required:
                    return f"nothing came to {feed.name!r}: the branch that feeds it was not taken"
                alive = alive or (came and feed.wired)
        return "" if alive else "no branch that feeds it was taken"

    async def _run(self, step: Step) -> None:
        record, values, node = self._record, self._values, step.node
        record("node.started", node, None)
        began = perf_counter()
        try:
            for bound in step.bound:
                call = bound.call
                arguments = {**bound.constants} if bound.constants else {}
                for feed in bound.feeds:
                    if not feed.many and len(feed.slots) == 1:
                        slot, convert = feed.slots[0]
                        value = values[slot]
                        if value is not MISSING:
                            arguments[feed.name] = value if convert is None else convert(value)
                    else:
                        arguments[feed.name] = self._several(feed)
                if call.style == "async" and not call.context:
                    value = await call.function(**arguments)
                else:
                    value = await invoke(call, arguments, Context(node, services=self._services))
                self._keep(bound, value)
        except (Exception, asyncio.CancelledError, SystemExit, KeyboardInterrupt) as error:
            # exit() in a node ends the node alone, and so does a cancellation that is its own affair
            if isinstance(error, asyncio.CancelledError | RunCancelled) and self._stopping():
                record("node.stopped", node, perf_counter() - began)
                raise asyncio.CancelledError from None
            record("node.failed", node, (perf_counter() - began, error))
            self._services.cancel.set()  # blocking nodes that look now and then
            raise NodeFailed(f"{node} failed: {error}", path=f"nodes.{node}") from error
        record("node.finished", node, (perf_counter() - began, step))

    def _stopping(self) -> bool:
        return _cancelled() or self._services.cancel.is_set()

    def _several(self, feed: Feed) -> list[Any]:
        values = self._values
        return [
            values[slot] if convert is None else convert(values[slot])
            for slot, convert in feed.slots
            if values[slot] is not MISSING
        ]

    def _keep(self, bound: Bound, value: Any) -> None:
        values = self._values
        if bound.call.split:
            found = results(bound.call, value)
            for name, slot in bound.slots:
                values[slot] = found.get(name, MISSING)
        else:
            for _, slot in bound.slots:
                values[slot] = value


def _cancelled() -> bool:
    """Whether somebody cancelled this task: the run was stopped, or another node failed."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
