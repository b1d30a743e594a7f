"""Who there is, how they come in, and what was done."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (columns are made from the hints)
from typing import Any
from uuid import UUID  # noqa: TC003

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bpaz_lab.store.tables.columns import Document, id_field, moment_field, reference, text_field


class User(SQLModel, table=True):
    """A person. Those whom Jupyter or a Hub knows have neither email nor password here."""

    __tablename__ = "users"
    __table_args__ = (
        Index("idx_users_email", "email"),
        Index("idx_users_status", "status"),
        Index("idx_users_created_at", "created_at"),
        UniqueConstraint("email", name="users_email_key"),
        UniqueConstraint("identity_provider", "subject", name="unique_user_identity"),
    )

    id: UUID = id_field()
    email: str | None = Field(default=None, max_length=255)
    full_name: str | None = Field(default=None, max_length=255)
    password_hash: str | None = Field(default=None, max_length=255)
    role: str | None = Field(default=None, max_length=50)
    credential: str | None = text_field()
    temp_token: str | None = text_field()
    token_expiry: datetime | None = moment_field(default=False)
    status: str = Field(default="active", max_length=50, sa_column_kwargs={"server_default": "active"})
    active_workspace_id: UUID | None = None
    last_login: datetime | None = moment_field(default=False)
    created_at: datetime | None = moment_field()
    updated_at: datetime | None = moment_field()
    identity_provider: str = Field(
        default="password", max_length=50, sa_column_kwargs={"server_default": "password"}
    )
    subject: str | None = Field(default=None, max_length=255)


class AuthSession(SQLModel, table=True):
    """One login. Its refresh tokens are a family: each is used once, and only hashes are kept."""

    __tablename__ = "auth_sessions"
    __table_args__ = (
        Index("idx_auth_sessions_user_id", "user_id"),
        Index("idx_auth_sessions_refresh_hash", "refresh_hash"),
        Index("idx_auth_sessions_previous_hash", "previous_hash"),
    )

    id: UUID = id_field()
    user_id: UUID = reference("users.id", on_delete="CASCADE")
    refresh_hash: str = Field(max_length=64)
    previous_hash: str | None = Field(default=None, max_length=64)
    rotated_at: datetime | None = moment_field()
    expires_at: datetime = moment_field(default=False, nullable=False)
    family_expires_at: datetime = moment_field(default=False, nullable=False)
    revoked_at: datetime | None = moment_field(default=False)
    user_agent: str | None = Field(default=None, max_length=255)
    created_at: datetime | None = moment_field()


class LoginActivity(SQLModel, table=True):
    """One attempt to come in."""

    __tablename__ = "login_activity"
    __table_args__ = (
        Index("idx_login_activity_username", "username"),
        Index("idx_login_activity_attempted_at", "attempted_at"),
        Index("idx_login_activity_activity_code", "activity_code"),
        Index("idx_login_activity_username_attempted", "username", "attempted_at"),
        Index("idx_login_activity_address_attempted", "address", "attempted_at"),
    )

    id: UUID = id_field()
    username: str = Field(max_length=255)
    activity_code: int
    message: str = Field(max_length=500)
    attempted_at: datetime | None = moment_field()
    address: str | None = Field(default=None, max_length=64)


class AuditLog(SQLModel, table=True):
    """What was done, by whom, to what; rows are added and never changed."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("idx_audit_log_created_at", "created_at", "id"),
        Index("idx_audit_log_user_id", "user_id", "created_at"),
        Index("idx_audit_log_object", "object_type", "object_id"),
    )

    id: UUID = id_field()
    user_id: UUID | None = None
    actor: str = Field(max_length=255)
    action: str = Field(max_length=100)
    object_type: str = Field(default="", max_length=50)
    object_id: str = Field(default="", max_length=255)
    outcome: str = Field(default="done", max_length=20)
    request_id: str = Field(default="", max_length=64)
    details: dict[str, Any] | None = Field(default=None, sa_type=Document)
    created_at: datetime = moment_field(nullable=False)
