"""Who belongs to an organisation, for its administrators."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (models are made from the hints)
from typing import TYPE_CHECKING, Literal
from uuid import UUID  # noqa: TC003

from bpaz_lab.accounts.policy import Target, demand, missing
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.identities import forget_owner
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.people import Email  # noqa: TC001
from bpaz_lab.services.route import Model, route
from bpaz_lab.services.users import RoleName  # noqa: TC001
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.members import Members
from bpaz_lab.store.repositories.organizations import Organizations
from bpaz_lab.store.repositories.roles import Roles
from bpaz_lab.store.repositories.users import with_email
from bpaz_lab.store.tables import OrganizationUser

if TYPE_CHECKING:
    from bpaz_lab.store.database import Session

MemberStatus = Literal["ACTIVE", "INACTIVE"]


class MemberView(Model):
    """A member of an organisation."""

    user_id: UUID
    email: str | None
    full_name: str | None
    role: str
    status: str
    created_at: datetime | None
    updated_at: datetime | None


class MemberQuery(Listing):
    """Which members."""

    status: MemberStatus | None = None


class MemberMade(Model):
    """A new member, by the address of the account."""

    email: Email
    role: RoleName = "user"
    status: MemberStatus = "ACTIVE"


class MemberChange(Model):
    """What to change."""

    role: RoleName | None = None
    status: MemberStatus | None = None


@route("GET", "admin/organizations/{id}/members")
async def list_members(call: Call, id: UUID, query: MemberQuery) -> Page[MemberView]:
    """Lists the members of an organisation."""
    demand(call.caller, "member.manage", Target(organization_id=id))
    async with call.session() as session:
        await Organizations(session, call.caller).get(id)
        members = Members(session, call.caller)
        rows = await members.page(
            id, sort=query.sort, limit=query.limit, cursor=query.cursor, status=query.status or ""
        )
        items = await _views(members, rows.items)
    return Page(items=items, next=rows.next)


@route("POST", "admin/organizations/{id}/members", status=201)
async def create_member(call: Call, id: UUID, body: MemberMade) -> MemberView:
    """Takes somebody into an organisation."""
    demand(call.caller, "member.manage", Target(organization_id=id))
    async with call.session() as session:
        await Organizations(session, call.caller).get(id)
        user = await with_email(session, body.email)
        if user is None:
            raise missing("user")
        role = await Roles(session, call.caller).named(body.role)
        assert call.caller.user_id is not None
        made = OrganizationUser(
            organization_id=id,
            user_id=user.id,
            role_id=role.id,
            status=body.status,
            created_by=call.caller.user_id,
            updated_by=call.caller.user_id,
        )
        members = Members(session, call.caller)
        member = await members.save(made)
        await _recorded(call, session, "member.create", member, role.name)
        return (await _views(members, [member]))[0]


@route("PUT", "admin/organizations/{id}/members/{user_id}")
async def update_member(call: Call, id: UUID, user_id: UUID, body: MemberChange) -> MemberView:
    """Changes the role or the status of a member; the last administrator stays one."""
    demand(call.caller, "member.manage", Target(organization_id=id))
    async with call.session() as session:
        members = Members(session, call.caller)
        member = await members.get(id, user_id)
        was = await members.administers(member)
        if body.role is not None:
            member.role_id = (await Roles(session, call.caller).named(body.role)).id
        member.status = body.status or member.status
        if was and not await members.administers(member):
            await members.keep_an_administrator(member)
        assert call.caller.user_id is not None
        member.updated_by = call.caller.user_id
        await members.save(member)
        view = (await _views(members, [member]))[0]
        await _recorded(call, session, "member.update", member, view.role)
        return view


@route("DELETE", "admin/organizations/{id}/members/{user_id}", status=204)
async def delete_member(call: Call, id: UUID, user_id: UUID) -> None:
    """Lets a member go; the last administrator stays."""
    demand(call.caller, "member.manage", Target(organization_id=id))
    async with call.session() as session:
        members = Members(session, call.caller)
        member = await members.get(id, user_id)
        if await members.administers(member):
            await members.keep_an_administrator(member)
        await members.remove(member)
        await _recorded(call, session, "member.delete", member, "")


async def _views(members: Members, rows: list[OrganizationUser]) -> list[MemberView]:
    return [
        MemberView(
            user_id=user.id,
            email=user.email,
            full_name=user.full_name,
            role=role.name,
            status=row.status,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row, user, role in await members.described(rows)
    ]


async def _recorded(call: Call, session: Session, action: str, member: OrganizationUser, role: str) -> None:
    details = {"organization_id": str(member.organization_id), "role": role, "status": member.status}
    await audit.record(session, call.caller, action, "member", member.user_id, details=details)
    forget_owner(call.lab)
