"""Who asks: from an access token, from the kernel that a person owns, or simply the owner of the server."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from bpaz_lab.errors import Conflict, Forbidden, Unauthenticated
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories.users import Users, standing, with_identity
from bpaz_lab.store.tables import User
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.database import Database

LOCAL: Final = "local"
OWNER: Final = "owner"
_FRESH: Final = 5.0
"""Seconds that the owner is not looked up again; what this process changes is seen at once."""
_owners: WeakKeyDictionary[Database, tuple[float, Caller]] = WeakKeyDictionary()


async def authenticate(lab: Lab, bearer: str, *, request_id: str = "", address: str = "") -> Caller:
    """The person who holds an access token.

    Args:
        lab: The laboratory.
        bearer: The token.
        request_id: The request, as the logs name it.
        address: Where the request came from.

    Raises:
        Unauthenticated: The token is none, or no longer: its login was ended, or the account is disabled.
    """
    await lab.ready()
    accounts_demanded(lab)
    claims = lab.tokens.read(bearer)
    async with lab.database.session(read_only=True) as session:
        found = await standing(session, claims.user_id, login=claims.session_id, now=utcnow())
    if found is None:
        raise Unauthenticated("the login has ended", hint="Sign in again.")
    return replace(found, request_id=request_id, address=address)


async def on_behalf(
    lab: Lab, owner_id: UUID, kernel_id: str, *, request_id: str = "", address: str = ""
) -> Caller:
    """The person on whose behalf a kernel asks.

    Args:
        lab: The laboratory.
        owner_id: Whom the kernel belongs to.
        kernel_id: The kernel, which has proved itself.
        request_id: The request, as the logs name it.
        address: Where the request came from.

    Raises:
        Unauthenticated: There is no such person any more, or the account is disabled.
    """
    await lab.ready()
    found: Caller | None = await owner(lab) if lab.settings.profile == LOCAL else None
    if found is None or found.user_id != owner_id:
        async with lab.database.session(read_only=True) as session:
            found = await standing(session, owner_id)
    if found is None:
        raise Unauthenticated("the kernel's owner has no account any more", hint="Ask an administrator.")
    return replace(found, kernel_id=kernel_id, request_id=request_id, address=address)


async def owner(lab: Lab, *, request_id: str = "", address: str = "") -> Caller:
    """The owner of the server, in the profile ``local``; the account is made at first use.

    Raises:
        Unauthenticated: The account was disabled.
    """
    await lab.ready()
    until, known = _owners.get(lab.database, (0.0, Caller()))
    if time.monotonic() >= until:
        known = await _owner(lab)
        _owners[lab.database] = time.monotonic() + _FRESH, known
    return replace(known, request_id=request_id, address=address)


def forget_owner(lab: Lab) -> None:
    """Looks the owner up anew at the next request, because what the owner may do has changed."""
    _owners.pop(lab.database, None)


def accounts_demanded(lab: Lab) -> None:
    """Demands that this installation has accounts with passwords.

    Raises:
        Forbidden: It has none.
    """
    if lab.settings.profile == "local":
        raise Forbidden(
            "this server has no accounts: its owner is the user",
            hint="For accounts set BPAZ_PROFILE=shared; docs/accounts.md says what that protects.",
        )
    if not lab.settings.accept_shared_risk:
        raise Forbidden(
            "accounts are off until somebody has read what they do not protect",
            hint="Read docs/accounts.md, then set BPAZ_ACCEPT_SHARED_RISK=true.",
        )


async def _owner(lab: Lab) -> Caller:
    async with lab.database.session(read_only=True) as session:
        user = await with_identity(session, LOCAL, OWNER)
        found = None if user is None else await standing(session, user.id)
    if user is None:
        try:
            async with lab.database.session() as session:
                made = User(identity_provider=LOCAL, subject=OWNER, role="admin", full_name=OWNER)
                await Users(session, Caller()).save(made)
        except Conflict:
            pass  # another process was quicker
        async with lab.database.session(read_only=True) as session:
            user = await with_identity(session, LOCAL, OWNER)
            found = None if user is None else await standing(session, user.id)
    if found is None:
        raise Unauthenticated("the owner's account is disabled", hint="Enable it in the table users.")
    return found
