"""An execution of the laboratory, to watch, to stop and to read: what ``lab.run()`` gives back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.lab.table import Record, Table, some
from bpaz_lab.api.transport.errors import from_dict
from bpaz_lab.engine.cache import Saved
from bpaz_lab.engine.events import Usage, from_json
from bpaz_lab.errors import NodeFailed, RunCancelled, RunError, ServerUnavailable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bpaz_lab.api.runs.comparison import Comparison
    from bpaz_lab.api.runs.kept import Kept
    from bpaz_lab.api.runs.moment import Moment
    from bpaz_lab.api.transport.transport import Transport
    from bpaz_lab.api.workflow import Workflow
    from bpaz_lab.engine.plan import Plan
    from bpaz_lab.graph.document import Document

ENDED: Final = ("completed", "failed", "cancelled")
TRIES: Final = 8
"""How often in a row a stream that was cut off is asked for again; it waits longer each time."""
FAREWELL: Final = 5.0
"""Seconds to wait for the end of what was cancelled."""
_LOOK: Final = 0.05
_LONGEST: Final = 1.0


class Execution:
    """One execution: it goes on whether or not anybody looks.

    Its fields as the API tells them are in ``record``. A notebook shows it as it shows a run.

    Args:
        transport: What asks the laboratory.
        told: The execution, as the laboratory tells it.
    """

    def __init__(self, transport: Transport, told: Mapping[str, Any]) -> None:
        self._transport = transport
        self.record = Record(told)
        self._events: list[Any] = []
        self._before = 0
        """The events that were known when it went on, whose run.finished is not the last."""
        self._document: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<Execution {self.id[:8]} of {self.name!r}: {self.status}>"

    def __getattr__(self, name: str) -> Any:
        if name == "record":  # while it is being made or copied
            raise AttributeError(name)
        return getattr(self.record, name)

    def _repr_html_(self) -> str:
        from bpaz_lab.engine.display import html

        return html(self)

    # ---- what it tells ----------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Its unique id."""
        return str(self.record["id"])

    @property
    def name(self) -> str:
        """The name of the workflow."""
        return str(self.record.get("name", ""))

    @property
    def status(self) -> str:
        """pending, running, paused, completed, failed or cancelled, as it was when last asked."""
        return str(self.record["status"])

    @property
    def output(self) -> Any:
        """What End or ChatOutput took, else the main output of the only last node, as JSON."""
        return self._whole.get("output")

    @property
    def outputs(self) -> dict[str, Any]:
        """Every computed output by ``node.port``, as JSON; what is none is shown as ``{"type", "text"}``."""
        return dict(self._whole.get("outputs") or {})

    @property
    def questions(self) -> dict[str, Any]:
        """What it waits for, where it is paused: the questions by the address of the node."""
        return dict(self._whole.get("questions") or {})

    @property
    def error(self) -> RunError | None:
        """Why it failed; None while it has not."""
        told = self.record.get("error")
        if not told:
            return None
        error = from_dict(told)
        if not isinstance(error, RunError):
            cls = RunCancelled if self.status == "cancelled" else NodeFailed
            error = cls(error.message, hint=error.hint, path=error.path)
        error.run = self
        return error

    @property
    def events(self) -> list[Any]:
        """What has happened and was read so far; all of it once it has ended or waits for a person."""
        while self._finished is None and self.status in (*ENDED, "paused"):
            after = self._events[-1].seq if self._events else -1
            page = self._transport.call(
                "GET",
                f"executions/{self.id}/events",
                query={"after": after},
                headers={"Accept": "application/json"},
            )
            for told in page["items"]:
                if told["seq"] >= len(self._events):  # else another thread read it meanwhile
                    self._events.append(from_json(told))
            if not page["items"]:
                break
        return list(self._events)

    @property
    def usage(self) -> Usage:
        """The tokens that models reported."""
        return getattr(self._finished, "usage", None) or Usage()

    @property
    def saved(self) -> Saved:
        """What it did not have to compute."""
        return getattr(self._finished, "saved", None) or Saved()

    @property
    def duration(self) -> float:
        """Seconds from the beginning to the end, or to what was read last."""
        if self._finished:
            return float(self._finished.duration)
        return float(self._events[-1].time) if self._events else 0.0

    @property
    def _whole(self) -> Record:
        """The record with its values, which a list leaves out."""
        if "outputs" not in self.record:
            self.refresh()
        return self.record

    @property
    def _finished(self) -> Any:
        last = self._events[-1] if len(self._events) > self._before else None
        return last if last is not None and last.type == "run.finished" else None

    # ---- what one does with it --------------------------------------------------------------------

    def refresh(self) -> Execution:
        """Asks the laboratory how it stands."""
        self.record = Record(self._transport.call("GET", f"executions/{self.id}"))
        return self

    def stream(self) -> Iterator[Any]:
        """Its events from the first one on, as they come; it goes on when you stop reading.

        A connection that breaks is made again, and the events go on where they were.

        Raises:
            ServerUnavailable: The server cannot be reached any more.
            StoreError: Its database is away.
        """
        yield from list(self._events)
        while self._finished is None:
            yield from self._following()
            if self._finished is None and self.refresh().status in ENDED:
                return

    def wait(self, timeout: float | None = None) -> Execution:
        """Waits until it has ended or waits for a person.

        Args:
            timeout: Seconds to wait at most; then it is as it is.

        Raises:
            ServerUnavailable: The server cannot be reached any more; the execution may go on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _LOOK
        while self.refresh().status not in (*ENDED, "paused"):
            if deadline is None and self._finished is None:
                for event in self._following():
                    if event.type in ("run.paused", "run.finished"):
                        break
                continue
            left = pause if deadline is None else min(pause, deadline - time.monotonic())
            if left <= 0:
                break
            time.sleep(left)
            pause = min(pause * 1.5, _LONGEST)
        return self

    def cancel(self) -> Execution:
        """Stops it, and waits a moment until it has ended; what has been computed is kept."""
        self._transport.call("POST", f"executions/{self.id}/cancel")
        deadline = time.monotonic() + FAREWELL
        while self.refresh().status not in ENDED and time.monotonic() < deadline:
            time.sleep(_LOOK)
        return self

    def resume(
        self, answers: Mapping[str, Any] | None = None, /, *, repair: bool = False, **named: Any
    ) -> Execution:
        """Lets it go on where it stopped, and returns at once; ``wait()`` waits again.

        A paused one is answered; one that failed, was cancelled or cut off goes on without what is done.

        Args:
            answers: Answers by the address of the node that asks; its fields, where one node asks.
            repair: Goes on although what is kept of some steps is damaged.
            named: The fields of the answer, where one node asks.

        Raises:
            Conflict: Somebody has it, or it is completed.
            InputError: An answer does not fit.

        Example:
            ``execution.resume(approve=True).wait()``
        """
        body: dict[str, Any] = {"answers": {**(answers or {}), **named}}
        if repair:
            body["repair"] = True
        self._transport.call("POST", f"executions/{self.id}/resume", body=body)
        self._before = len(self._events)
        return self.refresh()

    def fork(
        self,
        address: str,
        outputs: Mapping[str, Any] | None = None,
        /,
        *,
        workflow: Workflow | None = None,
        session: str = "",
        **named: Any,
    ) -> Execution:
        """Begins a new execution in the middle of this one, and returns at once.

        The laboratory runs it. ``bz.fork(execution.id, ...)`` does the same in this kernel, with its objects.

        Args:
            address: The step: ``"draft"``, or ``"each[2]/clean"`` in a round of a container.
            outputs: What it shall have given, by output, as JSON; without any it is computed again.
            workflow: The workflow to go on with, where it was changed since.
            session: The conversation that it belongs to.
            named: Outputs by name.

        Raises:
            Invalid: There is no such step or output.
        """
        body: dict[str, Any] = {"node": self._kept().full(address), "session_id": session}
        if edited := {**(outputs or {}), **named}:
            body["outputs"] = edited
        if workflow is not None:
            body["flow_data"] = workflow.to_dict()
        return Execution(
            self._transport, self._transport.call("POST", f"executions/{self.id}/fork", body=body)
        )

    # ---- going back -------------------------------------------------------------------------------

    def at(self, address: str) -> Moment:
        """A step as it was: what it got and what it gave, as Python objects.

        Args:
            address: ``"draft"``; inside a container with its round, ``"each[2]/clean"``, or without for the
                last round.

        Raises:
            InputError: It has no such step.
            IntegrityError: What is kept of the step is damaged.
        """
        return self._kept().moment(address)

    def steps(self) -> Table[Record]:
        """The steps that are kept, in the order in which they began."""
        columns = ("address", "state", "effect", "size", "seconds")
        found = some(self._transport, f"executions/{self.id}/steps", _step, columns, None)
        return Table(sorted(found, key=lambda step: step.began), columns)

    def diff(self, other: Any) -> Comparison:
        """What differs from this one to another run, node by node; see ``Run.diff``."""
        from bpaz_lab.api.runs.comparing import compared

        return compared(self, other)

    @property
    def document(self) -> Document:
        """The document that was run."""
        if not self._document:
            told = self._transport.call("GET", f"executions/{self.id}", query={"document": True})
            self._document = {"flow_data": told["flow_data"], "options": told.get("options") or {}}
        document: Document = self._document["flow_data"]
        return document

    def _kept(self) -> Kept:
        from bpaz_lab.api.runs.kept import Kept

        return Kept(self._transport.steps(self.id, 0), self._plan, self.events)

    def _plan(self) -> Plan:
        from bpaz_lab.api.workflow import Workflow

        workflow, options = Workflow.from_dict(self.document), self._document["options"]
        return workflow.plan(*(options.get("targets") or ()), given=options.get("given") or ())

    def raise_for_status(self) -> Execution:
        """Raises the error of an execution that failed or was cancelled.

        Raises:
            RunError: It failed; this execution is attached.
        """
        if (error := self.error) is not None:
            raise error
        if self.status == "cancelled":
            raise RunCancelled("the execution was cancelled", run=self)
        return self

    def _following(self) -> Iterator[Any]:
        """The events behind those that are known, until the stream ends."""
        tries = 0
        while True:
            after = str(self._events[-1].seq) if self._events else ""
            try:
                for message in self._transport.stream(f"executions/{self.id}/events", after=after):
                    if message.event == "resync":  # we were too slow; the store has the rest
                        break
                    if message.event == "error":
                        raise from_dict(message.data["error"])
                    event = from_json(message.data)
                    if event.seq < len(self._events):  # another thread read it meanwhile
                        continue
                    self._events.append(event)
                    tries = 0
                    yield event
            except (ServerUnavailable, StoreUnavailable):
                tries += 1
                if tries == TRIES:
                    raise
                time.sleep(min(_LOOK * 2**tries, _LONGEST))
            else:
                return


def _step(told: Mapping[str, Any]) -> Record:
    """A step as a table shows it."""
    began, ended = float(told["began"]), float(told["ended"])
    times = {
        "began": datetime.fromtimestamp(began, UTC),
        "ended": datetime.fromtimestamp(ended, UTC) if ended else None,
        "seconds": round(max(ended - began, 0.0), 3) if ended else None,
        "state": "in doubt" if told.get("in_doubt") else told["state"],
    }
    return Record({**told, **times})
