"""Organisations: one's own, and those that one administers."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (models are made from the hints)
from uuid import UUID  # noqa: TC003

from pydantic import Field

from bpaz_lab.accounts.policy import Target, demand
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.identities import forget_owner
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.people import FullName  # noqa: TC001
from bpaz_lab.services.route import Model, route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.members import Members
from bpaz_lab.store.repositories.organizations import Organizations
from bpaz_lab.store.repositories.roles import Roles
from bpaz_lab.store.tables import Organization, OrganizationUser


class OrganizationView(Model):
    """An organisation."""

    id: UUID
    name: str
    organization_type: str | None
    admin_user_id: UUID | None
    created_at: datetime | None
    updated_at: datetime | None


class OrganizationQuery(Listing):
    """Which organisations."""

    search: str = Field("", max_length=255, description="What the name contains.")


class OrganizationMade(Model):
    """A new organisation; who makes it is its first administrator."""

    name: FullName = Field(min_length=1)
    organization_type: str | None = Field(None, max_length=100)


class OrganizationChange(Model):
    """What to change; who answers for the organisation has to be an active member of it."""

    name: FullName | None = Field(None, min_length=1)
    organization_type: str | None = Field(None, max_length=100)
    admin_user_id: UUID | None = None


@route("GET", "organizations")
async def list_own_organizations(call: Call, query: OrganizationQuery) -> Page[OrganizationView]:
    """Lists the organisations that one is a member of."""
    return await _page(call, query, own=True)


@route("GET", "admin/organizations")
async def list_organizations(call: Call, query: OrganizationQuery) -> Page[OrganizationView]:
    """Lists the organisations that one may see: all of them for the server's administrator."""
    return await _page(call, query, own=False)


@route("POST", "admin/organizations", status=201)
async def create_organization(call: Call, body: OrganizationMade) -> OrganizationView:
    """Makes an organisation."""
    demand(call.caller, "organization.create")
    async with call.session() as session:
        made = Organization(
            name=body.name, organization_type=body.organization_type, admin_user_id=call.caller.user_id
        )
        organization = await Organizations(session, call.caller).save(made)
        role = await Roles(session, call.caller).named("admin")
        assert call.caller.user_id is not None
        member = OrganizationUser(
            organization_id=organization.id,
            user_id=call.caller.user_id,
            role_id=role.id,
            created_by=call.caller.user_id,
            updated_by=call.caller.user_id,
        )
        await Members(session, call.caller).save(member)
        await audit.record(session, call.caller, "organization.create", "organization", organization.id)
        forget_owner(call.lab)
        return OrganizationView.model_validate(organization)


@route("GET", "admin/organizations/{id}")
async def read_organization(call: Call, id: UUID) -> OrganizationView:
    """Shows an organisation."""
    demand(call.caller, "organization.read", Target(organization_id=id))
    async with call.session() as session:
        return OrganizationView.model_validate(await Organizations(session, call.caller).get(id))


@route("PUT", "admin/organizations/{id}")
async def update_organization(call: Call, id: UUID, body: OrganizationChange) -> OrganizationView:
    """Changes an organisation."""
    demand(call.caller, "organization.manage", Target(organization_id=id))
    async with call.session() as session:
        organizations = Organizations(session, call.caller)
        organization = await organizations.get(id)
        if body.admin_user_id is not None:
            await Members(session, call.caller).get(id, body.admin_user_id)
            organization.admin_user_id = body.admin_user_id
        if body.name is not None:
            organization.name = body.name
        if "organization_type" in body.model_fields_set:
            organization.organization_type = body.organization_type
        await organizations.save(organization)
        details = {"changed": sorted(body.model_fields_set)}
        await audit.record(session, call.caller, "organization.update", "organization", id, details=details)
        return OrganizationView.model_validate(organization)


@route("DELETE", "admin/organizations/{id}", status=204)
async def delete_organization(call: Call, id: UUID) -> None:
    """Removes an organisation; what was shared with it belongs to its owners alone again."""
    demand(call.caller, "organization.read", Target(organization_id=id))
    demand(call.caller, "organization.delete")
    async with call.session() as session:
        organizations = Organizations(session, call.caller)
        await organizations.remove(await organizations.get(id))
        await audit.record(session, call.caller, "organization.delete", "organization", id)
    forget_owner(call.lab)


async def _page(call: Call, query: OrganizationQuery, *, own: bool) -> Page[OrganizationView]:
    demand(call.caller, "organization.read")
    async with call.session() as session:
        rows = await Organizations(session, call.caller).page(
            sort=query.sort, limit=query.limit, cursor=query.cursor, search=query.search, own=own
        )
    return Page(items=[OrganizationView.model_validate(row) for row in rows.items], next=rows.next)
