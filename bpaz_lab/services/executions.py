"""Running workflows: start, wait, listen, cancel, look back."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from bpaz_lab.accounts.policy import demand
from bpaz_lab.errors import Conflict, Invalid, RunCancelled
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.execution_admit import admit, known, runner_of
from bpaz_lab.services.execution_check import runnable
from bpaz_lab.services.execution_claim import is_held, is_kept
from bpaz_lab.services.execution_end import end
from bpaz_lab.services.execution_stream import as_messages, follow
from bpaz_lab.services.execution_views import (
    EventList,
    EventsQuery,
    ExecuteDocument,
    ExecuteQuery,
    ExecuteStored,
    Execution,
    ExecutionSummary,
    GetQuery,
    Inputs,
    ListQuery,
    view,
)
from bpaz_lab.services.listing import Page
from bpaz_lab.services.route import Answer, Message, Stream, route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.events import Events
from bpaz_lab.store.repositories.executions import OPEN, Executions, in_doubt
from bpaz_lab.store.repositories.workflows import Workflows
from bpaz_lab.store.tables import WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True)
class Asked:
    """What is to be run: a document, and the stored workflow that it is of."""

    flow_data: dict[str, Any]
    workflow_id: UUID | None = None
    version: int | None = None


# ---- start ----------------------------------------------------------------------------------------


@route("POST", "workflows/execute")
async def execute_document(call: Call, query: ExecuteQuery, body: ExecuteDocument) -> Answer[Execution]:
    """Run a document: the whole execution if it ends in time, else 202 and where to look."""
    demand(call.caller, "workflow.execute")
    return await _result(call, await _admit(call, Asked(body.flow_data), body), query.wait)


@route("POST", "workflows/execute/stream")
async def stream_document(call: Call, body: ExecuteDocument) -> Stream:
    """Run a document and stream its events, the execution's id first."""
    demand(call.caller, "workflow.execute")
    return _stream(call, await _admit(call, Asked(body.flow_data), body))


@route("POST", "workflows/{id}/execute")
async def execute_workflow(
    call: Call, id: UUID, query: ExecuteQuery, body: ExecuteStored
) -> Answer[Execution]:
    """Run a stored workflow: the whole execution if it ends in time, else 202 and where to look."""
    execution_id = await _admit(call, await _stored(call, id, body.version), body)
    return await _result(call, execution_id, query.wait)


@route("POST", "workflows/{id}/execute/stream")
async def stream_workflow(call: Call, id: UUID, body: ExecuteStored) -> Stream:
    """Run a stored workflow and stream its events, the execution's id first."""
    return _stream(call, await _admit(call, await _stored(call, id, body.version), body))


# ---- look -----------------------------------------------------------------------------------------


@route("GET", "executions")
async def list_executions(call: Call, query: ListQuery) -> Page[ExecutionSummary]:
    """The caller's executions, latest first."""
    demand(call.caller, "execution.read")
    where = {"workflow_id": query.workflow, "status": query.status, "session_id": query.session}
    await call.lab.ready()
    async with call.lab.database.session(read_only=True) as session:
        rows = await Executions(session, call.caller).page(
            where={name: value for name, value in where.items() if value},
            since=query.since,
            begins=query.id,
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
        )
    return Page(items=[ExecutionSummary.model_validate(row) for row in rows.items], next=rows.next)


@route("GET", "executions/{id}")
async def get_execution(call: Call, id: UUID, query: GetQuery) -> Execution:
    """One execution with its values; the document that was run comes along where it is asked for."""
    return await _view(call, id, document=query.document)


@route("GET", "executions/{id}/events")
async def listen_to_execution(call: Call, id: UUID, query: EventsQuery) -> Stream | EventList:
    """The events: streamed until the run ends, or as a list where `Accept` is `application/json`."""
    await _row(call, id)
    after = _after(call, query)
    accepts = call.headers.get("accept", "")
    if "application/json" not in accepts or "text/event-stream" in accepts:
        return Stream(as_messages(follow(call.lab, call.caller, id, after)))
    async with call.lab.database.session(read_only=True) as session:
        items = await Events(session, call.caller).after(id, after, query.limit)
    following = items[-1]["seq"] + 1 if items else after + 1
    waiting = [event for event in call.lab.live.unsaved(id) if event["seq"] >= following]
    items += waiting[: query.limit - len(items)]
    return EventList(items=items, next=items[-1]["seq"] if items else after)


# ---- change ---------------------------------------------------------------------------------------


