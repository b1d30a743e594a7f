"""The vault: locks secrets with the data key of whom they belong to, which a key of the ring wraps.

Envelope encryption: the ring's keys wrap small data keys, and only those lock secrets. So a rotation of
the ring rewrites data keys and no secret, and deleting a data key destroys all that it locked. What is
locked opens in its own place only: table, owner, row and type are authenticated with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from bpaz_lab.guard.secret import Secret
from bpaz_lab.store.repositories.data_keys import DataKeys
from bpaz_lab.store.tables import DataKey
from bpaz_lab.vault.key import new_key
from bpaz_lab.vault.sealing import broken, key_name, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.store.database import Session
    from bpaz_lab.vault.keys import KeyRing


@dataclass(frozen=True)
class Place:
    """Where a secret stands, and whose it is; it unlocks nowhere else.

    Attributes:
        table: The table, for instance ``user_credentials``.
        id: The row.
        kind: The type of what is locked, for instance ``openai``.
        user_id: The person whose it is.
        organization_id: The organisation whose it is; without both it is the installation's.

    Example:
        >>> str(Place("login_method", UUID(int=1), "oidc"))
        'login_method|installation|00000000-0000-0000-0000-000000000001|oidc'
    """

    table: str
    id: UUID
    kind: str
    user_id: UUID | None = None
    organization_id: UUID | None = None

    def __str__(self) -> str:
        parts = (self.table, _owner(self.user_id, self.organization_id), str(self.id), self.kind)
        if any("|" in part for part in parts):
            raise ValueError("a place is made of names without '|'")
        return "|".join(parts)


class Vault:
    """Locks and unlocks.

    Args:
        ring: The keys.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def lock(self, session: Session, place: Place, fields: Mapping[str, str | Secret]) -> str:
        """Locks the secret fields of one row.

        Args:
            session: The transaction that the row is written in.
            place: Where the result will stand.
            fields: The secrets by name.

        Returns:
            ``v1.<data key>.<nonce>.<ciphertext>``, to be stored.

        Raises:
            KeyMissing: A key of the ring is lost.
        """
        keys = DataKeys(session)
        row = await keys.of(place.user_id, place.organization_id) or await self._made(keys, place)
        plain = {name: each.reveal() if isinstance(each, Secret) else each for name, each in fields.items()}
        return seal(self._unwrapped(row), str(row.id), json.dumps(plain).encode(), str(place))

    async def unlock(self, session: Session, place: Place, locked: str) -> dict[str, Secret]:
        """The secret fields of one row.

        Raises:
            KeyMissing: The key of the ring that it takes is lost.
            VaultError: It was changed, was locked for another place, or its data key was deleted.
        """
        try:
            row = await DataKeys(session).get(UUID(key_name(locked)))
        except ValueError:
            raise broken() from None
        if row is None or (row.user_id, row.organization_id) != (place.user_id, place.organization_id):
            raise broken()
        plain = json.loads(unseal(self._unwrapped(row), locked, str(place)))
        return {name: Secret(value) for name, value in plain.items()}

    async def rewrap(self, session: Session) -> int:
        """Wraps every data key with the first key of the ring; the secrets stay as they are.

        Returns:
            How many data keys were wrapped anew.

        Raises:
            KeyMissing: A key that wraps one of them is lost; nothing is changed.
        """
        keys, first, done = DataKeys(session), self._ring.first, 0
        while rows := await keys.wrapped_by_others(first.id):
            for row in rows:
                row.wrapped = first.wrap(self._unwrapped(row), _place(row))
                row.ring_key_id = first.id
            await session.flush()
            done += len(rows)
        return done

    async def _made(self, keys: DataKeys, place: Place) -> DataKey:
        # Beside what a lost or foreign key locks, nothing new is locked: once the right key is back, one
        # of the two would be lost.
        known = {key.id for key in self._ring.encryption}
        for lost in (await keys.counts()).keys() - known:
            self._ring.find(lost)
        first = self._ring.first
        row = DataKey(
            id=uuid4(),
            user_id=place.user_id,
            organization_id=place.organization_id,
            ring_key_id=first.id,
            wrapped="",
        )
        row.wrapped = first.wrap(new_key(), _place(row))
        await keys.add(row)
        return row

    def _unwrapped(self, row: DataKey) -> bytes:
        return self._ring.find(row.ring_key_id).unwrap(row.wrapped, _place(row))


def _place(row: DataKey) -> str:
    return f"data_keys|{_owner(row.user_id, row.organization_id)}|{row.id}|data_key"


def _owner(user_id: UUID | None, organization_id: UUID | None) -> str:
    if user_id is not None:
        return f"user:{user_id}"
    return "installation" if organization_id is None else f"organization:{organization_id}"
