"""An attempt to come in with a password: each is counted, and tells nobody why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.accounts.throttle import Activity, demand_patience
from bpaz_lab.errors import Throttled, Unauthenticated
from bpaz_lab.store.repositories.login_activity import LoginActivities
from bpaz_lab.store.repositories.users import with_email
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.services.call import Call
    from bpaz_lab.store.tables import User


async def prove(call: Call, email: str, password: str) -> tuple[User, UUID]:
    """Who has this address and this password.

    An unknown address, a wrong password and a disabled account take as long as each other and get the same
    answer. The attempt is written down before the password is looked at, so that many at once are counted.

    Args:
        call: The request.
        email: The address.
        password: The password.

    Returns:
        The account, and the attempt, which is to be concluded in the transaction of what follows.

    Raises:
        Unauthenticated: They are not right.
        Throttled: Too soon after others that were not.
    """
    attempt = await begin(call, email)
    await call.lab.ready()
    async with call.lab.database.session(read_only=True) as session:
        user = await with_email(session, email)
    right = await call.lab.passwords.check(password, None if user is None else user.password_hash)
    if user is not None and right and user.status == "active":
        return user, attempt
    known = Activity.DISABLED if right else Activity.WRONG_PASSWORD
    ended = Activity.UNKNOWN_USER if user is None else known
    async with call.session() as session:
        await LoginActivities(session, call.caller).conclude(attempt, ended, ended.message)
    raise wrong()


def wrong() -> Unauthenticated:
    """The one answer to everything that is not right."""
    return Unauthenticated("the address or the password is not right", hint="Check both, and try again.")


async def begin(call: Call, email: str) -> UUID:
    """Writes down that an attempt begins.

    Raises:
        Throttled: It comes too soon after others that failed.
    """
    now = utcnow()
    async with call.session() as session:
        activities = LoginActivities(session, call.caller)
        try:
            await demand_patience(activities, email, call.caller.address, now)
        except Throttled:
            await activities.record(email, Activity.THROTTLED, Activity.THROTTLED.message, now)
            await session.commit()
            raise
        row = await activities.record(email, Activity.BEGUN, Activity.BEGUN.message, now)
        return row.id
