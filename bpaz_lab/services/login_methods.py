"""Ways into an organisation; what is secret in them is locked, and no answer shows it."""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003 (models are made from the hints)
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID, uuid4

from pydantic import Field, SecretStr

from bpaz_lab.accounts.policy import Target, demand
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.route import Model, route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.login_methods import LoginMethods
from bpaz_lab.store.repositories.organizations import Organizations
from bpaz_lab.store.tables import LoginMethod
from bpaz_lab.vault.vault import Place

if TYPE_CHECKING:
    from bpaz_lab.store.database import Session

MethodStatus = Literal["ENABLE", "DISABLE"]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")]
Public = Annotated[dict[Name, Annotated[str, Field(max_length=2000)]], Field(max_length=50)]
Hidden = Annotated[dict[Name, Annotated[SecretStr, Field(max_length=10_000)]], Field(max_length=50)]


class LoginMethodView(Model):
    """A login method: what is public of it, and the names of what is secret."""

    id: UUID
    name: str
    status: str
    public: dict[str, str]
    secret: list[str]
    created_at: datetime | None
    updated_at: datetime | None


class LoginMethodQuery(Listing):
    """Which login methods."""

    status: MethodStatus | None = None


class LoginMethodMade(Model):
    """A new login method."""

    name: str = Field(min_length=1, max_length=100)
    public: Public = Field({}, description="What may be seen, such as an address.")
    secret: Hidden = Field({}, description="What is locked and never shown again.")
    status: MethodStatus = "ENABLE"


class LoginMethodChange(Model):
    """What to change; ``secret`` replaces all secret fields."""

    name: str | None = Field(None, min_length=1, max_length=100)
    public: Public | None = None
    secret: Hidden | None = None
    status: MethodStatus | None = None


@route("GET", "admin/organizations/{id}/login-methods")
async def list_login_methods(call: Call, id: UUID, query: LoginMethodQuery) -> Page[LoginMethodView]:
    """Lists the login methods of an organisation."""
    demand(call.caller, "login_method.manage", Target(organization_id=id))
    async with call.session() as session:
        await Organizations(session, call.caller).get(id)
        rows = await LoginMethods(session, call.caller, id).page(
            sort=query.sort, limit=query.limit, cursor=query.cursor, status=query.status or ""
        )
    return Page(items=[_view(row) for row in rows.items], next=rows.next)


@route("POST", "admin/organizations/{id}/login-methods", status=201)
async def create_login_method(call: Call, id: UUID, body: LoginMethodMade) -> LoginMethodView:
    """Gives an organisation a login method."""
    demand(call.caller, "login_method.manage", Target(organization_id=id))
    async with call.session() as session:
        await Organizations(session, call.caller).get(id)
        made = LoginMethod(
            id=uuid4(),
            organization_id=id,
            name=body.name,
            config="",
            status=body.status,
            created_by=call.caller.user_id,
            updated_by=call.caller.user_id,
        )
        made.config = await _locked(call, session, made, body.public, body.secret)
        method = await LoginMethods(session, call.caller, id).save(made)
        await _recorded(call, session, "login_method.create", method)
        return _view(method)


@route("GET", "admin/organizations/{id}/login-methods/{method_id}")
async def read_login_method(call: Call, id: UUID, method_id: UUID) -> LoginMethodView:
    """Shows a login method, without what is secret in it."""
    demand(call.caller, "login_method.manage", Target(organization_id=id))
    async with call.session() as session:
        return _view(await LoginMethods(session, call.caller, id).get(method_id))


@route("PUT", "admin/organizations/{id}/login-methods/{method_id}")
async def update_login_method(
    call: Call, id: UUID, method_id: UUID, body: LoginMethodChange
) -> LoginMethodView:
    """Changes a login method."""
    demand(call.caller, "login_method.manage", Target(organization_id=id))
    async with call.session() as session:
        methods = LoginMethods(session, call.caller, id)
        method = await methods.get(method_id)
        if body.secret is not None:
            public = _view(method).public if body.public is None else body.public
            method.config = await _locked(call, session, method, public, body.secret)
        elif body.public is not None:
            method.config = json.dumps({**json.loads(method.config), "public": body.public})
        method.name = body.name or method.name
        method.status = body.status or method.status
        method.updated_by = call.caller.user_id
        await methods.save(method)
        await _recorded(call, session, "login_method.update", method)
        return _view(method)


@route("DELETE", "admin/organizations/{id}/login-methods/{method_id}", status=204)
async def delete_login_method(call: Call, id: UUID, method_id: UUID) -> None:
    """Removes a login method."""
    demand(call.caller, "login_method.manage", Target(organization_id=id))
    async with call.session() as session:
        methods = LoginMethods(session, call.caller, id)
        method = await methods.get(method_id)
        await methods.remove(method)
        await _recorded(call, session, "login_method.delete", method)


async def _locked(
    call: Call, session: Session, method: LoginMethod, public: dict[str, str], secret: dict[str, SecretStr]
) -> str:
    place = Place("login_method", method.id, "login_method", organization_id=method.organization_id)
    fields = {name: each.get_secret_value() for name, each in secret.items()}
    locked = await call.lab.vault.lock(session, place, fields) if fields else ""
    return json.dumps({"public": public, "secret": sorted(fields), "locked": locked})


def _view(method: LoginMethod) -> LoginMethodView:
    config = json.loads(method.config)
    return LoginMethodView(
        id=method.id,
        name=method.name,
        status=method.status,
        public=config["public"],
        secret=config["secret"],
        created_at=method.created_at,
        updated_at=method.updated_at,
    )


async def _recorded(call: Call, session: Session, action: str, method: LoginMethod) -> None:
    details = {"organization_id": str(method.organization_id), "name": method.name, "status": method.status}
    await audit.record(session, call.caller, action, "login_method", method.id, details=details)
