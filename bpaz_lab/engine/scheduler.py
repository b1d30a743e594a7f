"""The dataflow scheduler: a node starts the moment its inputs are there.

Ready steps stand in one queue. A worker runs them one after the other; while there are more behind, a
second worker stands by, and the loop turns to it when the first one waits for something. Steps that
never wait therefore cost no task at all, which is what beats a hand-written scheduler with a task a
node, and fast branches never wait for slow ones.

A step that waits for a person is *parked*: what hangs on it waits, everything else goes on. The first
failure cancels everything else. A long row of instant nodes yields to the loop now and then, so that
Stop and other runs get their turn.

What only some nodes need (policies, bodies, limits, the cache) is in ``special.py``.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.diagnose import diagnosed
from bpaz_lab.engine.limits import Limits
from bpaz_lab.engine.preview import preview
from bpaz_lab.engine.rebuild import past_of
from bpaz_lab.engine.slots import MISSING, outputs, several
from bpaz_lab.engine.special import recalled, special
from bpaz_lab.engine.workers import Workers
from bpaz_lab.errors import NodeFailed, RunCancelled
from bpaz_lab.graph.address import path_of
from bpaz_lab.nodes.call import invoke, nothing, results
from bpaz_lab.nodes.context import Context, Paused

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bpaz_lab.engine.incremental import Incremental
    from bpaz_lab.engine.ledger import Ledger
    from bpaz_lab.engine.plan import Bound, Plan, Step
    from bpaz_lab.engine.rounds import Rounds
    from bpaz_lab.nodes.context import Body, Question, Services

TURN: Final = 0.01
"""Seconds after which a row of instant nodes yields to the loop."""


@dataclass(slots=True)
class Shared:
    """What all schedulers of one run share, those of bodies included.

    Attributes:
        services: What the nodes may ask of the outside.
        record: Takes events as kind, address, data; called on the loop only.
        limits: How many nodes work at once.
        memo: Results of earlier runs; None where nothing is kept.
        ledger: What is done of this run; None where a run that stops is lost.
        questions: What nodes ask people, by address.
        bodies: The rounds of the containers, by address.
        heard: How many answers about a step in doubt were heard before it was asked about, by address.
    """

    services: Services
    record: Callable[[str, str, Any], None]
    limits: Limits = field(default_factory=Limits)
    memo: Incremental | None = None
    ledger: Ledger | None = None
    questions: dict[str, Question] = field(default_factory=dict)
    bodies: dict[str, Rounds] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)


class Scheduler:
    """Runs one plan over one list of values.

    Args:
        plan: What to run.
        values: The slots, inputs filled in.
        shared: What all schedulers of the run share.
        prefix: What stands before the ids in addresses; empty at the top.
    """

    def __init__(self, plan: Plan, values: list[Any], shared: Shared, prefix: str = "") -> None:
        self.plan = plan
        self.values = values
        self.shared = shared
        self.prefix = prefix
        self.parked: list[Step] = []
        """The steps that wait for a person."""
        self.again: set[int] = set()
        """The steps that waited and are called again."""
        self.stop = threading.Event()
        """Tells blocking nodes that nobody waits for them any more."""
        self.dropped: set[int] = set()
        """The steps that are for nothing since another branch came first."""
        self._record = shared.record
        self._plain = shared.memo is None and not shared.limits.given
        self._ledger = shared.ledger
        self.past = past_of(self)
        """What the ledger knows of the steps, from before this began."""
        self._waits = [step.waits for step in plan.steps]
        self._ready: deque[Step] = deque()
        self._held = [step for step in plan.steps if not step.waits]
        """Steps that could run but belong to a later region."""
        self._begun: set[int] = set()
        """The eager steps that are under way."""
        self._racing: dict[int, asyncio.Task[bool]] = {}
        for index, past in self.past.items():
            if past.done and plan.steps[index].eager:  # the branch that won before wins again
                self.dropped.update(plan.steps[index].rivals)
        self._last = plan.regions
        self._workers = Workers()
        self._stand_by = False
        """Another worker will get its turn as soon as the present one waits."""
        self._turn = perf_counter()

    async def run(self, region: int | None = None) -> None:
        """Runs everything, or up to a region, until nothing is left but what waits for people.

        Raises:
            NodeFailed: A node raised; its error is the cause.
        """
        self._last = self.plan.regions if region is None else region
        self._ready.extend(step for step in self._held if step.region <= self._last)
        self._held = [step for step in self._held if step.region > self._last]
        self._workers = Workers()
        self._workers.add(self._work())
        try:
            await self._workers.done()
        except BaseException:
            self.stop.set()
            raise

    def unpark(self) -> None:
        """Lets the steps that waited be called again, when answers have come."""
        self.again = {step.index for step in self.parked}
        self._held.extend(self.parked)
        self.parked = []

    async def _work(self) -> None:
        """Runs ready steps one after the other until there is none."""
        ready, racers = self._ready, self.plan.racers
        while ready:
            step = ready.popleft()
            if ready and not self._stand_by:
                self._stand_by = True
                self._workers.add(self._stand_in())
            done, past = True, self.past and self.past.get(step.index)
            if past and past.done:
                done = await recalled(self, step, past)
            elif step.optional and (reason := self._skipped(step)):
                self._record("node.skipped", self.prefix + step.node, {"reason": reason})
            elif step.index in racers:
                done = await self._race(step)
            elif step.plain and self._plain and not (past or (step.strict and self._ledger)):
                done = await self._run(step)
            else:
                done = await special(self, step)
            if _cancelled():  # and the node swallowed it
                raise asyncio.CancelledError
            if done:
                self._settle(step)
            if perf_counter() - self._turn > TURN:
                await asyncio.sleep(0)
                self._turn = perf_counter()

    async def _stand_in(self) -> None:
        """Gets its turn when the worker before it waits for something, and takes over the rest."""
        self._stand_by = False
        await self._work()

    def _settle(self, step: Step) -> None:
        """Lets what waited for a step begin."""
        waits, steps = self._waits, self.plan.steps
        for index in step.followers:
            waits[index] -= 1
            follower = steps[index]
            if not waits[index]:
                if index in self._begun:
                    continue
            elif not follower.eager or index in self._begun or not self._came(follower):
                continue
            if follower.eager:
                self._begun.add(index)
                self._drop(follower)
            if follower.region <= self._last:
                self._ready.append(follower)
            else:
                self._held.append(follower)

    def _skipped(self, step: Step) -> str:
        """Why the step is not computed: a required input is missing, or everything that feeds it is."""
        values, alive = self.values, False
        for bound in step.bound:
            for feed in bound.feeds:
                came = any(values[slot] is not MISSING for slot, _ in feed.slots)
                if not came and feed.required:
                    return f"nothing came to {feed.name!r}: the branch that feeds it was not taken"
                alive = alive or (came and feed.wired)
        return "" if alive else "no branch that feeds it was taken"

    # ---- one step -----------------------------------------------------------------------------------

    async def _run(self, step: Step) -> bool:
        """Runs a plain step; False where it waits for a person."""
        address = self.prefix + step.node
        again = self.again and step.index in self.again
        self._record("node.answered" if again else "node.started", address, None)
        began = perf_counter()
        since = time() if self._ledger else 0.0
        try:
            await self.call(step, address)
        except Paused as paused:
            return self.park(step, paused)
        except (Exception, asyncio.CancelledError, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001
            # exit() in a node ends the node alone, and so does a cancellation that is its own affair
            failure = self.failure(step, error, began)
            raise failure from failure.__cause__
        if self._ledger is not None:
            given, effect = outputs(step, self.values), step.cls.effect
            if step.live or not self._ledger.note(address, effect, given, since):
                await self.told(step, self._ledger.finished(address, effect, given, since, step.live), began)
        self._record("node.finished", address, (perf_counter() - began, self.given(step), None))
        return True

    async def call(
        self, step: Step, address: str, body: Body | None = None, stop: threading.Event | None = None
    ) -> None:
        """Calls the methods of a step and keeps what they give."""
        values = self.values
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
                    arguments[feed.name] = several(feed, values)
            if call.style == "async" and not call.context:
                value = await call.function(**arguments)
            else:
                context = Context(address, "text", self.shared.services, body, stop or self.stop)
                value = await invoke(call, arguments, context)
            if value is None and call.filled:
                raise nothing(call)
            self._keep(bound, value)

    async def told(self, step: Step, telling: Coroutine[Any, Any, None], began: float) -> None:
        """Waits until the ledger has it; where the run is stopped meanwhile, the step ends with that."""
        try:
            await telling
        except asyncio.CancelledError as error:
            raise self.failure(step, error, began) from None

    def park(self, step: Step, paused: Paused) -> bool:
        """Notes that a step waits for a person; always False."""
        if step.index not in self.dropped:
            self.parked.append(step)
            if paused.question is not None:
                address = self.prefix + step.node
                self.shared.questions[address] = paused.question
                self._record("node.asked", address, paused.question)
        return False

    def failure(self, step: Step, error: BaseException, began: float) -> BaseException:
        """Records the end of a step that raised, and gives what ends the others."""
        address, took = self.prefix + step.node, perf_counter() - began
        if isinstance(error, asyncio.CancelledError | RunCancelled) and self.stopping():
            if step.index in self.dropped:
                self._record("node.skipped", address, {"reason": "another branch came first"})
            else:
                self._record("node.stopped", address, (took, _blocks(step)))
            return asyncio.CancelledError()
        error = diagnosed(step, address, self.values, error)
        self._record("node.failed", address, (took, error))
        if isinstance(error, NodeFailed):  # of the body
            return error
        failed = NodeFailed(f"{address} failed: {error}", path=path_of(address))
        failed.__cause__ = error
        return failed

    def given(self, step: Step) -> Any:
        """What a finished step gave, for its event: values when it is read, a look at once in a body."""
        if not self.prefix:
            return partial(outputs, step, self.values)
        return {name: preview(value) for name, value in outputs(step, self.values).items()}

    def stopping(self) -> bool:
        """Whether the run, or the body that this is, comes to its end before its time."""
        return _cancelled() or self.shared.services.cancel.is_set() or self.stop.is_set()

    def _keep(self, bound: Bound, value: Any) -> None:
        values = self.values
        if bound.call.split:
            found = results(bound.call, value)
            for name, slot in bound.slots:
                values[slot] = found.get(name, MISSING)
        else:
            for _, slot in bound.slots:
                values[slot] = value

    # ---- the first branch that comes ------------------------------------------------------------------

    def _came(self, step: Step) -> bool:
        return any(
            self.values[slot] is not MISSING
            for bound in step.bound
            for feed in bound.feeds
            if feed.wired
            for slot, _ in feed.slots
        )

    async def _race(self, step: Step) -> bool:
        """Runs a step that may turn out to be for nothing."""
        if step.index in self.dropped:
            reason = {"reason": "another branch came first"}
            self._record("node.skipped", self.prefix + step.node, reason)
            return True
        task = self._racing[step.index] = asyncio.create_task(special(self, step))
        try:
            return await task
        except asyncio.CancelledError:
            if step.index not in self.dropped or _cancelled():
                raise
            return True
        finally:
            del self._racing[step.index]

    def _drop(self, eager: Step) -> None:
        self.dropped.update(eager.rivals)
        for index in eager.rivals:
            if index in self._racing:
                self._racing[index].cancel()
        for step in [step for step in self.parked if step.index in self.dropped]:
            self.parked.remove(step)
            self.shared.questions.pop(self.prefix + step.node, None)


def _blocks(step: Step) -> bool:
    """Whether a thread may go on with the step although nobody waits for it."""
    return any(b.call.style in ("sync", "iterator") and not b.call.inline for b in step.bound)


def _cancelled() -> bool:
    """Whether somebody cancelled this task: the run was stopped, or another node failed."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
