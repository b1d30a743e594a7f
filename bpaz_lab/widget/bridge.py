"""One open canvas: what it sends is done, and what happens is sent to it.

Structure goes both ways as operations; the problems and the inputs of a run follow a moment later,
when somebody has stopped typing; the events of a run go in batches of a sixtieth of a second.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from bpaz_lab.engine.runtime import runtime
from bpaz_lab.errors import BpazError, DocumentError, JsonError, MissingPackage
from bpaz_lab.graph.check import ports_of
from bpaz_lab.graph.document import normal
from bpaz_lab.guard import strict_json
from bpaz_lab.guard.emit import emit
from bpaz_lab.widget import messages as m
from bpaz_lab.widget.picture import picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bpaz_lab.engine.run import Run
    from bpaz_lab.graph.history import Change
    from bpaz_lab.graph.spec import Ports
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
        self._ports: dict[str, Ports] = {}
        self._problems: list[m.Problem] = []
        self._inputs: list[m.RunInput] = []
        self._opened = False
        self._checking = False
        self._run: Run | None = None
        self._position = 0
        self._flushing = False
        self._ends: list[Callable[[], None]] = [
            host.history.subscribe(self._changed),
            host.types.on_register(self._registered),
            host.on_run(self._started),
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
            self._tell(m.Failed(error=_problem(error)))

    def _refuse(self, content: Any, problem: m.Problem) -> None:
        """Answers what was not understood; a change is taken back by the view that sent it."""
        id = content.get("id") if isinstance(content, dict) and content.get("type") == "change" else None
        if isinstance(id, str):
            self._tell(m.Refused(id=id, revision=self._host.history.revision, error=problem))
        else:
            self._tell(m.Failed(error=problem))

    def _do(self, message: m.FromPage) -> None:
        host = self._host
        match message:
            case m.Open():
                self._open()
            case m.Undo():
                host.history.undo()
            case m.Redo():
                host.history.redo()
            case m.Start():
                host.start(message.inputs, target=message.target)
            case m.Stop():
                if host.latest is not None:
                    host.latest.cancel()
            case m.Show():
                self._look(message)
            case m.Draw():
                with host.history.lock:
                    document = normal(host.history.document)
                self._tell(m.Drawn(document=dict(document), picture=picture(document, host.types)))

    def _open(self) -> None:
        host, history = self._host, self._host.history
        host.settle()
        with history.lock:
            document = history.document
            own = ((id, self._own_ports(id)) for id in document["nodes"])
            self._ports = {id: ports for id, ports in own if ports is not None}
            self._problems, self._inputs = self._checked()
            run, position = self._watch(host.latest)
            self._tell(
                m.Opened(
                    revision=history.revision,
                    document=dict(document),
                    catalogue=host.types.describe(),
                    ports=self._ports,
                    problems=self._problems,
                    inputs=self._inputs,
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
            self._tell(m.Refused(id=message.id, revision=revision, error=_problem(error)))

    def _look(self, message: m.Show) -> None:
        run = self._host.latest
        outputs = {} if run is None else run.outputs
        place = f"{message.node}.{message.port}"
        if run is None or place not in outputs:
            raise DocumentError(
                f"{place} has no value yet",
                path=f"nodes.{message.node}",
                hint="Run the workflow up to this node.",
            )
        try:
            self._show(run, outputs[place])
        except Exception as error:  # noqa: BLE001 (a stranger's own display may raise anything)
            told = emit(f"{type(error).__name__}: {error}", run.masker)
            raise DocumentError(f"{place} cannot be shown: {told}", path=f"nodes.{message.node}") from None
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
                ports=self._fresh_ports(_touched(change)),
                can_undo=history.can_undo,
                can_redo=history.can_redo,
            )
        )
        self._check_soon()

    def _registered(self, cls: type[Node]) -> None:
        if not self._opened:
            return
        with self._host.history.lock:
            nodes = self._host.history.document["nodes"]
            ports = self._fresh_ports(id for id, entry in nodes.items() if entry["type"] == cls.__name__)
        self._tell(m.Registered(nodes=[cls.spec()], ports=ports))
        self._check_soon()

    def _own_ports(self, id: str) -> Ports | None:
        """The ports of a node where they are not those of its spec."""
        document = self._host.history.document
        if id not in document["nodes"]:
            return None
        spec = self._host.types.spec(document["nodes"][id]["type"])
        return ports_of(document, id, self._host.types) if spec is None or spec.dynamic else None

    def _fresh_ports(self, ids: Iterable[str]) -> dict[str, Ports]:
        found = {}
        for id in ids:
            ports = self._own_ports(id)
            if ports is not None and ports != self._ports.get(id):
                found[id] = self._ports[id] = ports
        return found

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
            problems, inputs = self._checked()
            changed = m.Changed(
                revision=history.revision,
                operations=[],
                problems=[m.ProblemSplice(**each) for each in _splices(self._problems, problems)] or None,
                inputs=[m.InputSplice(**each) for each in _splices(self._inputs, inputs)] or None,
                can_undo=history.can_undo,
                can_redo=history.can_redo,
            )
            self._problems, self._inputs = problems, inputs
            if changed.problems is not None or changed.inputs is not None:
                self._tell(changed)

    def _checked(self) -> tuple[list[m.Problem], list[m.RunInput]]:
        problems = [_problem(problem) for problem in self._host.validate()]
        try:
            inputs = [_input(each) for each in self._host.inputs if _asked(each)]
        except DocumentError:  # among the problems already
            inputs = self._inputs
        except MissingPackage as error:
            problems, inputs = [*problems, _problem(error)], self._inputs
        return problems, inputs

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
        shown = [event.model_dump(mode="json") for event in events]
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
        shown = [event.model_dump(mode="json") for event in events]
        self._tell(m.Events(run=run.id, events=shown))

    def _tell(self, message: m.Message) -> None:
        self._send(message.model_dump(mode="json"))


def _splices(before: Sequence[m.Message], after: Sequence[m.Message]) -> list[dict[str, Any]]:
    """What turns one list into the other: a thousand nodes have long lists, and an edit changes little."""
    if before == after:
        return []
    one, other = ([each.model_dump_json() for each in side] for side in (before, after))
    codes = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return [
        {"at": start, "remove": end - start, "insert": after[low:high]}
        for kind, start, end, low, high in codes
        if kind != "equal"
    ]


def _problem(error: BpazError) -> m.Problem:
    return m.Problem(**error.to_dict())


def _asked(each: Any) -> bool:
    """Whether the canvas asks a person for this input; others have their form or their default."""
    return each.port.source == "run" or (each.port.required and not each.has_default)


def _input(each: Any) -> m.RunInput:
    return m.RunInput(
        name=each.name,
        node=each.node,
        port=each.port.name,
        title=each.port.title or each.name,
        tag=each.port.tag,
        required=each.port.required and not each.has_default,
        default=each.default,
    )


def _touched(change: Change) -> list[str]:
    found: dict[str, None] = {}
    for operation in change.operations:
        if "edge" in operation:
            found.update(dict.fromkeys(end.partition(".")[0] for end in operation["edge"]))
        elif operation["path"][0] == "nodes" and len(operation["path"]) > 1:
            found[operation["path"][1]] = None
    return list(found)
