"""The kinds of column that SQLite and Postgres share, and the defaults that each database gives by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, DateTime, ForeignKey, Index, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Field

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which knows no time zones, keeps it as text in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Moments go into the database in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Moments come out of the database in UTC."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""JSON that Postgres can search in."""


class now(FunctionElement[datetime]):  # noqa: N801 (a function of SQL)
    """The database's own clock."""

    type = Moment()
    inherit_cache = True


class new_id(FunctionElement[UUID]):  # noqa: N801
    """A random UUID that the database makes."""

    inherit_cache = True


@compiles(now, "postgresql")
def _now_postgresql(_element: Any, _compiler: Any, **_: Any) -> str:
    return "now()"


@compiles(now, "sqlite")
def _now_sqlite(_element: Any, _compiler: Any, **_: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))"


@compiles(new_id, "postgresql")
def _new_id_postgresql(_element: Any, _compiler: Any, **_: Any) -> str:
    return "gen_random_uuid()"


@compiles(new_id, "sqlite")
def _new_id_sqlite(_element: Any, _compiler: Any, **_: Any) -> str:
    return "(lower(hex(randomblob(16))))"


def utcnow() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def id_field() -> Any:
    """The primary key of a table whose rows are named by a UUID."""
    return Field(default_factory=uuid4, primary_key=True, sa_column_kwargs={"server_default": new_id()})


def moment_field(*, default: bool = True, nullable: bool = True) -> Any:
    """A moment; by default the one in which the row is made."""
    if not default:
        return Field(default=None, nullable=nullable, sa_type=Moment)
    return Field(
        default_factory=utcnow, nullable=nullable, sa_type=Moment, sa_column_kwargs={"server_default": now()}
    )


def text_field(*, nullable: bool = True) -> Any:
    """A text of any length."""
    return (
        Field(default=None, nullable=True, sa_type=Text) if nullable else Field(sa_type=Text, nullable=False)
    )


def reference(
    target: str, *, on_delete: str | None = None, nullable: bool = False, primary_key: bool = False
) -> Any:
    """A reference to a row of another table, ``table.column``."""
    key = ForeignKey(target, ondelete=on_delete)
    if nullable and not primary_key:
        return Field(default=None, nullable=True, sa_column_args=[key])
    return Field(nullable=nullable, primary_key=primary_key, sa_column_args=[key])


def gin(name: str, column: str) -> Index:
    """An index into JSON, which only Postgres has."""
    return Index(name, column, postgresql_using="gin").ddl_if(dialect="postgresql")
