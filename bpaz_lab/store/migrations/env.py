"""What Alembic runs for every command: the connection it is handed, and how tables are compared."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from bpaz_lab.store import tables
from bpaz_lab.store.tables import columns

assert tables  # importing them fills the metadata


def _rendered(kind: str, thing: Any, autogenerate: Any) -> str | Literal[False]:
    """How a new migration writes what Alembic does not know."""
    told: str | Literal[False] = False
    if isinstance(thing, AutoString):
        told = f"sa.String({thing.length or ''})"
    elif isinstance(thing, columns.Moment) or thing is columns.Document:
        told = "columns.Moment()" if isinstance(thing, columns.Moment) else "columns.Document"
    elif kind == "server_default" and thing is not None:
        function = getattr(thing, "arg", None)
        if isinstance(function, (columns.now, columns.new_id)):
            told = f"columns.{type(function).__name__}()"
    if told and str(told).startswith("columns."):
        autogenerate.imports.add("from bpaz_lab.store.tables import columns")
    return told


def _counts(thing: Any, _name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Only Postgres has indexes into JSON."""
    is_gin = kind == "index" and thing.dialect_options["postgresql"]["using"] == "gin"
    return not is_gin or context.get_context().dialect.name == "postgresql"


def _defaults(
    _context: Any, _there: Any, _column: Any, found: Any, _default: Any, wanted: Any
) -> bool | None:
    """Alembic's own comparison takes an empty text for a difference."""
    return False if wanted == "" and found in {"''", "('')"} else None


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
    compare_server_default=_defaults,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    render_item=_rendered,
    include_object=_counts,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
