"""Signing up, in and out, and a new access token for a refresh token; in the profile ``shared`` alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from pydantic import Field

from bpaz_lab.accounts.passwords import accept
from bpaz_lab.accounts.throttle import Activity
from bpaz_lab.accounts.tokens import hashed, session_of
from bpaz_lab.errors import Conflict, Forbidden, Unauthenticated
from bpaz_lab.services.attempts import begin, prove, wrong
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.identities import accounts_demanded
from bpaz_lab.services.people import Email, FullName, Password, UserView
from bpaz_lab.services.route import Answer, Model, route
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.auth_sessions import AuthSessions
from bpaz_lab.store.repositories.login_activity import LoginActivities
from bpaz_lab.store.repositories.users import Users, first_account, standing, with_email
from bpaz_lab.store.tables import AuthSession, User
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from bpaz_lab.store.database import Session

COOKIE: Final = "bpaz_refresh"
WINDOW: Final = timedelta(seconds=10)
"""How long a refresh token may come again: two tabs wake up at once, or an answer gets lost."""


class SignIn(Model):
    """Who wants to come in."""

    email: Email
    password: Password


class SignUp(SignIn):
    """Who wants an account."""

    full_name: FullName = Field("")


class SignedIn(Model):
    """What to send as ``X-Bpaz-Authorization: Bearer …``, for how many seconds; keep it in memory alone."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (the name of a scheme)
    expires_in: int
    user: UserView


@route("POST", "auth/signup", access="anonymous", status=201)
async def sign_up(call: Call, body: SignUp) -> Answer[SignedIn]:
    """Makes an account and signs in; the first account is the administrator."""
    accounts_demanded(call.lab)
    password = body.password.get_secret_value()
    accept(password, (body.email, body.full_name))
    attempt = await begin(call, body.email)
    kept = await call.lab.passwords.hash(password)
    async with call.session() as session:
        activities = LoginActivities(session, call.caller)
        first = await first_account(session)
        if not (first or call.lab.settings.sign_up):
            raise Forbidden("nobody may sign up here", hint="Ask an administrator for an account.")
        if await with_email(session, body.email) is not None:
            await activities.conclude(attempt, Activity.TAKEN, Activity.TAKEN.message)
            await session.commit()
            raise Conflict("there is an account with this address", path="body.email", hint="Sign in.")
        user = User(
            email=body.email,
            full_name=body.full_name or None,
            password_hash=kept,
            role="admin" if first else "user",
        )
        await Users(session, call.caller).save(user)
        await activities.conclude(attempt, Activity.SIGNED_UP, Activity.SIGNED_UP.message)
        await audit.record(session, _person(call, user), "user.create", "user", user.id)
        return await _opened(call, session, user, status=201)


@route("POST", "auth/signin", access="anonymous")
async def sign_in(call: Call, body: SignIn) -> Answer[SignedIn]:
    """Signs in with an address and a password."""
    accounts_demanded(call.lab)
    password = body.password.get_secret_value()
    user, attempt = await prove(call, body.email, password)
    proved = user.password_hash
    renewed = await call.lab.passwords.hash(password) if call.lab.passwords.outdated(proved or "") else proved
    async with call.session() as session:
        found = await session.get(User, user.id)
        if found is None or found.status != "active" or found.password_hash != proved:  # in the meantime
            raise wrong()
        user = found
        user.password_hash = renewed
        await LoginActivities(session, call.caller).conclude(
            attempt, Activity.SIGNED_IN, Activity.SIGNED_IN.message
        )
        return await _opened(call, session, user)


