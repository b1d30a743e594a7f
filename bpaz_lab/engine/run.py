"""A run: what ``wf.start()`` gives back, to watch, to stop and to read.

It goes on in the engine's thread; every method here may be called from any thread.
"""

from __future__ import annotations

import asyncio
import threading
import traceback
import uuid
from concurrent.futures import Future
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.answers import checked
from bpaz_lab.engine.budget import Meter
from bpaz_lab.engine.durable import Durable
from bpaz_lab.engine.inputs import fill
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.otel import tracing
from bpaz_lab.engine.reading import Reading
from bpaz_lab.engine.record import Record
from bpaz_lab.engine.regions import compiled, run_through_langgraph
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.engine.scheduler import Scheduler, Shared
from bpaz_lab.engine.slots import MISSING
from bpaz_lab.errors import (
    BpazError,
    InputError,
    NodeFailed,
    RequestError,
    RunCancelled,
    RunError,
    RunTimeout,
    StoreError,
)
from bpaz_lab.guard.emit import quiet_loggers
from bpaz_lab.nodes.memory._sessions import PROCESS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bpaz_lab.engine.events import Status
    from bpaz_lab.engine.plan import Plan
    from bpaz_lab.nodes.context import Question


class Run(Durable, Reading):
    """One run of one plan.

    Attributes:
        id: A unique name.
        status: pending, running, paused, completed, failed or cancelled.
        duration: Seconds from the beginning to the end, or until now.
        error: Why it failed: a ``RunError``, or what went wrong with the ledger of a durable run; None while
            it has not.
    """

    def __init__(self, plan: Plan, inputs: Mapping[str, Any], options: Options) -> None:
        self.id = options.run_id or uuid.uuid4().hex
        self.status: Status = "pending"
        self.error: BpazError | None = None
        self.duration = 0.0
        self._plan = plan
        self._options = options
        self._services = options.services
        self._services.run_id = self.id
        self._inputs = inputs
        self._values: list[Any] = [MISSING] * plan.size
        fill(plan, inputs, self._values)
        for step in plan.steps:
            for port, value in options.given.get(step.node, {}).items():
                if port in step.slots:
                    self._values[step.slots[port]] = value
        self._asked = _question(plan, inputs) if self._services.session else ""
        self._record = Record(self._services.masker, options.first)
        self._shared = Shared(self._services, self._add, options.limits, options.memo, options.ledger)
        self._scheduler = Scheduler(plan, self._values, self._shared)
        self._done = threading.Event()
        self._rest = threading.Event()
        """Set while the run does not go on: it is over, or waits for a person."""
        self._fault: BpazError | None = None
        told = options.budget
        self._meter = told if told is None or isinstance(told, Meter) else Meter(told)
        self._task: asyncio.Task[None] | None = None
        self._future: Future[None] | None = None
        self._services.emit = self._told
        if options.ledger is not None:
            options.ledger.on_fault = self._broke
            options.ledger.masked(self._services.masker)
            self._count(options.ledger)

    def __repr__(self) -> str:
        return f"<Run {self.id[:8]} of {self._plan.name!r}: {self.status}, {self.duration:.2f} s>"

    # ---- going ------------------------------------------------------------------------------------

    def start(self) -> Run:
        """Starts the run and returns at once."""
        if self._through_langgraph:
            compiled(self._plan.regions)  # the first import of LangGraph takes seconds: not on the loop
        self._begin()
        self._future = runtime().submit(self._go())
        return self

    async def here(self) -> Run:
        """Runs to the end on the engine's own loop, for who is on it already."""
        self._begin()
        self._future = Future()
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        await self._go()
        while task.cancelling() > before:  # the run was stopped, and not who waits for it
            task.uncancel()
        self._future.set_result(None)
        return self

    def _begin(self) -> None:
        # In the caller's thread: who reads the events has the first at once, and need not wait until the
        # engine's thread leaves the interpreter to others.
        self._trace = tracing()
        self._record.began = perf_counter()
        names = [step.node for step in self._plan.steps]
        if self._options.first:
            self._record.add("run.resumed", "", {})
            return
        self._record.add("run.started", "", {"run": self.id, "workflow": self._plan.name, "nodes": names})

    @property
    def questions(self) -> dict[str, Question]:
        """What the run waits for: the questions of its nodes, by address."""
        return dict(self._shared.questions)

    def answer(self, answers: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Gives the answers that a paused run waits for and lets it go on; returns at once.

        Args:
            answers: The answer, where there is one question; else answers by address. Questions that are
                left out are asked again.
            named: The fields of the answer by name, where there is one question.

        Raises:
            InputError: The run does not wait, an address is unknown, or an answer does not fit its form;
                the run waits on.
        """
        if self.status != "paused":
            raise InputError(
                f"the run waits for no answer: it is {self.status}", hint="run.questions says what it asks."
            )
        for address, answer in checked(self._shared.questions, {**(answers or {}), **named}).items():
            self._services.answers.setdefault(address, []).append(answer)
            del self._shared.questions[address]
        self.status = "running"
        self._rest.clear()
        self._scheduler.unpark()
        self._future = runtime().submit(self._go())
        return self

    def resume(self, answers: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Answers as ``answer`` does, and waits until the run ends or asks again.

        Raises:
            InputError: An answer does not fit; the run waits on.
            RunError: The run failed or was cancelled.

        Example:
            ``run.resume(approve=True)``
        """
        return self.answer(answers, **named).wait().raise_for_status()

    async def aresume(self, answers: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Like ``resume``, without blocking the caller's loop."""
        return (await self.answer(answers, **named).done()).raise_for_status()

    def wait(self, timeout: float | None = None) -> Run:
        """Waits until the run ends or waits for a person; Ctrl-C cancels it and is raised again.

        Raises:
            RunError: Called on the engine's own thread, where it would wait for ever.
            TimeoutError: It took longer than ``timeout`` seconds; the run goes on.
        """
        if runtime().here:
            raise RunError(
                "a node cannot wait for a run on the engine's thread", hint="Use: await wf.arun(...)"
            )
        try:
            if not self._rest.wait(timeout):
                raise TimeoutError(f"{self!r} is not done after {timeout} s")
        except KeyboardInterrupt:
            self.abandon()
            raise
        return self

    def abandon(self) -> None:
        """Stops the run and waits for its end, which comes at the next await."""
        self.cancel()
        if self._future is not None:
            self._done.wait()

    async def done(self) -> Run:
        """Waits for the end in the caller's own loop; cancelling the caller cancels the run."""
        assert self._future is not None
        try:
            await asyncio.shield(asyncio.wrap_future(self._future))
        except asyncio.CancelledError:
            self.cancel()
            raise
        return self

    def cancel(self) -> None:
        """Stops the run at the next await; a blocking node is left behind and its result dropped."""
        self._services.cancel.set()
        if self.status == "paused":
            self._rest.clear()
            self._future = runtime().submit(self._go())
        elif not self._done.is_set():
            runtime().call(self._cancel)

    def raise_for_status(self) -> Run:
        """Raises the error of a failed or cancelled run, with the run attached; else returns the run."""
        if self.error is not None:
            raise self.error from self.error.__cause__
        return self

    # ---- on the engine's loop ----------------------------------------------------------------------

    async def _go(self) -> None:
        self._task = asyncio.current_task()
        began = perf_counter()
        add = self._record.add
        if self.status != "pending":
            add("run.resumed", "", {})
        self.status = "running"
        try:
            with quiet_loggers(), self._deadline():
                async with asyncio.timeout(self._options.timeout):
                    waits = await self._run()
            await self._rested()
            status: Status = "paused" if waits else "completed"
        except BaseException as error:  # noqa: BLE001 (every end of a run is told, then told apart)
            status, self.error = self._ended(error)
            self._services.cancel.set()  # blocking nodes that look now and then
            await self._left()
        self.duration += perf_counter() - began
        self.status = status
        if status == "completed":
            self._remember()
        if status == "paused":
            add("run.paused", "", {"nodes": list(self._shared.questions)})
        else:
            add("run.finished", "", self._finished)
            if self._trace is not None:
                self._trace(self.events)
            self._shared.questions.clear()
            self._done.set()
        self._rest.set()
        self._record.wake()

    def _remember(self) -> None:
        """Keeps question and answer for the next run of the session, where no store does."""
        if self._asked and self._services.history is None and isinstance(self.output, str):
            PROCESS.add(self._services.session, self._asked, self.output)

    async def _run(self) -> bool:
        """Whether somebody must answer before it can end."""
        if self._services.cancel.is_set() or self._fault is not None:
            raise asyncio.CancelledError
        if self._options.ledger is not None:
            await self._options.ledger.begin(self._inputs, self._options.given)
        if self._through_langgraph:
            await run_through_langgraph(self._scheduler, self._plan.regions, self.id)
        else:
            await self._scheduler.run()
        return bool(self._scheduler.parked)

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Tells the nodes that the time is up; some swallow the cancellation, or block a thread."""
        if self._options.timeout is None:
            yield
            return
        alarm = runtime().loop.call_later(self._options.timeout, self._services.cancel.set)
        try:
            yield
        finally:
            alarm.cancel()

    @property
    def _through_langgraph(self) -> bool:
        return self._options.through == "langgraph"

    def _ended(self, error: BaseException) -> tuple[Status, BpazError]:
        if self._fault is None and isinstance(error, InputError | StoreError | RequestError):
            self._fault = error  # of the ledger; those of nodes are NodeFailed
        if self._fault is not None:
            if isinstance(self._fault, RunError):
                self._fault.run = self
            return "failed", self._fault
        if isinstance(error, NodeFailed):
            return "failed", self._failed(error)
        if isinstance(error, asyncio.CancelledError):
            return "cancelled", RunCancelled("the run was stopped", run=self)
        if isinstance(error, TimeoutError):
            return "failed", RunTimeout(
                f"the run took longer than {self._options.timeout:g} s",
                hint="Pass a longer timeout=, or look at run.events to see what took so long.",
                run=self,
            )
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        failure = RunError(f"the engine failed: {type(error).__name__}: {error}", run=self)
        failure.__cause__ = error
        return "failed", failure

    def _failed(self, error: NodeFailed) -> NodeFailed:
        cause = error.__cause__
        assert cause is not None
        told = self._record.failure(cause, error.path)
        where = error.path.removeprefix("nodes.").replace(".body.nodes.", "/")
        failed = NodeFailed(f"{where} failed: {told.message}", hint=told.hint, path=error.path, run=self)
        failed.__cause__ = cause if self._shows_no_secret(cause) else None
        return failed

    def _shows_no_secret(self, cause: BaseException) -> bool:
        """Whether a notebook may print the original exception; some providers echo the key."""
        told = "".join(traceback.format_exception(cause))
        return self.masker.text(told) == told

    def _finished(self) -> dict[str, Any]:
        output = self.output
        return {
            "status": self.status,
            "duration": self.duration,
            "output": None if output is None else self._record.look(output),
            "usage": self.usage if self._record.usage else None,
            "saved": self.saved if self.saved.nodes else None,
            "error": None if self.error is None else self._record.failure(self.error),
        }

    def _add(self, kind: str, node: str, data: Any) -> None:
        if self._record._streams:
            self._record.release(node)
        self._record.add(kind, node, data)

    def _told(self, kind: str, node: str, data: dict[str, Any]) -> None:
        if runtime().here:
            self._tell(kind, node, data)
        else:
            runtime().call(self._tell, kind, node, data)

    def _tell(self, kind: str, node: str, data: dict[str, Any]) -> None:
        if self._meter is not None and self._fault is None:
            self._fault = self._meter.told(kind, node, data)
            if self._fault is not None:
                self._services.cancel.set()
                self._cancel()
        if kind == "usage":
            for each in (self._options.memo, self._options.ledger):
                if each is not None:
                    each.used(node, data["model"], data["input_tokens"], data["output_tokens"])
        if not self._done.is_set():  # a blocking node that was left behind may talk on
            self._record.told(kind, node, data)

    def _cancel(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()


def _question(plan: Plan, inputs: Mapping[str, Any]) -> str:
    """The first text that the run is given for a person's words; empty where there is none."""
    for each in plan.inputs:
        said = inputs.get(each.name, inputs.get(f"{each.node}.{each.name}"))
        if each.port.source == "run" and isinstance(said, str):
            return said
    return ""


def start(plan: Plan, inputs: Mapping[str, Any], options: Options | None = None) -> Run:
    """Starts a run of a plan.

    Raises:
        InputError: An input is unknown, ambiguous or missing; nothing was started.
    """
    return Run(plan, inputs, options or Options()).start()
