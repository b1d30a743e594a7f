"""Who runs an execution: a kernel claims what it was given, or takes over what nobody runs any more.

Each assignment is an *epoch*, and whatever comes under an earlier one is refused. A holder that was not heard
of for the length of its lease may be replaced.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from pydantic import Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.errors import Conflict
from bpaz_lab.services import metrics
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.execution_answers import answer, answers_so_far
from bpaz_lab.services.execution_views import RESUMABLE, view
from bpaz_lab.services.route import Model, route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.chat import Chats
from bpaz_lab.store.repositories.events import append, following, fresh
from bpaz_lab.store.repositories.executions import ACTIVE, OPEN, Executions, author
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session
    from bpaz_lab.store.tables import WorkflowExecution

REMEMBERED = 50
"""Messages of the conversation that a run is told."""


class Work(Model):
    """What a kernel is to run."""

    execution_id: UUID
    name: str
    flow_data: dict[str, Any]
    inputs: dict[str, Any]
    session_id: str
    timeout: float | None
    workflow_id: UUID | None
    trusted: bool = Field(description="Whether the workflow is the person's own.")
    history: list[dict[str, str]] = Field(description="What was said before, oldest first.")
    body_limit: int = Field(description="Bytes that one request may have.")
    epoch: int = Field(description="What the kernel sends along with all that it tells.")
    lease: float = Field(description="Seconds after which a silent kernel is replaced.")
    first: int = Field(description="The number of its next event; 0 for a run that begins.")
    answers: dict[str, list[dict[str, Any]]] = Field(description="What people answered so far, by address.")
    options: dict[str, Any] = Field(description="How it was started: `targets`, `code`, `given`, `repair`.")


class Take(Model):
    """How a kernel takes an execution over."""

    answers: dict[str, Any] = Field(
        default_factory=dict, max_length=1000, description="What a paused one asks."
    )
    takeover: bool = Field(False, description="Whether its holder is replaced though it is alive.")
    holder: str = Field("", max_length=255, description="Who goes on with it, for people to read.")
    gone: str = Field(
        "", max_length=255, description="A holder that is known to be dead, and not waited for."
    )
    repair: bool = Field(False, description="Whether steps that are kept damaged are left out.")


@route("POST", "executions/{id}/claim", access="kernel")
async def claim_execution(call: Call, id: UUID) -> Work:
    """Take over an execution that this kernel was told to run."""
    lab = call.lab
    await lab.ready()
    async with lab.database.session(read_only=True) as session:
        row = await Executions(session, call.caller).assigned(id, document=True, change=False)
        if row.status != "pending" or lab.live.unsaved(id):  # it runs as soon as it tells its first event
            raise Conflict(f"the execution is {row.status}", hint="It is under way, or has ended.")
        work = await _work(session, lab, call.caller, row)
    _hold(lab, call.caller, work)
    return work


@route("POST", "executions/{id}/take", access="kernel")
async def take_execution(call: Call, id: UUID, body: Take) -> Work:
    """Go on in this kernel with an execution that nobody runs any more."""
    lab = call.lab
    async with call.session() as session:
        row = await Executions(session, call.caller).get(id, document=True, change=True)
        demand(call.caller, "execution.resume", row)
        dead = bool(body.gone) and row.holder == body.gone
        if row.status not in (*RESUMABLE, *ACTIVE) or (is_held(lab, row) and not (body.takeover or dead)):
            raise unavailable(lab, row)
        if body.answers:
            answer(row, body.answers)
        await anew(session, lab, row, repair=body.repair)
        row.status, row.started_at = "running", row.started_at or utcnow()
        row.kernel_id, row.holder = call.caller.kernel_id, body.holder or None
        await audit.record(session, call.caller, "execution.resume", "execution", id)
        work = await _work(session, lab, call.caller, row)
    if lab.runner is not None:
        lab.runner.told(id, "taken")
    _hold(lab, call.caller, work)
    return work


def is_held(lab: Lab, row: WorkflowExecution) -> bool:
    """Whether an execution is under way, and who has it is alive; one that waits for a person is not."""
    return row.status in ACTIVE and is_kept(lab, row)


def is_kept(lab: Lab, row: WorkflowExecution) -> bool:
    """Whether who has an execution was heard of within the lease."""
    lease = lab.settings.lease
    if row.server_id == lab.server_id:
        return lab.pulse.alive(row.id, lease)
    return row.heartbeat_at is not None and row.heartbeat_at > utcnow() - timedelta(seconds=lease)


def unavailable(lab: Lab, row: WorkflowExecution) -> Conflict:
    """Why nobody can go on with an execution."""
    if row.status == "completed":
        told, hint = "", "Fork it from the step from which on it is to go otherwise."
    else:
        told = f": {row.holder} has it" if row.holder else ""
        if row.heartbeat_at is not None:
            told += f", heard of {max(0, round((utcnow() - row.heartbeat_at).total_seconds()))} s ago"
        lease = f"{lab.settings.lease:g} s"
        hint = f"Wait until it was silent for {lease}, cancel it, or take it over: takeover=True."
    current = view(row).model_dump(mode="json")
    return Conflict(f"the execution is {row.status}{told}", hint=hint, current=current)


async def anew(session: Session, lab: Lab, row: WorkflowExecution, *, repair: bool) -> None:
    """Makes an execution that stopped ready to go on; what its holder before still tells is refused.

    Args:
        session: The transaction, which holds the row.
        lab: The laboratory.
        row: The execution.
        repair: Whether damaged rows of its ledger are left out.
    """
    await append(session, row.id, fresh(lab.live.unsaved(row.id), await following(session, row.id)))
    lab.live.release(row.id)
    if row.status not in OPEN or row.server_id != lab.server_id:  # else it is counted already
        metrics.run_started()
    row.epoch += 1
    row.status = "pending"
    row.kernel_id = row.holder = None
    row.server_id, row.heartbeat_at = lab.server_id, utcnow()
    row.questions = row.outputs = row.error = row.error_message = None
    row.completed_at = row.cancel_requested_at = None
    kept = {name: value for name, value in (row.options or {}).items() if name != "repair"}
    row.options = {**kept, "repair": True} if repair else kept
    lab.pulse.note(row.id)


def _hold(lab: Lab, caller: Caller, work: Work) -> None:
    lab.live.hold(work.execution_id, (caller.user_id, caller.kernel_id, work.epoch), work.first)
    lab.pulse.note(work.execution_id)


async def _work(session: Session, lab: Lab, caller: Caller, row: WorkflowExecution) -> Work:
    return Work(
        execution_id=row.id,
        name=row.name,
        flow_data=row.flow_data or {},
        inputs=row.inputs or {},
        session_id=row.session_id,
        timeout=row.timeout,
        workflow_id=row.workflow_id,
        trusted=row.workflow_id is None or await author(session, row.workflow_id) == row.user_id,
        history=await _history(session, caller, row),
        body_limit=lab.settings.body_limit,
        epoch=row.epoch,
        lease=lab.settings.lease,
        first=await following(session, row.id),
        answers=answers_so_far(row),
        options={name: value for name, value in (row.options or {}).items() if name != "answers"},
    )


async def _history(session: Session, caller: Caller, row: WorkflowExecution) -> list[dict[str, str]]:
    if not row.session_id or row.workflow_id is None:
        return []
    messages = await Chats(session, caller).latest(row.workflow_id, row.session_id, REMEMBERED)
    return [{"role": each.role, "content": each.content} for each in messages]
