"""The audit log: rows are added in the transaction of what they tell of, and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from sqlmodel import insert

from bpaz_lab.store.tables import AuditLog
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

_INSERT: Final[Any] = insert(AuditLog.__table__)  # type: ignore[attr-defined]


async def record(
    session: Session,
    caller: Caller,
    action: str,
    object_type: str = "",
    object_id: object = "",
    *,
    outcome: str = "done",
    details: dict[str, Any] | None = None,
) -> None:
    """Notes that something was done, or tried.

    Args:
        session: The transaction of what was done.
        caller: Who did it.
        action: An action of the policy, for instance ``workflow.update``.
        object_type: What it was done to, for instance ``workflow``.
        object_id: Which one.
        outcome: ``done``, ``refused`` or ``failed``.
        details: What else helps to understand it; never a secret.
    """
    values = {
        "id": uuid4(),
        "user_id": caller.user_id,
        "actor": caller.name,
        "action": action,
        "object_type": object_type,
        "object_id": str(object_id),
        "outcome": outcome,
        "request_id": caller.request_id,
        "details": details,
        "created_at": utcnow(),
    }
    await (await session.connection()).execute(_INSERT, values)
