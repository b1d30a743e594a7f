"""How an execution goes, as its kernel tells it; and what the server wants of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from pydantic import Field, ValidationError

from bpaz_lab.engine.events import from_json
from bpaz_lab.errors import Invalid, LeaseLost
from bpaz_lab.graph.address import place_of
from bpaz_lab.services import metrics
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.execution_answers import heard, keep
from bpaz_lab.services.execution_end import close
from bpaz_lab.services.route import Model, route
from bpaz_lab.store.repositories.chat import Chats
from bpaz_lab.store.repositories.events import append, following, fresh, of_kind
from bpaz_lab.store.repositories.executions import OPEN, Executions
from bpaz_lab.store.repositories.frontiers import rest
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from bpaz_lab.services.lab import Lab
    from bpaz_lab.services.live import Holder
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session
    from bpaz_lab.store.tables import WorkflowExecution


class Outcome(Model):
    """How an execution stands."""

    status: Literal["running", "paused", "completed", "failed", "cancelled"]
    output: Any = None
    outputs: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, Any] | None = None
    questions: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None


class Told(Model):
    """What happened, in order."""

    epoch: int = Field(ge=0, description="The one that the kernel was given.")
    events: list[dict[str, Any]] = Field(default_factory=list, max_length=1000)
    outcome: Outcome | None = None
    answers: dict[str, list[dict[str, Any]]] | None = Field(
        None, max_length=1000, description="What was answered in the kernel itself, all of it, by address."
    )


class Heard(Model):
    """What the server has, and what it wants."""

    received: int = Field(description="The number of the next event.")
    cancel: bool = Field(False, description="Whether the run is to stop.")
    answers: dict[str, Any] | None = Field(None, description="What people answered, by address.")
    over: bool = Field(False, description="Whether the execution has ended; nothing more is taken.")


@route("POST", "executions/{id}/events", access="kernel")
async def tell_events(call: Call, id: UUID, body: Told) -> Heard:
    """Tell what happened in an execution; the same events may be sent again."""
    lab, holder = call.lab, (call.caller.user_id, call.caller.kernel_id, body.epoch)
    _check(body)
    await lab.ready()
    if lab.live.held(id, holder):  # the kernel is alive, also while the database is not
        lab.pulse.note(id)
    known = bool(body.events) and lab.live.holds(id, holder, body.events[0]["seq"])
    if known and body.outcome is None and body.answers is None and lab.keeper.takes(id):
        return _hand_on(lab, id, holder, fresh(body.events, body.events[0]["seq"]))
    if not known and (told := await _nothing_new(lab, call.caller, id, body)) is not None:
        return told
    async with lab.database.session() as session:
        row = await _assigned(session, call.caller, id, body, change=True)
        number = await following(session, id)
        if row.status not in OPEN:
            lab.live.close(id)
            return Heard(received=number, over=True)
        new = fresh(body.events, max(number, _waiting(lab, id)))
        events = fresh([*lab.live.unsaved(id), *new], number)
        await append(session, id, events)
        if row.status == "pending":
            row.status, row.started_at = "running", row.started_at or utcnow()
        keep(row, body.answers or {})
        if body.outcome is not None and events:
            await _settle(session, call.caller, row, body.outcome)
            if row.status != "running":
                await rest(session, row)
    lab.live.publish(id, events, saved=True)
    number += len(events)
    lab.live.saved(id, number)
    lab.live.hold(id, holder, number)
    lab.pulse.note(id)
    if body.outcome is not None and lab.runner is not None:
        lab.runner.told(id, row.status)
    if row.status not in OPEN:
        metrics.run_ended(row.status)
        lab.live.close(id)
        lab.pulse.forget(id)
    return _heard(row, number)


def _hand_on(lab: Lab, id: UUID, holder: Holder, events: list[dict[str, Any]]) -> Heard:
    """Gives events to who listens; they are stored a little later."""
    lab.live.publish(id, events)
    number = events[-1]["seq"] + 1
    lab.live.hold(id, holder, number)
    lab.keeper.keep(id)
    return Heard(received=number, cancel=lab.live.stopping(id))


async def _nothing_new(lab: Lab, caller: Caller, id: UUID, body: Told) -> Heard | None:
    """What to say to a sign of life, and to a repetition, whose outcome came with its events."""
    async with lab.database.session(read_only=True) as session:
        row = await _assigned(session, caller, id, body)
        number = max(await following(session, id), _waiting(lab, id))
    if row.status not in OPEN:
        return Heard(received=number, over=True)
    lab.pulse.note(id)
    return None if fresh(body.events, number) else _heard(row, number)


async def _assigned(
    session: Session, caller: Caller, id: UUID, body: Told, *, change: bool = False
) -> WorkflowExecution:
    document = change and body.outcome is not None
    row = await Executions(session, caller).assigned(id, document=document, change=change)
    if row.epoch != body.epoch:
        raise LeaseLost(
            "somebody else goes on with the execution, or it was given up", current={"epoch": row.epoch}
        )
    return row


def _waiting(lab: Lab, id: UUID) -> int:
    """The number behind what is heard and not stored yet; 0 for none."""
    unsaved = lab.live.unsaved(id)
    return int(unsaved[-1]["seq"]) + 1 if unsaved else 0


def _heard(row: WorkflowExecution, number: int) -> Heard:
    return Heard(received=number, cancel=row.cancel_requested_at is not None, answers=heard(row) or None)


def _check(body: Told) -> None:
    """Events are of a known kind, and a run that has ended says so as its last event."""
    for number, event in enumerate(body.events):
        try:
            from_json(event)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(each) for each in ("events", number, *fault["loc"]))
            raise Invalid(f"this is no event: {fault['msg']}", path=where) from None
    ends = bool(body.events) and body.events[-1]["type"] == "run.finished"
    says = body.outcome is not None and body.outcome.status not in ("running", "paused")
    if ends != says:
        raise Invalid(
            "the last event and the outcome do not agree on whether the run has ended", path="outcome"
        )


async def _settle(session: Session, caller: Caller, row: WorkflowExecution, outcome: Outcome) -> None:
    row.usage = outcome.usage or row.usage
    if outcome.status in ("running", "paused"):
        row.status = outcome.status
        row.questions = outcome.questions if outcome.status == "paused" else None
        return
    close(row, outcome.status, outcome.error)
    await _count(session, row)
    row.outputs = {"output": outcome.output, "outputs": outcome.outputs}
    if row.status == "completed":
        await _remember(session, caller, row, outcome.output)


async def _remember(session: Session, caller: Caller, row: WorkflowExecution, output: Any) -> None:
    """Keeps what was said in the conversation that the execution belongs to."""
    said = _said(row)
    if not row.session_id or row.workflow_id is None or said is None or not isinstance(output, str):
        return
    chats = Chats(session, caller)
    await chats.add(row.workflow_id, "user", said, session_id=row.session_id)
    await chats.add(row.workflow_id, "assistant", output, session_id=row.session_id)


def _said(row: WorkflowExecution) -> str | None:
    """What the person said: what the first ChatInput took, else the only text of the inputs."""
    inputs = row.inputs or {}
    for entry in (row.flow_data or {}).get("nodes", {}).values():
        if entry["type"] == "ChatInput":
            settings = entry.get("settings", {})
            said = inputs.get(settings.get("name", "question"), settings.get("default"))
            return said if isinstance(said, str) and said else None
    texts = [value for value in inputs.values() if isinstance(value, str)]
    return texts[0] if len(texts) == 1 else None


async def _count(session: Session, row: WorkflowExecution) -> None:
    """Counts the seconds that nodes took, by type."""
    for event in await of_kind(session, row.id, "node.finished"):
        if not event["cached"]:
            metrics.node_finished(_type(row.flow_data or {}, place_of(event["node"])), event["duration"])


def _type(body: dict[str, Any], place: str) -> str:
    first, _, rest = place.partition("/")
    entry = body.get("nodes", {}).get(first, {})
    return _type(entry.get("body", {}), rest) if rest else str(entry.get("type", ""))