@route("POST", "auth/refresh", access="anonymous")
async def refresh(call: Call) -> Answer[SignedIn]:
    """Gives a new access token for the refresh token in the cookie, which is replaced."""
    accounts_demanded(call.lab)
    token = call.cookies.get(COOKIE, "")
    login_id = session_of(token)
    if login_id is None:
        raise _ended()
    await call.lab.ready()
    now, old, following = utcnow(), hashed(token), call.lab.tokens.next_refresh_token(token)
    async with call.session() as session:
        logins = AuthSessions(session)
        turned = await logins.rotate(
            login_id, old, hashed(following), now=now, expires=now + _days(call, "refresh_token_days")
        )
        login = await logins.get(login_id)
        if login is None or login.revoked_at is not None or login.family_expires_at <= now:
            raise _ended()
        again = (
            login.previous_hash == old and login.rotated_at is not None and now - login.rotated_at < WINDOW
        )
        if not turned and not again:
            if login.refresh_hash != old:  # neither the good one nor the one before: somebody has a copy
                await _reused(call, session, login, now)
                await session.commit()
            raise _ended()
        if await standing(session, login.user_id, login=login.id, now=now) is None:
            raise _ended()
        user = await Users(session, Caller(login.user_id)).get(login.user_id)
        # With another signing key in the meantime there is no telling what the next token was.
        told = following if login.refresh_hash == hashed(following) else None
        return _signed_in(call, user, login, told, now)


@route("POST", "auth/signout", status=204)
async def sign_out(call: Call) -> Answer[None]:
    """Ends this login: its access tokens and its refresh token are good for nothing from now on."""
    login = call.caller.session_id
    if login is not None:
        async with call.session() as session:
            now, ended = utcnow(), Activity.SIGNED_OUT
            await AuthSessions(session).revoke(login, now)
            await LoginActivities(session, call.caller).record(call.caller.name, ended, ended.message, now)
            await audit.record(session, call.caller, "session.close", "session", login)
    return Answer(None, status=204, cookies={COOKIE: (None, _where())})


async def _opened(call: Call, session: Session, user: User, *, status: int = 200) -> Answer[SignedIn]:
    """Begins a login."""
    now, login_id = utcnow(), uuid4()
    token = call.lab.tokens.refresh_token(login_id)
    login = AuthSession(
        id=login_id,
        user_id=user.id,
        refresh_hash=hashed(token),
        expires_at=now + _days(call, "refresh_token_days"),
        family_expires_at=now + _days(call, "refresh_family_days"),
        user_agent=call.headers.get("user-agent", "")[:255] or None,
    )
    user.last_login = now
    await Users(session, call.caller).save(user)
    await AuthSessions(session).open(login)
    await audit.record(session, _person(call, user), "session.open", "session", login_id)
    return _signed_in(call, user, login, token, now, status=status)


def _signed_in(
    call: Call, user: User, login: AuthSession, token: str | None, now: datetime, *, status: int = 200
) -> Answer[SignedIn]:
    ends = min(login.expires_at, login.family_expires_at)
    seconds = max(0, int((ends - now).total_seconds()))
    told = SignedIn(
        access_token=call.lab.tokens.issue(user.id, login.id),
        expires_in=call.lab.tokens.lifetime,
        user=UserView.model_validate(user),
    )
    cookies = {COOKIE: (token, {**_where(), "max_age": seconds})} if token is not None else None
    return Answer(told, status=status, headers={"Cache-Control": "no-store"}, cookies=cookies)


async def _reused(call: Call, session: Session, login: AuthSession, now: datetime) -> None:
    """A token came that was used before: its owner or a thief has the newer one, so nobody keeps it."""
    await AuthSessions(session).revoke(login.id, now)
    caller = await standing(session, login.user_id)
    name, ended = "unknown" if caller is None else caller.name, Activity.TOKEN_REUSED
    await LoginActivities(session, call.caller).record(name, ended, ended.message, now)
    person = Caller(login.user_id, name, request_id=call.caller.request_id, address=call.caller.address)
    await audit.record(session, person, "session.close", "session", login.id, outcome="refused")


def _person(call: Call, user: User) -> Caller:
    """Who has just become known."""
    return Caller(
        user.id, user.email or str(user.id), request_id=call.caller.request_id, address=call.caller.address
    )


def _where() -> dict[str, Any]:
    """The server puts the API's address before the path; no other request carries the cookie."""
    return {"path": "auth/refresh", "httponly": True, "samesite": "Strict"}


def _days(call: Call, setting: str) -> timedelta:
    return timedelta(days=getattr(call.lab.settings, setting))


def _ended() -> Unauthenticated:
    return Unauthenticated("the login has ended", hint="Sign in again.")