@route("POST", "executions/{id}/cancel")
async def cancel_execution(call: Call, id: UUID) -> Execution:
    """Stop an execution, which ends at its next await; one that has ended stays as it is."""
    async with call.session() as session:
        row = await Executions(session, call.caller).get(id, change=True)
        demand(call.caller, "execution.cancel", row)
        nobody = (row.status == "pending" and row.kernel_id is None) or not is_kept(call.lab, row)
        if row.status in OPEN:
            row.cancel_requested_at = utcnow()
            await audit.record(session, call.caller, "execution.cancel", "execution", id)
    if row.status in OPEN and nobody:  # no kernel has it yet, or none has it any more
        await end(call.lab, id, "cancelled", RunCancelled("the run was stopped"), epoch=row.epoch)
    elif row.status in OPEN and call.lab.runner is not None:
        await call.lab.runner.cancel(id)
    return await _view(call, id)


@route("DELETE", "executions/{id}")
async def delete_execution(call: Call, id: UUID) -> None:
    """Delete an execution that has ended, with its events."""
    async with call.session() as session:
        executions = Executions(session, call.caller)
        row = await executions.get(id, change=True)
        demand(call.caller, "execution.cancel", row)
        if row.status in OPEN:
            raise Conflict(f"the execution is {row.status}", hint="Cancel it first.")
        await executions.remove(row)
        await audit.record(session, call.caller, "execution.delete", "execution", id)


# ---- how ------------------------------------------------------------------------------------------


async def _stored(call: Call, id: UUID, version: int | None) -> Asked:
    await call.lab.ready()
    async with call.lab.database.session(read_only=True) as session:
        workflows = Workflows(session, call.caller)
        row = await workflows.get(id)
        demand(call.caller, "workflow.execute", row)
        flow_data = row.flow_data if version is None else (await workflows.version(id, version)).flow_data
    return Asked(flow_data, id, version or row.version)


async def _admit(call: Call, asked: Asked, body: Inputs) -> UUID:
    settings = call.lab.settings
    request = {"workflow": asked.workflow_id, **body.model_dump(mode="json")}
    if (id := await known(call, request)) is not None:
        return id
    runner_of(call)
    document = await asyncio.to_thread(runnable, asked.flow_data, body.inputs, settings)
    assert call.caller.user_id is not None
    row = WorkflowExecution(
        workflow_id=asked.workflow_id,
        workflow_version=asked.version,
        user_id=call.caller.user_id,
        inputs=body.inputs,
        flow_data=dict(document),
        name=document["name"][:255],
        session_id=body.session_id,
        timeout=min(body.timeout or settings.run_timeout, settings.run_timeout),
        server_id=call.lab.server_id,
        heartbeat_at=utcnow(),
    )
    return await admit(call, row, request)


async def _result(call: Call, id: UUID, wait: float) -> Answer[Execution]:
    if wait:
        await _until_rest(call, id, wait)
    told = await _view(call, id)
    if told.status in OPEN:
        return Answer(told, status=202, headers={"Location": f"executions/{id}"})
    return Answer(told)


async def _until_rest(call: Call, id: UUID, wait: float) -> None:
    """Waits until the run has ended or asks somebody, or the time is up."""
    try:
        async with asyncio.timeout(wait), aclosing(follow(call.lab, call.caller, id)) as events:
            async for event in events:
                if event["type"] in ("run.paused", "run.finished"):
                    return
    except TimeoutError:
        return


def _stream(call: Call, id: UUID) -> Stream:
    events = as_messages(follow(call.lab, call.caller, id))

    async def told() -> AsyncIterator[Message]:
        yield Message({"id": str(id)}, "execution")
        async for message in events:
            yield message

    return Stream(told(), headers={"Location": f"executions/{id}"})


async def _view(call: Call, id: UUID, *, document: bool = False) -> Execution:
    await call.lab.ready()
    async with call.lab.database.session(read_only=True) as session:
        row = await Executions(session, call.caller).get(id, document=document)
        demand(call.caller, "execution.read", row)
        rests = not is_held(call.lab, row) and row.status != "completed"
        doubts = await in_doubt(session, [id]) if rests else {}
    return view(row, doubts.get(id, ()), document=document)


async def _row(call: Call, id: UUID) -> WorkflowExecution:
    await call.lab.ready()
    async with call.lab.database.session(read_only=True) as session:
        row = await Executions(session, call.caller).get(id)
    demand(call.caller, "execution.read", row)
    return row


def _after(call: Call, query: EventsQuery) -> int:
    if query.after is not None:
        return query.after
    told = call.headers.get("last-event-id", "").strip()
    if not told:
        return -1
    if not (told.isascii() and told.isdigit() and len(told) < 10):
        raise Invalid(
            f"{told[:40]!r} is not the id of an event",
            path="headers.last-event-id",
            hint="Ids are the numbers that came as `id:`.",
        )
    return int(told)
