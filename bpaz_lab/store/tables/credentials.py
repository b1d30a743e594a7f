"""Secrets, locked: what is in these tables is of no use without a key that is not in the database."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (columns are made from the hints)
from typing import Any
from uuid import UUID  # noqa: TC003

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bpaz_lab.store.tables.columns import Document, id_field, moment_field, reference, text_field


class UserCredential(SQLModel, table=True):
    """A credential of one person; ``encrypted_secret`` is what the vault made of its secret fields."""

    __tablename__ = "user_credentials"
    __table_args__ = (
        UniqueConstraint("user_id", "name", name="unique_user_credential_name"),
        Index("idx_user_credentials_user_id", "user_id"),
        Index("idx_user_credentials_service_type", "service_type"),
    )

    id: UUID = id_field()
    user_id: UUID = reference("users.id", on_delete="CASCADE")
    name: str = Field(max_length=100)
    service_type: str = Field(max_length=50)
    encrypted_secret: str = text_field(nullable=False)
    created_at: datetime | None = moment_field()
    updated_at: datetime | None = moment_field()
    public: dict[str, Any] | None = Field(default=None, sa_type=Document)
    """The fields that are no secret, such as an address."""
    allowed_hosts: list[str] | None = Field(default=None, sa_type=Document)
    last_used_at: datetime | None = moment_field(default=False)


class DataKey(SQLModel, table=True):
    """A person's data key, wrapped by a key of the ring; with it gone, their secrets are noise."""

    __tablename__ = "data_keys"
    __table_args__ = (
        Index("idx_data_keys_user_id", "user_id"),
        Index("idx_data_keys_ring_key_id", "ring_key_id"),
    )

    id: UUID = id_field()
    user_id: UUID | None = reference("users.id", on_delete="CASCADE", nullable=True)
    """Nobody's key locks what belongs to an organisation."""
    organization_id: UUID | None = reference("organization.id", on_delete="CASCADE", nullable=True)
    ring_key_id: str = Field(max_length=32)
    wrapped: str = text_field(nullable=False)
    created_at: datetime | None = moment_field()
