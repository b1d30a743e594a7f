"""Executions that the server gives to this kernel: each runs as any other run, and is told to the server.

The server says the number of an execution; what is to be run, this kernel fetches from it. Each execution
has a thread that talks to the server, so neither cells nor other executions wait. Events go out at once;
what comes while a request is under way goes with the next one. While the server or its database is away,
the run goes on and its events wait.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.hosted_outcome import ended, fitting, refused, waiting
from bpaz_lab.api.hosted_work import prepared
from bpaz_lab.engine.events import as_json
from bpaz_lab.errors import (
    BpazError,
    Conflict,
    InputError,
    RunError,
    ServerUnavailable,
    StoreError,
    Throttled,
    TooLarge,
)

if TYPE_CHECKING:
    from bpaz_lab.api.transport import Transport
    from bpaz_lab.engine.run import Run

BEAT: Final = 5.0
"""Seconds after which a silent execution tells that it is there, and hears whether it is to stop."""
PATIENCE: Final = 900.0
"""Seconds that a server may be away."""
MOST: Final = 128
"""Events of one request, fewer than a listener's queue holds."""
ROOM: Final = 2**20
"""Bytes of values of one request."""
AWAY: Final = (ServerUnavailable, StoreError, Throttled)

_log = logging.getLogger(__name__)
_hosted: dict[str, Hosted] = {}


def start(execution_id: str, transport: Transport | None = None) -> None:
    """Takes over an execution and runs it; returns at once.

    Args:
        execution_id: The execution, which the server has given to this kernel.
        transport: The server; by default the one that this kernel belongs to.

    Raises:
        ServerUnavailable: This kernel belongs to no server.
    """
    hosted = Hosted(execution_id, transport or _own_server())
    _hosted[execution_id] = hosted
    threading.Thread(target=hosted.go, name=f"bpaz-execution-{execution_id[:8]}", daemon=True).start()


def cancel(execution_id: str) -> None:
    """Stops an execution of this kernel at its next await."""
    if hosted := _hosted.get(execution_id):
        hosted.cancel()


def answer(execution_id: str) -> None:
    """Has an execution fetch the answers that it waits for."""
    if hosted := _hosted.get(execution_id):
        hosted.wake()


class Hosted:
    """One execution.

    Args:
        id: Its id.
        server: Who gave it.
    """

    def __init__(self, id: str, server: Transport) -> None:
        self.id = id
        self._server = server
        self._woken = threading.Event()
        self._cancelled = False
        self._run: Run | None = None
        self._most, self._room = MOST, ROOM
        self._sent = 0
        self._asked: dict[str, Any] = {}

    def wake(self) -> None:
        """Something is to be told, or to be heard."""
        self._woken.set()

    def cancel(self) -> None:
        """Stops the run, now or as soon as there is one."""
        if not self._cancelled:
            self._cancelled = True
            if self._run is not None:
                self._run.cancel()

    def go(self) -> None:
        """Runs the execution and tells about it until it has ended."""
        try:
            work = self._ask("claim", {})
            self._room = min(ROOM, work["body_limit"] // 4)
            self._tell(work)
        except Exception as error:  # noqa: BLE001 (whatever it is, somebody waits for this execution)
            self._give_up(error)
        finally:
            _hosted.pop(self.id, None)

    def _tell(self, work: dict[str, Any]) -> None:
        try:
            run = prepared(work, self._server)
        except BpazError as error:
            self._ask("events", refused(error))
            return
        except Exception as error:  # noqa: BLE001 (a stranger's node type may raise anything)
            self._ask(
                "events", refused(RunError(f"the run could not begin: {type(error).__name__}: {error}"))
            )
            return
        self._run = run
        leave = run.on_event(self.wake)
        run.start()
        if self._cancelled:
            run.cancel()
        try:
            self._follow(run)
        finally:
            leave()

    def _give_up(self, error: Exception) -> None:
        """Stops what the server cannot be told about, and says so if that can be told."""
        _log.warning("execution %s cannot be told to the server: %s", self.id, error)
        if self._run is not None:
            self._run.cancel()
        told = error.message if isinstance(error, BpazError) else f"{type(error).__name__}: {error}"
        failure = RunError(f"the run was stopped, since it could not be told about: {told}")
        try:
            self._ask("events", refused(failure, self._sent))
        except BpazError as again:
            _log.warning("execution %s is left to the server: %s", self.id, again)

    def _follow(self, run: Run) -> None:
        while True:
            self._woken.clear()
            told, last = self._batch(run, self._sent)
            try:
                heard = self._ask("events", told)
            except TooLarge:
                if self._most == 1 and self._room < 1024:
                    raise
                self._most, self._room = max(1, self._most // 2), self._room // 2
                continue
            except Conflict as error:  # an answer got lost, and the server has more than was known here
                self._sent = int((error.current or {})["received"])
                continue
            self._sent = heard["received"]
            if heard["over"]:
                run.cancel()
                return
            if last == "run.finished" and self._sent == len(run._record):
                return
            if heard["cancel"]:
                self.cancel()
            if heard["answers"]:
                self._answer(run, heard["answers"])
            if self._sent == len(run._record):
                self._woken.wait(BEAT)

    def _batch(self, run: Run, sent: int) -> tuple[dict[str, Any], str]:
        """What to tell next, and what the last event of it is."""
        events = [fitting(as_json(each)) for each in run._record.read(sent, sent + self._most)]
        for event in events:
            if event["type"] == "node.asked":
                self._asked[event["node"]] = event["question"]
        last = events[-1]["type"] if events else ""
        told: dict[str, Any] = {"events": events}
        if last in ("run.paused", "run.finished"):
            run.wait()  # the event comes a moment before the run rests
        if last == "run.finished":
            told["outcome"] = ended(run, events[-1], self._room)
        elif last == "run.paused":
            told["outcome"] = waiting({name: self._asked[name] for name in events[-1]["nodes"]})
        elif any(event["type"] == "run.resumed" for event in events):
            told["outcome"] = {"status": "running"}
        return told, last

    def _answer(self, run: Run, answers: dict[str, Any]) -> None:
        if run.status != "paused":  # it was told so before
            return
        try:
            run.answer(answers)
        except InputError as error:
            _log.warning("execution %s cannot take its answer and is stopped: %s", self.id, error)
            self.cancel()

    def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request, again and again while the server or its database is away."""
        from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

        again = Retrying(
            retry=retry_if_exception_type(AWAY),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            stop=stop_after_delay(PATIENCE),
            reraise=True,
        )
        told: dict[str, Any] = again(
            self._server.call, "POST", f"executions/{self.id}/{what}", body=body if what == "events" else None
        )
        return told


def _own_server() -> Transport:
    from bpaz_lab.api.kernel_login import own_server

    found = own_server()
    if found is None:
        raise ServerUnavailable(
            "this kernel belongs to no Jupyter server with bpaz_lab",
            hint="Is BPAZ_SERVER_URL set? The server's extension sets it.",
        )
    return found
