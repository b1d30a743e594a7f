"""Which rows a caller may read, as a condition for the database.

It says of all rows at once what ``accounts/policy.py`` says of one: one's own, what an organisation shares of
which one is a member, and what is public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, false, or_

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from bpaz_lab.store.caller import Caller


def visible(table: Any, caller: Caller) -> ColumnElement[bool]:
    """The condition of rows that a caller may read.

    Args:
        table: A table with some of ``user_id``, ``organization_id``, ``is_public`` and ``is_published``.
        caller: Who asks; nobody reads nothing.

    Example:
        >>> from sqlmodel import select
        >>> from bpaz_lab.store.caller import Caller
        >>> from bpaz_lab.store.tables import Workflow
        >>> str(select(Workflow.name).where(visible(Workflow, Caller()))).split("WHERE ")[1]
        'false'
    """
    if caller.user_id is None:
        return false()
    return _visible(table, caller.user_id, list(caller.organizations) or None)


def visible_to_whoever(table: Any, *, shared: bool) -> ColumnElement[bool]:
    """The same for a statement that is made once: it takes the parameters that ``reader`` gives.

    Args:
        table: As for ``visible``.
        shared: Whether the person has organisations.
    """
    organizations: Any = bindparam("organizations", expanding=True) if shared else None
    return _visible(table, bindparam("reader"), organizations)


def reader(caller: Caller) -> dict[str, Any]:
    """The parameters of ``visible_to_whoever``; ask for nobody whose ``user_id`` is None."""
    shares = {"organizations": list(caller.organizations)} if caller.organizations else {}
    return {"reader": caller.user_id, **shares}


def _visible(table: Any, reader: Any, organizations: Any) -> ColumnElement[bool]:
    ways: list[ColumnElement[bool]] = []
    if hasattr(table, "user_id"):
        ways.append(table.user_id == reader)
    if hasattr(table, "organization_id") and organizations is not None:
        ways.append(table.organization_id.in_(organizations))
    ways += [getattr(table, name).is_(True) for name in ("is_public", "is_published") if hasattr(table, name)]
    return or_(false(), *ways)
