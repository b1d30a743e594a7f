"""A run: what ``wf.start()`` gives back, to watch, to stop and to read.

It goes on in the engine's thread; every method here may be called from any thread.
"""

from __future__ import annotations

import asyncio
import threading
import traceback
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from bpaz_lab.engine.inputs import fill
from bpaz_lab.engine.preview import preview
from bpaz_lab.engine.record import Record
from bpaz_lab.engine.regions import compiled, run_directly, run_through_langgraph
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.engine.scheduler import MISSING, Scheduler
from bpaz_lab.errors import NodeFailed, RunCancelled, RunError, RunTimeout
from bpaz_lab.guard.emit import emit, quiet_loggers
from bpaz_lab.guard.suggest import closest
from bpaz_lab.nodes.context import Services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from concurrent.futures import Future

    from bpaz_lab.engine.events import Status, Usage
    from bpaz_lab.engine.plan import Plan, Step
    from bpaz_lab.guard.mask import Masker

Through = Literal["auto", "direct", "langgraph"]


@dataclass(slots=True)
class Options:
    """How a run goes, apart from what it computes.

    Attributes:
        timeout: Seconds that the run may take; None for no limit.
        through: ``langgraph`` runs each region as a LangGraph node, ``direct`` without; ``auto`` takes
            LangGraph where there are boundaries between regions.
        services: What the nodes may ask of the outside.
    """

    timeout: float | None = None
    through: Through = "auto"
    services: Services = field(default_factory=Services)


