"""Guessing passwords gets slower with every wrong guess, and nobody is ever locked out for good.

The first wrong guesses are free, then each doubles the time to the next, up to a quarter of an hour
(OWASP Authentication Cheat Sheet, "Login Throttling"). Counted are the attempts in ``login_activity``, so
that several servers on one database count together: those on an account, and those from an address. Who
signed in from an address lately is judged by the attempts on that account from that address alone: somebody
who guesses from elsewhere cannot keep the person out ("device cookies" of OWASP, without the cookie).

Example:
    >>> [wait(failures, 0.0, free=5) for failures in (4, 5, 6, 9, 100)]
    [0.0, 1.0, 2.0, 16.0, 900.0]
"""

from __future__ import annotations

import math
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from bpaz_lab.errors import Throttled

if TYPE_CHECKING:
    from datetime import datetime

    from bpaz_lab.store.repositories.login_activity import LoginActivities, Tries

LONGEST: Final = 900.0
"""Seconds to wait at most."""
FREE_ON_ACCOUNT: Final = 5
FREE_FROM_ADDRESS: Final = 20
"""Wrong guesses before it gets slower; more from an address, which may be that of a whole office."""
MEMORY: Final = timedelta(days=1)
"""How far back wrong guesses count."""
KNOWN: Final = timedelta(days=30)
"""How long an address is known from which somebody signed in."""


class Activity(IntEnum):
    """How an attempt to come in ended: ``login_activity.activity_code``."""

    SIGNED_IN = 0
    SIGNED_OUT = 1
    SIGNED_UP = 2
    UNKNOWN_USER = -1
    WRONG_PASSWORD = -2
    DISABLED = -3
    THROTTLED = -4
    TOKEN_REUSED = -5
    BEGUN = -6
    TAKEN = -7

    @property
    def message(self) -> str:
        """What stands beside the code."""
        return _MESSAGES[self]


_MESSAGES: Final = {
    Activity.SIGNED_IN: "signed in",
    Activity.SIGNED_OUT: "signed out",
    Activity.SIGNED_UP: "signed up",
    Activity.UNKNOWN_USER: "there is no such account",
    Activity.WRONG_PASSWORD: "the password is wrong",
    Activity.DISABLED: "the account is disabled",
    Activity.THROTTLED: "too soon after wrong passwords",
    Activity.TOKEN_REUSED: "a refresh token came twice; the login was ended",
    Activity.TAKEN: "wanted the address of another account",
    Activity.BEGUN: "an attempt that did not come to its end",
}
FAILURES: Final = (
    Activity.UNKNOWN_USER,
    Activity.WRONG_PASSWORD,
    Activity.DISABLED,
    Activity.BEGUN,
    Activity.TAKEN,
)
"""What counts as a wrong guess. An attempt that has only begun does, so that many at once are not free."""


def wait(failures: int, since: float, *, free: int) -> float:
    """Seconds to wait before the next guess.

    Args:
        failures: Wrong guesses so far.
        since: Seconds since the last one.
        free: How many are free.
    """
    if failures < free:
        return 0.0
    # 2 ** 10 is longer than the longest; larger powers need not be computed.
    return max(0.0, min(LONGEST, 2.0 ** min(failures - free, 10)) - max(since, 0.0))


async def demand_patience(activities: LoginActivities, username: str, address: str, now: datetime) -> None:
    """Lets an attempt through, unless it comes too soon after wrong ones.

    Args:
        activities: The attempts; this transaction is to write the new one, too.
        username: The account that is tried, whether or not there is one.
        address: Where the attempt comes from.
        now: This moment.

    Raises:
        Throttled: It comes too soon; the error says in how many seconds to try again.
    """
    await activities.alone(f"account {username}", f"address {address}")
    since = now - MEMORY
    known = bool(address) and await activities.came_from(username, address, Activity.SIGNED_IN, now - KNOWN)
    account = await activities.failed(
        FAILURES,
        since,
        username=username,
        address=address if known else "",
        forgiven_by=Activity.SIGNED_IN,
    )
    seconds = _seconds(account, now, FREE_ON_ACCOUNT)
    if address and not known:
        others = await activities.failed(FAILURES, since, address=address)
        seconds = max(seconds, _seconds(others, now, FREE_FROM_ADDRESS))
    if seconds > 0:
        raise Throttled(
            "too many wrong passwords",
            hint=f"Try again in {math.ceil(seconds)} seconds.",
            retry_after=float(math.ceil(seconds)),
        )


def _seconds(tries: Tries, now: datetime, free: int) -> float:
    return 0.0 if tries.last is None else wait(tries.count, (now - tries.last).total_seconds(), free=free)
