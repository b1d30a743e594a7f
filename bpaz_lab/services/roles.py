"""Roles: which there are, and what they grant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from pydantic import Field

from bpaz_lab.accounts.policy import PERMISSIONS, demand
from bpaz_lab.errors import Conflict
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.identities import forget_owner
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.route import Model, route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.roles import Roles, granted
from bpaz_lab.store.tables import Role

if TYPE_CHECKING:
    from bpaz_lab.store.database import Session

BUILT_IN: Final = ("admin", "user", "viewer")
"""What the documentation says of these stays true."""

Permission = Literal[
    "all",
    "create_workflow",
    "execute_workflow",
    "manage_credentials",
    "view_workflows",
    "execute_public_workflows",
    "edit_shared_workflows",
    "view_audit",
    "view_metrics",
]


class RoleView(Model):
    """A role."""

    id: UUID
    name: str
    description: str | None
    permissions: list[str]
    built_in: bool


class RoleQuery(Listing):
    """Which page of the roles."""

    sort: str = Field("name", max_length=50, description="`name`; `-` before it turns the order.")


class RoleMade(Model):
    """A new role."""

    name: str = Field(min_length=1, max_length=50, pattern=r"^[a-z][a-z0-9_-]*$")
    description: str = Field("", max_length=500)
    permissions: list[Permission] = Field(max_length=len(PERMISSIONS))


class RoleChange(Model):
    """What to change; whoever has the role gets it at once."""

    description: str | None = Field(None, max_length=500)
    permissions: list[Permission] | None = Field(None, max_length=len(PERMISSIONS))


@route("GET", "admin/roles")
async def list_roles(call: Call, query: RoleQuery) -> Page[RoleView]:
    """Lists the roles and what they grant."""
    demand(call.caller, "role.read")
    async with call.session() as session:
        rows = await Roles(session, call.caller).page(sort=query.sort, limit=query.limit, cursor=query.cursor)
    return Page(items=[_view(row) for row in rows.items], next=rows.next)


@route("POST", "admin/roles", status=201)
async def create_role(call: Call, body: RoleMade) -> RoleView:
    """Makes a role."""
    demand(call.caller, "role.manage")
    async with call.session() as session:
        made = Role(name=body.name, description=body.description, permissions=_names(body.permissions))
        role = await Roles(session, call.caller).save(made)
        await _recorded(call, session, "role.create", role)
        return _view(role)


@route("GET", "admin/roles/{id}")
async def read_role(call: Call, id: UUID) -> RoleView:
    """Shows a role."""
    demand(call.caller, "role.read")
    async with call.session() as session:
        return _view(await Roles(session, call.caller).get(id))


@route("PUT", "admin/roles/{id}")
async def update_role(call: Call, id: UUID, body: RoleChange) -> RoleView:
    """Changes what a role grants; the three that are built in stay as they are."""
    demand(call.caller, "role.manage")
    async with call.session() as session:
        roles = Roles(session, call.caller)
        role = _changeable(await roles.get(id))
        if body.description is not None:
            role.description = body.description
        if body.permissions is not None:
            role.permissions = _names(body.permissions)
        await roles.save(role)
        await _recorded(call, session, "role.update", role)
        return _view(role)


@route("DELETE", "admin/roles/{id}", status=204)
async def delete_role(call: Call, id: UUID) -> None:
    """Removes a role that nobody has."""
    demand(call.caller, "role.manage")
    async with call.session() as session:
        roles = Roles(session, call.caller)
        role = _changeable(await roles.get(id))
        await roles.remove(role)
        await _recorded(call, session, "role.delete", role)


def _changeable(role: Role) -> Role:
    if role.name in BUILT_IN:
        raise Conflict(f"the role {role.name} is built in", hint="Make a role of your own beside it.")
    return role


def _names(permissions: list[Permission]) -> str:
    return ",".join(dict.fromkeys(permissions))


def _view(role: Role) -> RoleView:
    return RoleView(
        id=role.id,
        name=role.name,
        description=role.description,
        permissions=sorted(granted(role.permissions)),
        built_in=role.name in BUILT_IN,
    )


async def _recorded(call: Call, session: Session, action: str, role: Role) -> None:
    details = {"name": role.name, "permissions": role.permissions}
    await audit.record(session, call.caller, action, "role", role.id, details=details)
    forget_owner(call.lab)
