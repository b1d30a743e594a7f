"""Templates: workflows to begin with. Some come along; others are one's own, or published for all."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime  # noqa: TC003 (fields are made from the hints)
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pydantic import Field

from bpaz_lab.accounts.policy import allows, demand, missing
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.route import Answer, Model, route
from bpaz_lab.services.workflow_check import storable
from bpaz_lab.services.workflow_views import WorkflowView  # noqa: TC001
from bpaz_lab.services.workflows import answer, keep, view
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.templates import Templates
from bpaz_lab.store.tables import WorkflowTemplate
from bpaz_lab.templates.builtin import Builtin, builtins, find

if TYPE_CHECKING:
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

_BUILTIN: Final = re.compile(r"builtin-(\d{1,6})")
"""The cursor of a page that begins among those that come along."""


class TemplateQuery(Listing):
    """Which templates."""

    sort: str = Field(
        "name", max_length=50, description="`name` or `created_at`; those that come along are always first."
    )
    category: str = Field("", max_length=100)
    contains: str = Field("", max_length=255, description="What their name contains.")


class TemplateMade(Model):
    """A template of your own."""

    name: str = Field("", max_length=255, description="As in the document where it is empty.")
    description: str = Field("", max_length=10_000)
    category: str = Field("General", min_length=1, max_length=100)
    flow_data: dict[str, Any] = Field(description="The document.")


class Publish(Model):
    """Whether everybody who is signed in may use it."""

    published: bool = True


class Begin(Model):
    """A workflow of a template."""

    name: str = Field("", max_length=255, description="As the template where it is empty.")


class TemplateSummary(Model):
    """A template without its document."""

    id: str = Field(description="A UUID, or the name of one that comes along.")
    name: str
    description: str | None
    category: str
    origin: str = Field(description="`builtin`, `mine` or `published`.")
    is_published: bool
    created_at: datetime | None
    may: list[str] = Field(description="What you may do with it: publish, delete.")


class TemplateView(TemplateSummary):
    """A template."""

    flow_data: dict[str, Any]
    inputs: dict[str, Any] = Field(description="Inputs to try it with, where it has some.")


@route("GET", "templates")
async def list_templates(call: Call, query: TemplateQuery) -> Page[TemplateSummary]:
    """Templates: those that come along first, then your own and the published ones."""
    demand(call.caller, "template.read")
    named = query.contains.casefold()
    fitting = [
        each for each in builtins() if query.category in ("", each.category) and named in each.name.casefold()
    ]
    within = _BUILTIN.fullmatch(query.cursor)
    start = int(within[1]) if within else 0 if not query.cursor else len(fitting)
    first = fitting[start : start + query.limit]
    room = query.limit - len(first)
    items = [_builtin(each) for each in first]
    if not room:
        return Page(items=items, next=f"builtin-{start + query.limit}")
    async with call.session() as session:
        rows = await Templates(session, call.caller).page(
            category=query.category,
            contains=query.contains,
            sort=query.sort,
            limit=room,
            cursor="" if within else query.cursor,
        )
    return Page(items=items + [_summary(call.caller, row) for row in rows.items], next=rows.next)


@route("POST", "templates", status=201)
async def create_template(call: Call, body: TemplateMade) -> TemplateView:
    """Keep a template of your own."""
    demand(call.caller, "template.create")
    document = await asyncio.to_thread(storable, body.flow_data, call.lab.settings, body.name)
    async with call.session() as session:
        row = await Templates(session, call.caller).add(
            WorkflowTemplate(
                user_id=call.caller.user_id,
                name=document["name"],
                description=body.description or None,
                category=body.category,
                flow_data=dict(document),
            )
        )
        details = {"name": row.name}
        await audit.record(session, call.caller, "template.create", "template", row.id, details=details)
    return _view(call.caller, row)


@route("GET", "templates/{id}")
async def get_template(call: Call, id: str) -> TemplateView:
    """One template with its document."""
    demand(call.caller, "template.read")
    async with call.session() as session:
        return _view(call.caller, await _found(call, session, id))


@route("DELETE", "templates/{id}")
async def delete_template(call: Call, id: UUID) -> None:
    """Delete a template; the workflows that were made of it stay."""
    async with call.session() as session:
        templates = Templates(session, call.caller)
        row = await templates.get(id)
        demand(call.caller, "template.delete", row)
        await templates.remove(id)
        details = {"name": row.name}
        await audit.record(session, call.caller, "template.delete", "template", id, details=details)


@route("POST", "templates/{id}/publish")
async def publish_template(call: Call, id: UUID, body: Publish) -> TemplateView:
    """Publish a template for everybody who is signed in, or take it back; for administrators."""
    async with call.session() as session:
        row = await Templates(session, call.caller).get(id)
        demand(call.caller, "template.publish", row)
        row.is_published = body.published
        await session.flush()
        details = {"published": body.published}
        await audit.record(session, call.caller, "template.publish", "template", id, details=details)
    return _view(call.caller, row)


@route("POST", "templates/{id}/instantiate", status=201)
async def instantiate_template(call: Call, id: str, body: Begin) -> Answer[WorkflowView]:
    """Begin a workflow of your own with a template."""
    demand(call.caller, "template.read")
    async with call.session() as session:
        found = await _found(call, session, id)
        document = await asyncio.to_thread(
            storable, found.flow_data, call.lab.settings, body.name or found.name
        )
        message = f"begun with the template {found.name}"
        row = await keep(call, session, document, description=found.description or "", message=message)
    made = answer(await view(call.caller, row), status=201)
    return Answer(made.value, made.status, {**(made.headers or {}), "Location": f"../../workflows/{row.id}"})


async def _found(call: Call, session: Session, id: str) -> WorkflowTemplate | Builtin:
    if known := find(id):
        return known
    try:
        key = UUID(id)
    except ValueError:
        raise missing("template") from None
    row = await Templates(session, call.caller).get(key)
    demand(call.caller, "template.read", row)
    return row


def _view(caller: Caller, found: Any) -> TemplateView:
    told = _builtin(found) if isinstance(found, Builtin) else _summary(caller, found)
    inputs = found.inputs if isinstance(found, Builtin) else {}
    return TemplateView(**dict(told), flow_data=found.flow_data, inputs=inputs)


def _builtin(found: Builtin) -> TemplateSummary:
    names = ("id", "name", "description", "category")
    told = {name: getattr(found, name) for name in names}
    return TemplateSummary(**told, origin="builtin", is_published=True, created_at=None, may=[])


def _summary(caller: Caller, row: Any) -> TemplateSummary:
    return TemplateSummary(
        id=str(row.id),
        name=row.name,
        description=row.description,
        category=row.category or "General",
        origin="mine" if row.user_id == caller.user_id else "published",
        is_published=row.is_published,
        created_at=row.created_at,
        may=[each for each in ("publish", "delete") if allows(caller, f"template.{each}", row)],
    )
