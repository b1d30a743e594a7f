"""What is kept of one person: all of it to take away, and none of it to leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import LargeBinary
from sqlmodel import SQLModel, col, delete, or_, select, update

from bpaz_lab.errors import NotFound
from bpaz_lab.store.repositories.members import successor
from bpaz_lab.store.tables import (
    AuditLog,
    ChatMessage,
    LoginActivity,
    LoginMethod,
    Organization,
    OrganizationUser,
    User,
    Workflow,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table

    from bpaz_lab.store.database import Session

SECRET: Final = frozenset(
    {
        "password_hash", "credential", "temp_token", "refresh_hash", "previous_hash",
        "encrypted_secret", "wrapped", "config",
    }
)  # fmt: skip
"""Columns that are of use only to who wants to break in."""


async def export(session: Session, user: User) -> dict[str, list[dict[str, Any]]]:
    """All rows that belong to a person, or that the person wrote, by table and without secrets.

    Bytes stay behind, since they may be gigabytes of values: the rows say their names and sizes, under which
    the routes of executions give them.

    Which rows those are is read from the tables themselves, so that a new table is not forgotten.
    """
    told: dict[str, list[dict[str, Any]]] = {}
    for table in SQLModel.metadata.sorted_tables:
        theirs = belonging(table, user)
        if theirs is not None:
            columns = [
                column
                for column in table.columns
                if column.name not in SECRET and not isinstance(column.type, LargeBinary)
            ]
            found = await (await session.connection()).execute(select(*columns).where(theirs))
            told[table.name] = [dict(row) for row in found.mappings()]
    return told


def belonging(table: Table, user: User) -> ColumnElement[bool] | None:
    """Which rows of a table are a person's; None where no row can be."""
    if table.name == "users":
        return table.c.id == user.id
    if table.name == "login_activity":
        return table.c.username == (user.email or "")
    found = [table.c.user_id == user.id] if "user_id" in table.c else []
    for key in table.foreign_keys:
        whole = key.column.table
        if whole.name != "users" and "user_id" in whole.c:  # such as the events of an execution
            found.append(key.parent.in_(select(key.column).where(whole.c.user_id == user.id)))
    return or_(*found) if found else None


async def erase(session: Session, user: User) -> None:
    """Leaves nothing of a person: not the account, nor what it owns, nor the key of its secrets.

    Organisations go over to the administrator who has been there longest, with the workflows that the
    person shared with them; where there is none they are left without one, and such workflows go. The
    audit log keeps what was done, and no longer by whom.

    Raises:
        NotFound: Somebody else was quicker.
    """
    everyone = select(Organization)
    for organization in (await session.exec(everyone.where(Organization.admin_user_id == user.id))).all():
        organization.admin_user_id = await successor(session, organization.id, user.id)
        session.add(organization)
    await session.flush()
    shared = select(Workflow.organization_id).where(
        Workflow.user_id == user.id, col(Workflow.organization_id).is_not(None)
    )
    for place in set((await session.exec(shared)).all()):
        heir = await successor(session, place, user.id) if place is not None else None
        if heir is not None:
            theirs = (col(Workflow.user_id) == user.id) & (col(Workflow.organization_id) == place)
            await session.exec(update(Workflow).where(theirs).values(user_id=heir))
    for column in ("created_by", "updated_by"):
        # A membership says by whom it was made; it was made by its member, once nobody else is known.
        await session.exec(
            update(OrganizationUser)
            .where(getattr(OrganizationUser, column) == user.id)
            .values({column: col(OrganizationUser.user_id)})
        )
        await session.exec(
            update(LoginMethod).where(getattr(LoginMethod, column) == user.id).values({column: None})
        )
    lost = select(Workflow.id).where(Workflow.user_id == user.id)
    await session.exec(
        delete(ChatMessage).where(
            or_(col(ChatMessage.user_id) == user.id, col(ChatMessage.chatflow_id).in_(lost))
        )
    )
    await session.exec(delete(LoginActivity).where(col(LoginActivity.username) == (user.email or "")))
    await session.exec(
        update(AuditLog)
        .where(col(AuditLog.user_id) == user.id)
        .values(user_id=None, actor="erased", details=None)
    )
    session.expunge(user)
    done: Any = await session.exec(delete(User).where(col(User.id) == user.id))
    if not done.rowcount:
        raise NotFound("there is no such user", hint="Check the id, or list what there is.")
