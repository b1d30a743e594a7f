"""One's own account: to look at, to change, to take away, and to have erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pydantic_core import to_jsonable_python

from bpaz_lab.accounts.passwords import accept
from bpaz_lab.accounts.policy import demand
from bpaz_lab.accounts.throttle import Activity
from bpaz_lab.errors import Forbidden, InputError, Unauthenticated
from bpaz_lab.services.attempts import prove
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.identities import LOCAL, forget_owner
from bpaz_lab.services.people import Email, FullName, OwnOrganization, Password, ProfileView, UserView
from bpaz_lab.services.route import Answer, Model, route
from bpaz_lab.store.repositories import audit, personal
from bpaz_lab.store.repositories.auth_sessions import AuthSessions
from bpaz_lab.store.repositories.login_activity import LoginActivities
from bpaz_lab.store.repositories.organizations import Organizations
from bpaz_lab.store.repositories.users import Users
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.database import Session
    from bpaz_lab.store.tables import User

NOTHING = SecretStr("")


class ProfileChange(Model):
    """What to change; a new address or password takes the current password."""

    full_name: FullName | None = None
    email: Email | None = None
    password: Password | None = None
    current_password: Password = NOTHING


class Erasure(Model):
    """That one means it: the current password, where there is one."""

    current_password: Password = NOTHING


class Export(Model):
    """All that is kept of one person: the rows of each table, without secrets."""

    tables: dict[str, list[dict[str, Any]]]


@route("GET", "auth/profile")
async def read_profile(call: Call) -> ProfileView:
    """Shows one's own account and what one may do."""
    demand(call.caller, "profile.read")
    async with call.session() as session:
        return await _view(call, session, await Users(session, call.caller).get(call.caller.user_id))


@route("PUT", "auth/profile")
async def update_profile(call: Call, body: ProfileChange) -> ProfileView:
    """Changes one's name, address or password; a new password ends all other logins."""
    demand(call.caller, "profile.update")
    attempt, kept = None, None
    if body.email is not None or body.password is not None:
        user, attempt = await _proved(call, body.current_password)
        if body.password is not None:
            new = body.password.get_secret_value()
            accept(new, (body.email or user.email or "", body.full_name or user.full_name or ""))
            kept = await call.lab.passwords.hash(new)
    async with call.session() as session:
        users = Users(session, call.caller)
        user = await users.get(call.caller.user_id)
        if attempt is not None:
            ended = Activity.SIGNED_IN
            await LoginActivities(session, call.caller).conclude(attempt, ended, ended.message)
        if kept is not None:
            user.password_hash = kept
            await AuthSessions(session).revoke_all(user.id, utcnow(), but=call.caller.session_id)
        if body.email is not None and body.email != user.email:
            before, user.email = user.email or "", body.email
            await users.save(user)
            await LoginActivities(session, call.caller).renamed(before, body.email)
        if body.full_name is not None:
            user.full_name = body.full_name or None
        await users.save(user)
        changed = sorted(body.model_fields_set - {"current_password"})
        await audit.record(
            session, call.caller, "profile.update", "user", user.id, details={"changed": changed}
        )
        forget_owner(call.lab)
        return await _view(call, session, user)


@route("GET", "auth/profile/export")
async def export_profile(call: Call) -> Answer[Export]:
    """Gives all that is kept of oneself, without secrets."""
    demand(call.caller, "profile.update")
    return await exported(call, call.caller.user_id)


@route("DELETE", "auth/profile", status=204)
async def erase_profile(call: Call, body: Erasure) -> None:
    """Erases oneself: the account and all that belongs to it, for good."""
    demand(call.caller, "profile.update")
    if call.lab.settings.profile != LOCAL:
        await _proved(call, body.current_password)
    await erased(call, call.caller.user_id)


async def exported(call: Call, user_id: UUID | None) -> Answer[Export]:
    """All that is kept of a person whom the caller may see."""
    async with call.session() as session:
        user = await Users(session, call.caller).get(user_id)
        rows = await personal.export(session, user)
    headers = {"Content-Disposition": 'attachment; filename="bpaz_lab-export.json"'}
    return Answer(Export(tables=to_jsonable_python(rows)), headers=headers)


async def erased(call: Call, user_id: UUID | None) -> None:
    """Erases a person whom the caller may see.

    Raises:
        Conflict: The person is the only administrator of a server with accounts.
    """
    async with call.session() as session:
        users = Users(session, call.caller)
        user = await users.get(user_id)
        if call.lab.settings.profile != LOCAL and user.role == "admin" and user.status == "active":
            await users.keep_an_administrator(user)
        await audit.record(session, call.caller, "user.erase", "user", user.id)
        await personal.erase(session, user)
    forget_owner(call.lab)


async def _proved(call: Call, password: SecretStr) -> tuple[User, UUID]:
    """The person, who has shown the current password.

    Raises:
        Forbidden: The account has no password: somebody else vouches for the person.
        InputError: The password is not right.
    """
    async with call.lab.database.session(read_only=True) as session:
        user = await Users(session, call.caller).get(call.caller.user_id)
    if user.password_hash is None or user.email is None:
        raise Forbidden("this account has no password", hint="It comes from Jupyter; change it there.")
    try:
        return await prove(call, user.email, password.get_secret_value())
    except Unauthenticated:  # the person is signed in still
        raise InputError(
            "the current password is not right", path="body.current_password", hint="Give the present one."
        ) from None


async def _view(call: Call, session: Session, user: User) -> ProfileView:
    rows = await Organizations(session, call.caller).page(sort="name", limit=200, cursor="", own=True)
    return ProfileView(
        **UserView.model_validate(user).model_dump(),
        permissions=sorted(call.caller.permissions),
        organizations=[
            OwnOrganization(
                id=each.id, name=each.name, permissions=sorted(call.caller.organizations[each.id])
            )
            for each in rows.items
        ],
    )
