"""Keeping workflows: list, save, load, share, delete. Saving never overwrites what one has not seen."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from bpaz_lab.accounts.policy import Target, allows, demand, missing
from bpaz_lab.errors import Conflict, InputError
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.listing import Page
from bpaz_lab.services.route import Answer, route
from bpaz_lab.services.workflow_check import problems, storable
from bpaz_lab.services.workflow_views import (
    ACTIONS,
    CheckQuery,
    Problem,
    WorkflowChange,
    WorkflowMade,
    WorkflowQuery,
    WorkflowSummary,
    WorkflowView,
)
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.versions import Versions
from bpaz_lab.store.repositories.workflows import Workflows
from bpaz_lab.store.tables import Workflow

if TYPE_CHECKING:
    from bpaz_lab.graph.document import Document
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

_TAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')


@route("GET", "workflows/")
async def list_workflows(call: Call, query: WorkflowQuery) -> Page[WorkflowSummary]:
    """The workflows that the caller may read, without their documents."""
    demand(call.caller, "workflow.read")
    async with call.session() as session:
        rows = await Workflows(session, call.caller).page(
            scope=query.scope,
            name=query.name,
            contains=query.contains,
            organization_id=query.organization,
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
        )
    return Page(items=[summary(call.caller, row) for row in rows.items], next=rows.next)


@route("POST", "workflows/", status=201)
async def create_workflow(call: Call, query: CheckQuery, body: WorkflowMade) -> Answer[WorkflowView]:
    """Keep a new workflow."""
    demand(call.caller, "workflow.create")
    document = await call.work(storable, body.flow_data, call.lab.settings, body.name)
    async with call.session() as session:
        row = await keep(
            call,
            session,
            document,
            description=body.description,
            is_public=body.is_public,
            organization_id=body.organization_id,
            message=body.message,
        )
    return answer(await view(call.caller, row, check=query.check), status=201)


@route("GET", "workflows/{id}")
async def get_workflow(call: Call, id: UUID, query: CheckQuery) -> Answer[WorkflowView]:
    """One workflow with its document; its version is in `ETag` too."""
    async with call.session() as session:
        row = await Workflows(session, call.caller).get(id)
        demand(call.caller, "workflow.read", row)
    return answer(await view(call.caller, row, row.owner, check=query.check))


@route("PUT", "workflows/{id}")
async def update_workflow(
    call: Call, id: UUID, query: CheckQuery, body: WorkflowChange
) -> Answer[WorkflowView]:
    """Save a workflow as its next version; 409 with the latest one where somebody else was quicker.

    The version that was changed stands in `If-Match` or in the body. What the body leaves out stays.
    """
    version = expected(call, body.version)
    if version is None:
        raise InputError(
            "a save says which version it changes",
            path="version",
            hint='Send the version that you loaded: the header If-Match: "3", or "version": 3 in the body.',
        )
    document = None
    if body.flow_data is not None:
        document = await call.work(storable, body.flow_data, call.lab.settings, body.name)
    async with call.session() as session:
        workflows = Workflows(session, call.caller)
        now = await workflows.summary(id)
        demand(call.caller, "workflow.update", now)
        row = await workflows.save(
            id, version, await _changes(call, workflows, now, body, document), body.message
        )
        if row is None:
            raise await quicker(call, session, id, version)
        details = {"version": row.version, "fields": sorted(body.model_fields_set - {"version", "message"})}
        await audit.record(session, call.caller, "workflow.update", "workflow", id, details=details)
    return answer(await view(call.caller, row, now.owner, check=query.check))


@route("DELETE", "workflows/{id}")
async def delete_workflow(call: Call, id: UUID) -> None:
    """Delete a workflow with its versions, executions and conversations."""
    async with call.session() as session:
        workflows = Workflows(session, call.caller)
        row = await workflows.summary(id)
        demand(call.caller, "workflow.delete", row)
        details = {"name": row.name, "version": row.version}
        await workflows.remove(id)
        await audit.record(session, call.caller, "workflow.delete", "workflow", id, details=details)


# ---- what templates and versions do too -----------------------------------------------------------


async def keep(
    call: Call,
    session: Session,
    document: Document,
    *,
    description: str = "",
    is_public: bool = False,
    organization_id: UUID | None = None,
    message: str = "",
) -> Workflow:
    """Keeps a new workflow of the caller.

    Raises:
        Forbidden: The caller may not make, share or publish one.
        NotFound: The caller is no member of the organisation.
    """
    caller = call.caller
    demand(caller, "workflow.create")
    assert caller.user_id is not None
    row = Workflow(
        user_id=caller.user_id,
        name=document["name"],
        description=description or None,
        flow_data=dict(document),
        is_public=is_public,
        organization_id=organization_id,
    )
    _demand_sharing(caller, row, shares=organization_id is not None, publishes=is_public)
    await Workflows(session, caller).add(row, message)
    details = {"name": row.name, "is_public": is_public, "organization_id": _text(organization_id)}
    await audit.record(session, caller, "workflow.create", "workflow", row.id, details=details)
    return row


def expected(call: Call, version: int | None) -> int | None:
    """The version that a save is for, of the body or of ``If-Match``; None where neither says one.

    Raises:
        InputError: The header names none, or another than the body.
    """
    header = call.headers.get("if-match", "").strip()
    if not header:
        return version
    found = _TAG.fullmatch(header)
    if found is None or version not in (None, int(found[1])):
        raise InputError(
            "If-Match names no version, or another than the body",
            path="headers.if-match",
            hint='Send one version, such as If-Match: "3".',
        )
    return int(found[1])


async def quicker(call: Call, session: Session, id: UUID, version: int) -> Conflict:
    """Somebody else has saved meanwhile; the error brings what they saved."""
    row = await Workflows(session, call.caller).get(id)
    saved = await Versions(session, call.caller).saved_by(id, row.version or 1)
    by = (saved.saved_by if saved else "") or "somebody"
    return Conflict(
        f"{row.name} has been saved since version {version}: it is at version {row.version}, by {by}",
        path="version",
        hint="Load it, or merge your changes with it, and save again.",
        current={
            "id": str(id),
            "name": row.name,
            "description": row.description,
            "version": row.version,
            "updated_at": row.updated_at.isoformat() if row.updated_at else None,
            "by": by,
            "message": saved.message if saved else "",
            "flow_data": row.flow_data,
        },
    )


def summary(caller: Caller, row: Any, owner: str | None = None) -> WorkflowSummary:
    """A row as the lists show it."""
    return WorkflowSummary(**_fields(caller, row, row.owner if owner is None else owner))


async def view(caller: Caller, row: Any, owner: str | None = "", *, check: bool = False) -> WorkflowView:
    """A row as its own route shows it, with its problems where they are asked for."""
    found = None
    if check:
        told = await asyncio.to_thread(problems, cast("Document", row.flow_data))
        found = [Problem(**problem.to_dict()) for problem in told]
    return WorkflowView(**_fields(caller, row, owner), flow_data=row.flow_data, problems=found)


def _fields(caller: Caller, row: Any, owner: str | None) -> dict[str, Any]:
    mine = row.user_id == caller.user_id
    return {
        **{name: getattr(row, name) for name in ("id", "name", "description", "organization_id")},
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "is_public": bool(row.is_public),
        "version": row.version or 1,
        "owner": caller.name if mine else owner or "somebody",
        "mine": mine,
        "may": [each for each in ACTIONS if allows(caller, f"workflow.{each}", row)],
    }


def answer(found: WorkflowView, status: int = 200) -> Answer[WorkflowView]:
    """The answer with the version as its ``ETag``."""
    headers = {"ETag": f'"{found.version}"'}
    if status == 201:
        headers["Location"] = str(found.id)
    return Answer(found, status, headers)


async def _changes(
    call: Call, workflows: Workflows, now: Any, body: WorkflowChange, document: Document | None
) -> dict[str, Any]:
    """The columns that a save changes, and may."""
    told = body.model_fields_set
    values: dict[str, Any] = {}
    if document is None and body.name and body.name != now.name:  # the document says its name too
        document = cast("Document", {**(await workflows.get(now.id)).flow_data, "name": body.name})
    if document is not None:
        values |= {"flow_data": dict(document), "name": document["name"]}
    if "description" in told:
        values["description"] = body.description or None
    if "is_public" in told:
        values["is_public"] = bool(body.is_public)
    if "organization_id" in told:
        values["organization_id"] = body.organization_id
    wanted = Target(now.user_id, values.get("organization_id", now.organization_id), bool(now.is_public))
    _demand_sharing(
        call.caller,
        wanted,
        shares=wanted.organization_id != now.organization_id,
        publishes=values.get("is_public", bool(now.is_public)) != bool(now.is_public),
    )
    return values


def _demand_sharing(caller: Caller, row: Any, *, shares: bool, publishes: bool) -> None:
    if shares:
        if row.organization_id is not None and row.organization_id not in caller.organizations:
            raise missing("organization")
        demand(caller, "workflow.share", row)
    if publishes:
        demand(caller, "workflow.publish", row)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
