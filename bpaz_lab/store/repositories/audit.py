"""The audit log: rows are added in the transaction of what they tell of, and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.store.tables import AuditLog

if TYPE_CHECKING:
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session


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
    session.add(
        AuditLog(
            user_id=caller.user_id,
            actor=caller.name,
            action=action,
            object_type=object_type,
            object_id=str(object_id),
            outcome=outcome,
            request_id=caller.request_id,
            details=details,
        )
    )
    await session.flush()
