"""One execution in this kernel: runs, and is told to the server until it has ended.

Events go out at once; what comes while a request is under way goes with the next one. While the server or
its database is away, the run goes on and its events wait. Where somebody else goes on with the execution,
the run stops and nothing more is told.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.hosted.outcome import ended, fitting, refused, waiting
from bpaz_lab.api.hosted.wire import patiently
from bpaz_lab.api.hosted.work import prepared
from bpaz_lab.engine.events import as_json
from bpaz_lab.engine.journal import Journal
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.errors import (
    BpazError,
    Conflict,
    InputError,
    JsonError,
    LeaseLost,
    NotFound,
    RunError,
    TooLarge,
)
from bpaz_lab.guard import strict_json

if TYPE_CHECKING:
    from bpaz_lab.api.hosted.wire import Wire
    from bpaz_lab.engine.run import Run

MOST: Final = 128
"""Events of one request, fewer than a listener's queue holds."""
ROOM: Final = 2**20
"""Bytes of values of one request."""

_log = logging.getLogger(__name__)


class Hosted:
    """One execution.

    Args:
        id: Its id.
        wire: The way to who is told.
    """

    def __init__(self, id: str, wire: Wire) -> None:
        self.id = id
        self._wire = wire
        self._woken = threading.Event()
        self._cancelled = False
        self._run: Run | None = None
        self._most, self._room = MOST, ROOM
        self._sent = 0
        self._asked: dict[str, Any] = {}
        self._answers: dict[str, Any] | None = None

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
        """Claims the execution, runs it and tells about it until it has ended."""
        try:
            work = self._wire.claim()
            self._room = min(ROOM, work["body_limit"] // 4)
            self._sent = work["first"]
            found = self._prepared(work)
            if found is not None:
                run, journal = found
                self._guarded(run, start=True)
                journal.close()
        except (LeaseLost, NotFound) as error:
            self._lost(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, somebody waits for this execution)
            self._give_up(error)

    def follow(self, run: Run) -> None:
        """Tells about a run until it has ended."""
        self._sent, self._answers = run._record.first, {}
        try:
            self._guarded(run)
        except (LeaseLost, NotFound) as error:
            self._lost(error)
        except Exception as error:  # noqa: BLE001 (as above)
            self._give_up(error)
        finally:
            _set_stored(run)
            if isinstance(ledger := run._options.ledger, Journal):
                ledger.close()

    def _prepared(self, work: dict[str, Any]) -> tuple[Run, Journal] | None:
        """The run and its ledger; None where it cannot begin, which is told."""
        try:
            with self._wire.alive():
                return patiently(lambda: prepared(work, self._wire.server))
        except LeaseLost:
            raise
        except BpazError as error:
            self._wire.tell(refused(error, self._sent))
        except Exception as error:  # noqa: BLE001 (a stranger's node type may raise anything)
            failure = RunError(f"the run could not begin: {type(error).__name__}: {error}")
            self._wire.tell(refused(failure, self._sent))
        return None

    def _guarded(self, run: Run, *, start: bool = False) -> None:
        self._run = run
        leave = run.on_event(self.wake)
        if start:
            run.start()
        if self._cancelled:
            run.cancel()
        try:
            self._follow(run)
        finally:
            leave()

    def _lost(self, error: BpazError) -> None:
        """Somebody else goes on with the execution, or it is gone: the run stops, and nothing is told."""
        _log.info("execution %s is not this kernel's any more: %s", self.id, error.message)
        if (run := self._run) is not None:
            lost = error if isinstance(error, LeaseLost) else LeaseLost(error.message)
            runtime().call(lambda: run._broke(lost))

    def _give_up(self, error: Exception) -> None:
        """Stops what the server cannot be told about, and says so if that can be told."""
        _log.warning("execution %s cannot be told to the server: %s", self.id, error)
        if self._run is not None:
            self._run.cancel()
        told = error.message if isinstance(error, BpazError) else f"{type(error).__name__}: {error}"
        failure = RunError(f"the run was stopped, since it could not be told about: {told}")
        try:
            self._wire.tell(refused(failure, self._sent))
        except BpazError as again:
            _log.warning("execution %s is left to the server: %s", self.id, again)

    def _follow(self, run: Run) -> None:
        while True:
            self._woken.clear()
            told, last = self._batch(run)
            heard = self._told(told)
            if heard is None:
                continue
            if heard["over"]:
                run.cancel()
                return
            if self._all(run) and last in ("run.paused", "run.finished"):
                _set_stored(run)
                if last == "run.finished":
                    return
            if heard["cancel"]:
                self.cancel()
            if heard["answers"]:
                self._answer(run, heard["answers"])
            if self._all(run):
                self._woken.wait(self._wire.beat)

    def _told(self, told: dict[str, Any]) -> dict[str, Any] | None:
        """What the server says to it; None where it is to be told otherwise."""
        try:
            heard = self._wire.tell(told)
        except TooLarge:
            if self._most == 1 and self._room < 1024:
                raise
            self._most, self._room = max(1, self._most // 2), self._room // 2
            return None
        except LeaseLost:
            raise
        except Conflict as error:  # an answer got lost, and the server has more than was known here
            self._sent = int((error.current or {})["received"])
            return None
        self._sent = heard["received"]
        return heard

    def _all(self, run: Run) -> bool:
        """Whether everything that happened until now is told."""
        return self._sent == run._record.first + len(run._record)

    def _batch(self, run: Run) -> tuple[dict[str, Any], str]:
        """What to tell next, and what the last event of it is."""
        begin = self._sent - run._record.first
        events = [fitting(as_json(each)) for each in run._record.read(begin, begin + self._most)]
        for event in events:
            if event["type"] == "node.asked":
                self._asked[event["node"]] = event["question"]
        last = events[-1]["type"] if events else ""
        told: dict[str, Any] = {"events": events}
        if last in ("run.paused", "run.finished"):
            run._rest.wait()  # the event comes a moment before the run rests
        if last == "run.finished":
            if isinstance(run.error, LeaseLost):
                raise run.error
            told["outcome"] = ended(run, events[-1], self._room)
        elif last == "run.paused":
            told["outcome"] = waiting({name: self._asked[name] for name in events[-1]["nodes"]})
        elif any(event["type"] == "run.resumed" for event in events):
            told["outcome"] = {"status": "running"}
            told |= self._own_answers(run)
        return told, last

    def _own_answers(self, run: Run) -> dict[str, Any]:
        """What was answered in this kernel itself, for one that may have to go on later."""
        answers = {name: list(each) for name, each in run._services.answers.items()}
        if self._answers is None or answers == self._answers:
            return {}
        try:
            strict_json.compact(answers)
        except JsonError:
            return {}
        self._answers = answers
        return {"answers": answers}

    def _answer(self, run: Run, answers: dict[str, Any]) -> None:
        if run.status != "paused":  # it was told so before
            return
        try:
            run.answer(answers)
        except InputError as error:
            _log.warning("execution %s cannot take its answer and is stopped: %s", self.id, error)
            self.cancel()


def _set_stored(run: Run) -> None:
    """Tells who waits that the store knows how the run stands."""
    stored = getattr(run, "stored", None)
    if stored is not None:
        stored.set()
