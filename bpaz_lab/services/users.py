"""Accounts, for the server's administrator."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from pydantic import Field

from bpaz_lab.accounts.passwords import accept
from bpaz_lab.accounts.policy import demand
from bpaz_lab.errors import Forbidden
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.identities import accounts_demanded, forget_owner
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.people import Email, FullName, Password, Status, UserView
from bpaz_lab.services.profile import Export, erased, exported
from bpaz_lab.services.route import Answer, Model, route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.auth_sessions import AuthSessions
from bpaz_lab.store.repositories.login_activity import LoginActivities
from bpaz_lab.store.repositories.roles import Roles
from bpaz_lab.store.repositories.users import Users
from bpaz_lab.store.tables import User
from bpaz_lab.store.tables.columns import utcnow

RoleName = Annotated[str, Field(min_length=1, max_length=50)]


class UserQuery(Listing):
    """Which accounts."""

    search: str = Field("", max_length=255, description="What the address or the name contains.")
    role: str = Field("", max_length=50, description="The role on the server.")
    status: Status | None = None


class UserMade(Model):
    """A new account."""

    email: Email
    password: Password
    full_name: FullName = ""
    role: RoleName = "user"


class UserChange(Model):
    """What to change; a new password ends all logins of the account, and so does disabling it."""

    email: Email | None = None
    full_name: FullName | None = None
    role: RoleName | None = None
    status: Status | None = None
    password: Password | None = None


@route("GET", "admin/users")
async def list_users(call: Call, query: UserQuery) -> Page[UserView]:
    """Lists the accounts."""
    demand(call.caller, "user.manage")
    async with call.session() as session:
        rows = await Users(session, call.caller).page(
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
            search=query.search,
            role=query.role,
            status=query.status or "",
        )
    return Page(items=[UserView.model_validate(row) for row in rows.items], next=rows.next)


@route("POST", "admin/users", status=201)
async def create_user(call: Call, body: UserMade) -> UserView:
    """Makes an account with a password, which the administrator tells the person."""
    demand(call.caller, "user.manage")
    accounts_demanded(call.lab)
    password = body.password.get_secret_value()
    accept(password, (body.email, body.full_name))
    kept = await call.lab.passwords.hash(password)
    async with call.session() as session:
        await Roles(session, call.caller).named(body.role)
        made = User(email=body.email, full_name=body.full_name or None, password_hash=kept, role=body.role)
        user = await Users(session, call.caller).save(made)
        await audit.record(session, call.caller, "user.create", "user", user.id, details={"role": body.role})
        return UserView.model_validate(user)


@route("GET", "admin/users/{id}")
async def read_user(call: Call, id: UUID) -> UserView:
    """Shows an account."""
    demand(call.caller, "user.manage")
    async with call.session() as session:
        return UserView.model_validate(await Users(session, call.caller).get(id))


@route("PUT", "admin/users/{id}")
async def update_user(call: Call, id: UUID, body: UserChange) -> UserView:
    """Changes an account; the server's last administrator stays one."""
    demand(call.caller, "user.manage")
    kept = None
    if body.password is not None:
        accept(body.password.get_secret_value(), (body.email or "", body.full_name or ""))
        kept = await call.lab.passwords.hash(body.password.get_secret_value())
    async with call.session() as session:
        users = Users(session, call.caller)
        user = await users.get(id)
        if user.identity_provider != "password" and (kept is not None or body.email is not None):
            raise Forbidden("this account has no password", hint="Somebody else vouches for the person.")
        stays = (body.role or user.role) == "admin" and (body.status or user.status) == "active"
        if user.role == "admin" and user.status == "active" and not stays:
            await users.keep_an_administrator(user)
        if body.role is not None:
            user.role = (await Roles(session, call.caller).named(body.role)).name
        if body.full_name is not None:
            user.full_name = body.full_name or None
        user.status = body.status or user.status
        before, user.email = user.email, body.email or user.email
        user.password_hash = kept or user.password_hash
        await users.save(user)
        if before is not None and user.email is not None and before != user.email:
            await LoginActivities(session, call.caller).renamed(before, user.email)
        if kept is not None or user.status != "active":
            await AuthSessions(session).revoke_all(user.id, utcnow())
        details = {"changed": sorted(body.model_fields_set), "role": user.role, "status": user.status}
        await audit.record(session, call.caller, "user.update", "user", user.id, details=details)
        forget_owner(call.lab)
        return UserView.model_validate(user)


@route("DELETE", "admin/users/{id}", status=204)
async def erase_user(call: Call, id: UUID) -> None:
    """Erases a person: the account and all that belongs to it, for good."""
    demand(call.caller, "user.manage")
    await erased(call, id)


@route("GET", "admin/users/{id}/export")
async def export_user(call: Call, id: UUID) -> Answer[Export]:
    """Gives all that is kept of a person, without secrets."""
    demand(call.caller, "user.manage")
    return await exported(call, id)
