"""Attempts to come in, for who watches over them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID  # noqa: TC003 (models are made from the hints)

from pydantic import AwareDatetime, Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.services.as_csv import as_csv
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.route import Model, Raw, route
from bpaz_lab.store.repositories.login_activity import LoginActivities


class ActivityView(Model):
    """One attempt."""

    id: UUID
    username: str
    activity_code: int
    message: str
    address: str | None
    attempted_at: AwareDatetime | None


class ActivityQuery(Listing):
    """Which attempts."""

    sort: str = Field("-attempted_at", max_length=50, description="`attempted_at`, or `-attempted_at`.")
    username: str = Field("", max_length=255, description="The address that was given.")
    code: int | None = Field(None, ge=-100, le=100, description="How it ended; see docs/accounts.md.")
    address: str = Field("", max_length=64, description="Where it came from.")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    format: Literal["json", "csv"] = "json"


@route("GET", "admin/login-activity")
async def list_login_activity(call: Call, query: ActivityQuery) -> Page[ActivityView] | Raw:
    """Lists attempts to come in; with ``format=csv`` all of them as a table."""
    demand(call.caller, "activity.read")
    filters = query.model_dump(include={"username", "code", "address", "since", "until", "sort"})
    async with call.session() as session:
        activities = LoginActivities(session, call.caller)
        if query.format == "csv":
            return await as_csv(
                "login-activity",
                ActivityView,
                lambda limit, cursor: activities.page(**filters, limit=limit, cursor=cursor),
                query.cursor,
            )
        rows = await activities.page(**filters, limit=query.limit, cursor=query.cursor)
    return Page(items=[ActivityView.model_validate(row) for row in rows.items], next=rows.next)
