"""What was done, by whom, for who watches over it."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID  # noqa: TC003 (models are made from the hints)

from pydantic import AwareDatetime, Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.services.as_csv import as_csv
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.route import Model, Raw, route
from bpaz_lab.store.repositories.audit_log import Audits


class AuditView(Model):
    """One thing that was done."""

    id: UUID
    created_at: AwareDatetime
    user_id: UUID | None
    actor: str
    action: str
    object_type: str
    object_id: str
    outcome: str
    request_id: str
    details: dict[str, Any] | None


class AuditQuery(Listing):
    """Which of the things that were done."""

    user_id: UUID | None = None
    action: str = Field("", max_length=100, description="`workflow.update`; all of a kind: `workflow.`.")
    object_type: str = Field("", max_length=50)
    object_id: str = Field("", max_length=255)
    outcome: Literal["", "done", "refused", "failed"] = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    format: Literal["json", "csv"] = "json"


@route("GET", "admin/audit")
async def list_audit(call: Call, query: AuditQuery) -> Page[AuditView] | Raw:
    """Lists what was done, by whom; with ``format=csv`` all of it as a table."""
    demand(call.caller, "audit.read")
    filters = query.model_dump(exclude={"limit", "cursor", "format"})
    async with call.session() as session:
        audits = Audits(session, call.caller)
        if query.format == "csv":
            return await as_csv(
                "audit",
                AuditView,
                lambda limit, cursor: audits.page(**filters, limit=limit, cursor=cursor),
                query.cursor,
            )
        rows = await audits.page(**filters, limit=query.limit, cursor=query.cursor)
    return Page(items=[AuditView.model_validate(row) for row in rows.items], next=rows.next)
