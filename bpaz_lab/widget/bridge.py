"""One open canvas: what it sends is done, and what happens is sent to it.

Structure goes both ways as operations; the problems and the inputs of a run follow a moment later,
when somebody has stopped typing; the events of a run go in batches of a sixtieth of a second.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from bpaz_lab.engine.cache import Refreshing, memory
from bpaz_lab.engine.events import as_json
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.errors import BpazError, DocumentError, InputError, JsonError
from bpaz_lab.graph.address import path_of
from bpaz_lab.graph.document import normal
from bpaz_lab.guard import strict_json
from bpaz_lab.guard.emit import emit
from bpaz_lab.widget import messages as m
from bpaz_lab.widget.look import GOING, Look, look, problem_of, splices
from bpaz_lab.widget.picture import picture
from bpaz_lab.widget.ports import PortsOfNodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.engine.run import Run
    from bpaz_lab.graph.history import Change
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.widget.host import Host

FRAME: Final = 1 / 60
"""Seconds between two batches of events."""

_REQUEST: Final[TypeAdapter[m.FromPage]] = TypeAdapter(m.FromPage)
_checker = ThreadPoolExecutor(1, thread_name_prefix="bpaz-check")


class Bridge:
    """Joins one workflow to one canvas.

    Args:
        host: The workflow.
        send: Sends a JSON message to the page, from any thread.
        show: Fills the output area with a value, masked with the run's secrets.
    """

    def __init__(
        self, host: Host, send: Callable[[dict[str, Any]], None], show: Callable[[Run, Any], None]
    ) -> None:
        self.id = uuid.uuid4().hex
        self._host = host
        self._send = send
        self._show = show
        self._lock = threading.RLock()
        self._ports = PortsOfNodes()
        self._looked = Look()
        self._opened = False
        self._checking = False
        self._run: Run | None = None
        self._position = 0
        self._flushing = False
        self._ends: list[Callable[[], None]] = [
            host.history.subscribe(self._changed),
            host.types.on_register(self._registered),
            host.on_run(self._started),
            host.on_pin(self._pinned),
        ]
        self._unwatch: Callable[[], None] | None = None

    def close(self) -> None:
        """Ends all subscriptions; the workflow and its run go on."""
        for end in self._ends:
            end()
        self._ends = []
        if self._unwatch is not None:
            self._unwatch()

    # ---- from the page ------------------------------------------------------------------------------

    def receive(self, content: Any) -> None:
        """Does what a message asks; what goes wrong is told to the page and raises nothing."""
        try:
            message = _REQUEST.validate_python(content)
            strict_json.compact(content)  # JavaScript sends NaN and Infinity, which no file could hold
        except (ValidationError, JsonError) as error:
            why = error.message if isinstance(error, JsonError) else error.errors()[0]["msg"]
            self._refuse(content, m.Problem(code="message", message=f"the message was not understood: {why}"))
            return
        if isinstance(message, m.Change):
            self._change(message)
            return
        try:
            self._do(message)
        except BpazError as error:
            self._tell(m.Failed(error=problem_of(error)))

    def _refuse(self, content: Any, problem: m.Problem) -> None:
        """Answers what was not understood; a change is taken back by the view that sent it."""
        id = content.get("id") if isinstance(content, dict) and content.get("type") == "change" else None
        if isinstance(id, str):
            self._tell(m.Refused(id=id, revision=self._host.history.revision, error=problem))
        else:
            self._tell(m.Failed(error=problem))

    def _do(self, message: m.FromPage) -> None:
        match message:
            case m.Undo() | m.Redo() | m.Extract() | m.Dissolve():
                self._edit(message)
            case m.Start() | m.Stop() | m.Answer() | m.Pin():
                self._steer(message)
            case m.Open():
                self._open()
            case m.Show():
                self._look(message)
            case m.Draw():
                host = self._host
                with host.history.lock:
                    document = normal(host.history.document)
                self._tell(m.Drawn(document=dict(document), picture=picture(document, host.types)))

    def _edit(self, message: m.Undo | m.Redo | m.Extract | m.Dissolve) -> None:
        host = self._host
        match message:
            case m.Undo():
                host.history.undo()
            case m.Redo():
                host.history.redo()
            case m.Extract():
                host.inside(*message.within).extract(message.nodes)
            case m.Dissolve():
                host.inside(*message.within).inline(message.node)

    def _steer(self, message: m.Start | m.Stop | m.Answer | m.Pin) -> None:
        host = self._host
        match message:
            case m.Start(inputs=inputs, target=target, only=only, since=since):
                cache = True if message.cache else Refreshing(memory())
                host.start(inputs, target=target, only=only, since=since, cache=cache)
            case m.Stop():
                if host.latest is not None:
                    host.latest.cancel()
            case m.Answer():
                if host.latest is None:
                    raise InputError("there is no run that waits for an answer", hint="Run the workflow.")
                host.latest.answer({message.address: message.answer})
            case m.Pin():
                node = host[message.node]
                _ = node.pin() if message.on else node.unpin()

    def _open(self) -> None:
        host, history = self._host, self._host.history
        host.settle()
        with history.lock:
            document = history.document
            looked = self._looked = look(host, self._looked)
            run, position = self._watch(host.latest)
            self._tell(
                m.Opened(
                    revision=history.revision,
                    document=dict(document),
                    catalogue=host.types.describe(),
                    ports=self._ports.all(document, host.types),
                    problems=looked.problems,
                    inputs=looked.inputs,
                    stale=looked.stale,
                    pinned=looked.pinned,
                    run=run,
                    can_undo=history.can_undo,
                    can_redo=history.can_redo,
                )
            )
            self._opened, self._position = True, position

    def _change(self, message: m.Change) -> None:
        try:
            self._host.apply(message.operations, origin=f"{self.id} {message.id}")  # type: ignore[arg-type]
        except BpazError as error:
            revision = self._host.history.revision
            self._tell(m.Refused(id=message.id, revision=revision, error=problem_of(error)))

    def _look(self, message: m.Show) -> None:
        run = self._host.latest
        place, path = f"{message.node}.{message.port}", path_of(message.node)
        lacking = DocumentError(
            f"{place} has no value yet", path=path, hint="Run the workflow up to this node."
        )
        if run is None:
            raise lacking
        try:
            value = run[message.node][message.port]
        except KeyError:
            raise lacking from None
        try:
            self._show(run, value)
        except Exception as error:  # noqa: BLE001 (a stranger's own display may raise anything)
            told = emit(f"{type(error).__name__}: {error}", run.masker)
            raise DocumentError(f"{place} cannot be shown: {told}", path=path) from None
        self._tell(m.Shown(node=message.node, port=message.port))

    # ---- to the page: structure ----------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        if not self._opened:
            return
        history = self._host.history
        mine, _, id = change.origin.partition(" ")
        self._tell(
            m.Changed(
                id=id if mine == self.id else "",
                revision=change.revision,
                operations=change.operations,
                ports=self._ports.touched(history.document, self._host.types, change.operations),
                can_undo=history.can_undo,
                can_redo=history.can_redo,
            )
        )
        self._check_soon()

    def _registered(self, cls: type[Node]) -> None:
        if not self._opened:
            return
        host = self._host
        with host.history.lock:
            ports = self._ports.registered(host.history.document, host.types, cls.__name__)
        self._tell(m.Registered(nodes=[cls.spec()], ports=ports))
        self._check_soon()

    def _pinned(self) -> None:
        if self._opened:
            self._check_soon()

    def _check_soon(self) -> None:
        """Checks in a thread of its own, once for all changes that come meanwhile."""
        with self._lock:
            if not self._checking:
                self._checking = True
                # A fault in the check is logged by the future, not lost with it.
                _checker.submit(self._check).add_done_callback(lambda checked: checked.result())

    def _check(self) -> None:
        with self._lock:
            self._checking = False
        history = self._host.history
        with history.lock:
            before, now = self._looked, look(self._host, self._looked)
            self._looked = now
            if now == before:
                return
            self._tell(
                m.Changed(
                    revision=history.revision,
                    operations=[],
                    problems=[m.ProblemSplice(**e) for e in splices(before.problems, now.problems)] or None,
                    inputs=[m.InputSplice(**e) for e in splices(before.inputs, now.inputs)] or None,
                    stale=now.stale if now.stale != before.stale else None,
                    pinned=now.pinned if now.pinned != before.pinned else None,
                    can_undo=history.can_undo,
                    can_redo=history.can_redo,
                )
            )

    # ---- to the page: runs ----------------------------------------------------------------------------

    def _started(self, run: Run) -> None:
        if self._opened:
            self._watch(run)
            self._position = 0
            self._wake()

    def _watch(self, run: Run | None) -> tuple[m.RunState | None, int]:
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        self._run = run
        if run is None:
            return None, 0
        self._unwatch = run.on_event(self._wake)
        events = run.events
        shown = [as_json(event) for event in events]
        return m.RunState(id=run.id, status=run.status, events=shown), len(events)

    def _wake(self) -> None:
        if not self._flushing:
            self._flushing = True
            runtime().call(runtime().loop.call_later, FRAME, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        run = self._run
        if run is None or not (events := run.events_since(self._position)):
            return
        self._position += len(events)
        shown = [as_json(event) for event in events]
        self._tell(m.Events(run=run.id, events=shown))
        if run.status not in GOING:
            self._check_soon()  # what is stale is another now

    def _tell(self, message: m.Message) -> None:
        self._send(message.model_dump(mode="json"))
