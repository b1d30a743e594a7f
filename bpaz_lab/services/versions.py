"""The versions of a workflow: look back, compare, bring one back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from bpaz_lab.accounts.policy import demand
from bpaz_lab.graph.difference import Difference, difference
from bpaz_lab.graph.document import shaped
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.listing import Page
from bpaz_lab.services.route import Answer, route
from bpaz_lab.services.workflow_views import (
    DifferenceView,
    DiffQuery,
    Restore,
    VersionQuery,
    VersionSummary,
    VersionView,
    WorkflowView,
)
from bpaz_lab.services.workflows import answer, expected, quicker, view
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.versions import Versions
from bpaz_lab.store.repositories.workflows import Workflows

if TYPE_CHECKING:
    from bpaz_lab.store.caller import Caller


@route("GET", "workflows/{id}/versions")
async def list_versions(call: Call, id: UUID, query: VersionQuery) -> Page[VersionSummary]:
    """The versions of a workflow: who, when and why; without their documents."""
    async with call.session() as session:
        demand(call.caller, "workflow.read", await Workflows(session, call.caller).summary(id))
        rows = await Versions(session, call.caller).page(
            id, sort=query.sort, limit=query.limit, cursor=query.cursor
        )
    return Page(items=[VersionSummary(**_fields(call.caller, row)) for row in rows.items], next=rows.next)


@route("GET", "workflows/{id}/versions/{n}")
async def get_version(call: Call, id: UUID, n: int) -> VersionView:
    """One version with its document."""
    async with call.session() as session:
        demand(call.caller, "workflow.read", await Workflows(session, call.caller).summary(id))
        versions = Versions(session, call.caller)
        row = await versions.get(id, n)
        told = await versions.saved_by(id, n)
    return VersionView(**_fields(call.caller, told), flow_data=row.flow_data)


@route("GET", "workflows/{id}/diff")
async def diff_versions(call: Call, id: UUID, query: DiffQuery) -> DifferenceView:
    """What differs between two versions, as a person would tell it."""
    async with call.session() as session:
        row = await Workflows(session, call.caller).summary(id)
        demand(call.caller, "workflow.read", row)
        to = query.to or row.version or 1
        before = query.from_ or max(1, to - 1)
        versions = Versions(session, call.caller)
        documents = [(await versions.get(id, number)).flow_data for number in (before, to)]
    found = await asyncio.to_thread(_difference, *documents)
    return DifferenceView(from_version=before, to_version=to, text=str(found), **found.to_dict())


@route("POST", "workflows/{id}/versions/{n}/restore", status=201)
async def restore_version(call: Call, id: UUID, n: int, body: Restore) -> Answer[WorkflowView]:
    """Make an older version the latest again, as a version of its own; nothing is lost."""
    known = expected(call, body.version)
    async with call.session() as session:
        workflows = Workflows(session, call.caller)
        now = await workflows.summary(id)
        demand(call.caller, "workflow.update", now)
        old = await Versions(session, call.caller).get(id, n)
        values = {"flow_data": old.flow_data, "name": old.name, "description": old.description}
        version = known or now.version or 1
        row = await workflows.save(id, version, values, body.message or f"as in version {n}")
        if row is None:
            raise await quicker(call, session, id, version)
        details = {"version": row.version, "restored": n}
        await audit.record(session, call.caller, "workflow.update", "workflow", id, details=details)
    return answer(await view(call.caller, row, now.owner), status=201)


def _difference(one: Any, other: Any) -> Difference:
    return difference(shaped(one), shaped(other))


def _fields(caller: Caller, row: Any) -> dict[str, Any]:
    names = ("version", "name", "description", "message", "created_at")
    by = caller.name if row.user_id == caller.user_id else row.saved_by or "somebody"
    return {**{name: getattr(row, name) for name in names}, "saved_by": by}
