"""Organisations, their members and login methods, and roles."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (columns are made from the hints)
from uuid import UUID  # noqa: TC003

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bpaz_lab.store.tables.columns import id_field, moment_field, reference, text_field


class Organization(SQLModel, table=True):
    """A group of people who share workflows."""

    __tablename__ = "organization"
    __table_args__ = (
        Index("idx_organization_admin_user_id", "admin_user_id"),
        Index("idx_organization_name", "name"),
    )

    id: UUID = id_field()
    name: str = Field(max_length=255)
    admin_user_id: UUID | None = reference("users.id", nullable=True)
    default_ws_id: UUID | None = None
    organization_type: str | None = Field(default=None, max_length=100)
    created_at: datetime | None = moment_field()
    updated_at: datetime | None = moment_field()


class Role(SQLModel, table=True):
    """A role: names of permissions with commas between them, or ``all``."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("name", name="roles_name_key"),)

    id: UUID = id_field()
    name: str = Field(max_length=100)
    description: str | None = Field(default=None, max_length=500)
    permissions: str | None = text_field()


class OrganizationUser(SQLModel, table=True):
    """A member of an organisation, with the role that the person has there."""

    __tablename__ = "organization_user"
    __table_args__ = (
        Index("idx_organization_user_role_id", "role_id"),
        Index("idx_organization_user_status", "status"),
        Index("idx_organization_user_user_id", "user_id"),
    )

    organization_id: UUID = reference("organization.id", on_delete="CASCADE", primary_key=True)
    user_id: UUID = reference("users.id", on_delete="CASCADE", primary_key=True)
    role_id: UUID = reference("roles.id")
    status: str = Field(default="ACTIVE", max_length=20, sa_column_kwargs={"server_default": "ACTIVE"})
    created_at: datetime | None = moment_field()
    updated_at: datetime | None = moment_field()
    created_by: UUID = reference("users.id")
    updated_by: UUID = reference("users.id")


class LoginMethod(SQLModel, table=True):
    """A way into an organisation; ``config`` is locked by the vault."""

    __tablename__ = "login_method"
    __table_args__ = (
        Index("idx_login_method_organization_id", "organization_id"),
        Index("idx_login_method_status", "status"),
    )

    id: UUID = id_field()
    organization_id: UUID | None = reference("organization.id", on_delete="CASCADE", nullable=True)
    name: str = Field(max_length=100)
    config: str = text_field(nullable=False)
    status: str = Field(default="ENABLE", max_length=20, sa_column_kwargs={"server_default": "ENABLE"})
    created_at: datetime | None = moment_field()
    updated_at: datetime | None = moment_field()
    created_by: UUID | None = reference("users.id", nullable=True)
    updated_by: UUID | None = reference("users.id", nullable=True)
