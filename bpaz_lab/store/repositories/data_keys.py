"""Data keys, wrapped: a person's, an organisation's, or the installation's own, which has no owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func
from sqlmodel import select

from bpaz_lab.store.tables import DataKey

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session


class DataKeys:
    """Data keys. They open nothing without a key of the ring, so they are not read by caller.

    Args:
        session: The transaction.
        caller: Who asks; None for the vault itself.
    """

    def __init__(self, session: Session, caller: Caller | None = None) -> None:
        self._session = session
        self._caller = caller

    async def any(self) -> bool:
        """Whether there is a data key at all."""
        return (await self._session.exec(select(DataKey.id).limit(1))).first() is not None

    async def get(self, id: UUID) -> DataKey | None:
        """One data key; None where it was deleted."""
        return await self._session.get(DataKey, id)

    async def of(self, user_id: UUID | None, organization_id: UUID | None) -> DataKey | None:
        """The data key of a person or an organisation; None where there is none yet."""
        statement = select(DataKey).where(
            DataKey.user_id == user_id if user_id else DataKey.user_id.is_(None),  # type: ignore[union-attr]
            DataKey.organization_id == organization_id
            if organization_id
            else DataKey.organization_id.is_(None),  # type: ignore[union-attr]
        )
        return (await self._session.exec(statement.order_by(DataKey.created_at).limit(1))).first()  # type: ignore[arg-type]

    async def add(self, row: DataKey) -> None:
        """Keeps a new data key."""
        self._session.add(row)
        await self._session.flush()

    async def counts(self) -> dict[str, int]:
        """How many data keys each key of the ring wraps, by its id."""
        statement = select(DataKey.ring_key_id, func.count()).group_by(DataKey.ring_key_id)
        return dict((await self._session.exec(statement)).all())

    async def wrapped_by_others(self, ring_key_id: str, limit: int = 500) -> list[DataKey]:
        """Data keys that another key than this one wraps; held against other rotations until the end."""
        statement = select(DataKey).where(DataKey.ring_key_id != ring_key_id).limit(limit).with_for_update()
        return list((await self._session.exec(statement)).all())

    async def delete_wrapped_by(self, ring_key_id: str) -> None:
        """Deletes the data keys that a key of the ring wraps; what they lock is noise from then on."""
        await self._session.exec(delete(DataKey).where(DataKey.ring_key_id == ring_key_id))  # type: ignore[arg-type]

    async def delete_of(self, user_id: UUID) -> None:
        """Deletes a person's data keys, and with them the person's secrets."""
        await self._session.exec(delete(DataKey).where(DataKey.user_id == user_id))  # type: ignore[arg-type]