class NodeOutputs(dict[str, Any]):
    """The outputs of one node by port; a wrong name tells the right ones."""

    def __init__(self, node: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.node = node

    def __missing__(self, port: str) -> Any:
        hint = closest(port, self) or f"It has: {', '.join(self) or 'none'}."
        raise KeyError(f"{self.node} gave no output {port!r} in this run. {hint}")


class Run:
    """One run of one plan.

    Attributes:
        id: A unique name.
        status: pending, running, paused, completed, failed or cancelled.
        duration: Seconds from the beginning to the end, or until now.
        error: Why it failed; None while it has not.
    """

    def __init__(self, plan: Plan, inputs: Mapping[str, Any], options: Options) -> None:
        self.id = uuid.uuid4().hex
        self.status: Status = "pending"
        self.error: RunError | None = None
        self.duration = 0.0
        self._plan = plan
        self._options = options
        self._services = options.services
        self._values: list[Any] = [MISSING] * plan.size
        fill(plan, inputs, self._values)
        self._record = Record(self._services.masker, self._given)
        self._done = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._future: Future[None] | None = None
        self._services.emit = self._told

    def __repr__(self) -> str:
        return f"<Run {self.id[:8]} of {self._plan.name!r}: {self.status}, {self.duration:.2f} s>"

    # ---- going ------------------------------------------------------------------------------------

    def start(self) -> Run:
        """Starts the run and returns at once."""
        if self._through_langgraph:
            compiled(self._plan.regions)  # the first import of LangGraph takes seconds: not on the loop
        self._future = runtime().submit(self._go())
        return self

    def wait(self, timeout: float | None = None) -> Run:
        """Waits for the end; Ctrl-C cancels the run and is raised again.

        Raises:
            RunError: Called on the engine's own thread, where it would wait for ever.
            TimeoutError: It took longer than ``timeout`` seconds; the run goes on.
        """
        if runtime().here:
            raise RunError(
                "a node cannot wait for a run on the engine's thread", hint="Use: await wf.arun(...)"
            )
        try:
            if not self._done.wait(timeout):
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
        if not self._done.is_set():
            runtime().call(self._cancel)

    def raise_for_status(self) -> Run:
        """Raises the error of a failed or cancelled run, with the run attached; else returns the run."""
        if self.error is not None:
            raise self.error from self.error.__cause__
        return self

    # ---- looking ----------------------------------------------------------------------------------

    @property
    def events(self) -> list[Any]:
        """What happened so far, typed (see ``engine/events.py``)."""
        return self._record.since()

    def events_since(self, position: int) -> list[Any]:
        """The events from a sequence number on."""
        return self._record.since(position)

    @property
    def masker(self) -> Masker:
        """Knows the secrets of this run; what shows its values goes through it."""
        return self._services.masker

    @property
    def usage(self) -> Usage:
        """The tokens that models reported."""
        return self._record.total()

    @property
    def outputs(self) -> dict[str, Any]:
        """Every computed output by ``node.port``; a branch not taken is missing."""
        return {
            port: self._values[slot]
            for port, slot in self._plan.slots.items()
            if self._values[slot] is not MISSING
        }

    @property
    def output(self) -> Any:
        """What End or ChatOutput took, else the main output of the only sink.

        Of several ends that were reached it is a dict by node; None when none was.
        """
        found = {
            node: self._values[slot]
            for node, slot in self._plan.ends.items()
            if self._values[slot] is not MISSING
        }
        return next(iter(found.values())) if len(found) == 1 else (found or None)

    def __getitem__(self, node: str) -> NodeOutputs:
        nodes = [step.node for step in self._plan.steps]
        if node not in nodes:
            hint = closest(node, nodes) or f"It computed: {', '.join(nodes)}."
            raise KeyError(f"the run did not compute the node {node!r}. {hint}")
        start = f"{node}."
        return NodeOutputs(
            node, {port.removeprefix(start): v for port, v in self.outputs.items() if port.startswith(start)}
        )

    def stream(self) -> Iterator[Any]:
        """Events as they come, until the end; closing the iterator early cancels the run."""
        woken = threading.Event()
        stop = self._record.on_event(woken.set)
        position = 0
        try:
            while True:
                woken.clear()
                over = self._done.is_set()
                for each in self._record.read(position):
                    position += 1
                    yield each
                if over:
                    return
                woken.wait()
        finally:
            stop()
            if not self._done.is_set():
                self.cancel()

    async def astream(self) -> AsyncIterator[Any]:
        """Events as they come, in the caller's own loop; closing it early cancels the run."""
        loop, woken, armed = asyncio.get_running_loop(), asyncio.Event(), [True]

        def wake() -> None:
            if armed[0]:
                armed[0] = False
                loop.call_soon_threadsafe(woken.set)

        stop = self._record.on_event(wake)
        position = 0
        try:
            while True:
                woken.clear()
                armed[0] = True
                over = self._done.is_set()
                for each in self._record.read(position):
                    position += 1
                    yield each
                if over:
                    return
                if len(self._record) == position and not self._done.is_set():
                    await woken.wait()
        finally:
            stop()
            if not self._done.is_set():
                self.cancel()

    def on_event(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake`` at each event, on the engine's thread; returns what ends that."""
        return self._record.on_event(wake)

    # ---- on the engine's loop ----------------------------------------------------------------------

    async def _go(self) -> None:
        self._task = asyncio.current_task()
        self._record.began = began = perf_counter()
        self.status = "running"
        add = self._record.add
        names = [step.node for step in self._plan.steps]
        add("run.started", "", {"run": self.id, "workflow": self._plan.name, "nodes": names})
        try:
            with quiet_loggers(), self._deadline():
                async with asyncio.timeout(self._options.timeout):
                    await self._run()
            self.status = "completed"
        except BaseException as error:  # noqa: BLE001 (every end of a run is told, then told apart)
            self.status, self.error = self._ended(error)
        self.duration = perf_counter() - began
        add("run.finished", "", self._finished)
        self._done.set()
        for wake in list(self._record._wakers):
            wake()

    async def _run(self) -> None:
        if self._services.cancel.is_set():
            raise asyncio.CancelledError
        scheduler = Scheduler(self._plan, self._values, self._services, self._add)
        if self._through_langgraph:
            await run_through_langgraph(scheduler, self._plan.regions)
        else:
            await run_directly(scheduler, self._plan.regions)

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
        through = self._options.through
        return through == "langgraph" or (through == "auto" and self._plan.regions > 1)

    def _ended(self, error: BaseException) -> tuple[Status, RunError]:
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
        node = error.path.removeprefix("nodes.")
        told = self._record.failure(cause, node)
        failed = NodeFailed(f"{node} failed: {told.message}", hint=told.hint, path=error.path, run=self)
        failed.__cause__ = cause if self._shows_no_secret(cause) else None
        return failed

    def _shows_no_secret(self, cause: BaseException) -> bool:
        """Whether a notebook may print the original exception; some providers echo the key."""
        told = "".join(traceback.format_exception(cause))
        return self.masker.text(told) == told

    def _finished(self) -> dict[str, Any]:
        output = self.output
        shown = None if output is None else emit(preview(output).model_dump(), self.masker)
        return {
            "status": self.status,
            "duration": self.duration,
            "output": shown,
            "usage": self.usage if self._record.usage else None,
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
        if not self._done.is_set():  # a blocking node that was left behind may talk on
            self._record.told(kind, node, data)

    def _given(self, step: Step) -> dict[str, Any]:
        return {
            name: self._values[slot]
            for bound in step.bound
            for name, slot in bound.slots
            if self._values[slot] is not MISSING
        }

    def _cancel(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()


def start(plan: Plan, inputs: Mapping[str, Any], options: Options | None = None) -> Run:
    """Starts a run of a plan.

    Raises:
        InputError: An input is unknown, ambiguous or missing; nothing was started.
    """
    return Run(plan, inputs, options or Options()).start()
