"""Executions that a kernel runs by itself: ``wf.run(durable=True)`` in a cell, and forks of such."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from pydantic import Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.errors import DocumentError, Invalid
from bpaz_lab.graph import document as documents
from bpaz_lab.graph.check import secrets_in
from bpaz_lab.services import metrics
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.execution_fork import branch
from bpaz_lab.services.route import Model, route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.executions import Executions
from bpaz_lab.store.tables import WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Mapping


class Parent(Model):
    """The execution that one is forked from."""

    id: UUID
    forked_at: str = Field("", max_length=2000, description="The address of the step.")
    without: list[str] = Field(
        default_factory=list, max_length=100_000, description="Addresses of steps that are not taken over."
    )


class Begin(Model):
    """What a kernel runs."""

    name: str = Field("", max_length=255)
    flow_data: dict[str, Any] = Field(description="The document.")
    inputs: dict[str, Any] = Field(
        default_factory=dict, max_length=1000, description="What it is given, as far as that is JSON."
    )
    session_id: str = Field("", max_length=255)
    options: dict[str, Any] = Field(
        default_factory=dict, max_length=20, description="`targets`, `code`, `given`."
    )
    parent: Parent | None = Field(None, description="What it is forked from, of the same person.")
    holder: str = Field("", max_length=255, description="Who runs it, for people to read.")
    idempotency_key: str | None = Field(None, max_length=255, description="Names the request.")


class Begun(Model):
    """An execution that the kernel holds."""

    id: UUID
    epoch: int
    lease: float = Field(description="Seconds after which a silent kernel may be replaced.")
    body_limit: int = Field(description="Bytes that one request may have.")


@route("POST", "executions", access="kernel", status=201)
async def begin_execution(call: Call, body: Begin) -> Begun:
    """Begin an execution that this kernel runs by itself."""
    demand(call.caller, "workflow.execute")
    document = await asyncio.to_thread(_storable, body.flow_data)
    lab, caller = call.lab, call.caller
    assert caller.user_id is not None
    async with call.session() as session:
        executions = Executions(session, caller)
        if body.idempotency_key and (found := await executions.by_key(body.idempotency_key)) is not None:
            row = await executions.get(found[0])
            if row.kernel_id != caller.kernel_id or row.epoch != 1:
                raise Invalid("another request was made with this key", path="body.idempotency_key")
        else:
            row = WorkflowExecution(
                user_id=caller.user_id,
                name=body.name or document.get("name", "")[:255],
                flow_data=document,
                inputs=body.inputs,
                session_id=body.session_id,
                options=body.options,
                idempotency_key=body.idempotency_key,
                status="running",
                started_at=utcnow(),
                heartbeat_at=utcnow(),
                server_id=lab.server_id,
                kernel_id=caller.kernel_id,
                holder=body.holder or None,
                epoch=1,
            )
            await executions.add(row)
            if body.parent is not None:
                await branch(session, caller, row, body.parent.id, body.parent.forked_at, body.parent.without)
            await audit.record(session, caller, "workflow.execute", "execution", row.id)
            metrics.run_started()
    lab.live.hold(row.id, (caller.user_id, caller.kernel_id, row.epoch), 0)
    lab.pulse.note(row.id)
    return Begun(id=row.id, epoch=row.epoch, lease=lab.settings.lease, body_limit=lab.settings.body_limit)


def _storable(flow_data: Mapping[str, Any]) -> dict[str, Any]:
    """The document, if it is one and holds no secret; what else is wrong with it the kernel has seen."""
    document = documents.shaped(flow_data)
    if found := secrets_in(document):
        raise DocumentError.of(found)
    return dict(document)
