"""The twelve tables that the product began with, and those that a concern needs beside."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from bpaz_lab.store.migrations import audit_trail, updated_at
from bpaz_lab.store.tables import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CHANGING = (
    "users", "workflows", "execution_checkpoints", "organization", "organization_user", "login_method",
)  # fmt: skip
GIN = (
    ("idx_execution_checkpoints_data_gin", "execution_checkpoints", "checkpoint_data"),
    ("idx_workflow_executions_inputs_gin", "workflow_executions", "inputs"),
    ("idx_workflow_executions_outputs_gin", "workflow_executions", "outputs"),
    ("idx_workflow_templates_flow_data_gin", "workflow_templates", "flow_data"),
    ("idx_workflows_flow_data_gin", "workflows", "flow_data"),
)
DROPPED = (
    "step_parts", "value_parts", "execution_steps",
    "execution_events", "execution_checkpoints", "workflow_executions", "workflow_versions", "workflows",
    "workflow_templates", "chat_message", "organization_user", "login_method", "data_keys",
    "user_credentials", "organization", "auth_sessions", "audit_log", "login_activity", "users", "roles",
)  # fmt: skip
ROLES = (
    ("admin", "Full system administrator", "all"),
    (
        "user",
        "Standard user with workflow creation",
        "create_workflow,execute_workflow,manage_credentials",
    ),
    ("viewer", "Read-only access to shared workflows", "view_workflows,execute_public_workflows"),
)


def upgrade() -> None:
    """Makes everything."""
    _people()
    _organizations()
    _workflows()
    _executions()
    _ledgers()
    if op.get_context().dialect.name == "postgresql":
        for name, table, column in GIN:
            op.create_index(name, table, [column], postgresql_using="gin")
    updated_at.add(*CHANGING)
    updated_at.add("user_credentials", use="last_used_at")
    audit_trail.add()
    roles = sa.table("roles", *(sa.column(name) for name in ("name", "description", "permissions")))
    op.bulk_insert(roles, [dict(zip(roles.c.keys(), row, strict=True)) for row in ROLES])


def downgrade() -> None:
    """Drops everything, and all that is in it."""
    for table in DROPPED:
        op.drop_table(table)
    audit_trail.drop()
    updated_at.drop()


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.Uuid(), primary_key=True, server_default=columns.new_id())


def _reference(name: str, to: str, *, on_delete: str | None = None, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(to, ondelete=on_delete), **options)


def _people() -> None:
    op.create_table(
        "users",
        _id(),
        sa.Column("email", sa.String(255)),
        sa.Column("full_name", sa.String(255)),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("role", sa.String(50)),
        sa.Column("credential", sa.Text()),
        sa.Column("temp_token", sa.Text()),
        sa.Column("token_expiry", columns.Moment()),
        sa.Column("status", sa.String(50), server_default="active", nullable=False),
        sa.Column("active_workspace_id", sa.Uuid()),
        sa.Column("last_login", columns.Moment()),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("updated_at", columns.Moment(), server_default=columns.now()),
        sa.Column("identity_provider", sa.String(50), server_default="password", nullable=False),
        sa.Column("subject", sa.String(255)),
        sa.UniqueConstraint("identity_provider", "subject", name="unique_user_identity"),
        sa.UniqueConstraint("email", name="users_email_key"),
    )
    op.create_index("idx_users_created_at", "users", ["created_at"])
    op.create_index("idx_users_email", "users", ["email"])
    op.create_index("idx_users_status", "users", ["status"])
    op.create_table(
        "auth_sessions",
        _id(),
        _reference("user_id", "users.id", on_delete="CASCADE", nullable=False),
        sa.Column("refresh_hash", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64)),
        sa.Column("rotated_at", columns.Moment(), server_default=columns.now()),
        sa.Column("expires_at", columns.Moment(), nullable=False),
        sa.Column("family_expires_at", columns.Moment(), nullable=False),
        sa.Column("revoked_at", columns.Moment()),
        sa.Column("user_agent", sa.String(255)),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
    )
    op.create_index("idx_auth_sessions_previous_hash", "auth_sessions", ["previous_hash"])
    op.create_index("idx_auth_sessions_refresh_hash", "auth_sessions", ["refresh_hash"])
    op.create_index("idx_auth_sessions_user_id", "auth_sessions", ["user_id"])
    op.create_table(
        "login_activity",
        _id(),
        sa.Column("username", sa.String(255), nullable=False),
        sa.Column("activity_code", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(500), nullable=False),
        sa.Column("attempted_at", columns.Moment(), server_default=columns.now()),
        sa.Column("address", sa.String(64)),
    )
    op.create_index("idx_login_activity_activity_code", "login_activity", ["activity_code"])
    op.create_index("idx_login_activity_address_attempted", "login_activity", ["address", "attempted_at"])
    op.create_index("idx_login_activity_attempted_at", "login_activity", ["attempted_at"])
    op.create_index("idx_login_activity_username", "login_activity", ["username"])
    op.create_index("idx_login_activity_username_attempted", "login_activity", ["username", "attempted_at"])
    op.create_table(
        "audit_log",
        _id(),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("object_type", sa.String(50), nullable=False),
        sa.Column("object_id", sa.String(255), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("details", columns.Document),
        sa.Column("created_at", columns.Moment(), server_default=columns.now(), nullable=False),
    )
    op.create_index("idx_audit_log_created_at", "audit_log", ["created_at", "id"])
    op.create_index("idx_audit_log_object", "audit_log", ["object_type", "object_id"])
    op.create_index("idx_audit_log_user_id", "audit_log", ["user_id", "created_at"])


def _organizations() -> None:
    op.create_table(
        "roles",
        _id(),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.String(500)),
        sa.Column("permissions", sa.Text()),
        sa.UniqueConstraint("name", name="roles_name_key"),
    )
    op.create_table(
        "organization",
        _id(),
        sa.Column("name", sa.String(255), nullable=False),
        _reference("admin_user_id", "users.id"),
        sa.Column("default_ws_id", sa.Uuid()),
        sa.Column("organization_type", sa.String(100)),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("updated_at", columns.Moment(), server_default=columns.now()),
    )
    op.create_index("idx_organization_admin_user_id", "organization", ["admin_user_id"])
    op.create_index("idx_organization_name", "organization", ["name"])
    op.create_table(
        "organization_user",
        _reference("organization_id", "organization.id", on_delete="CASCADE", primary_key=True),
        _reference("user_id", "users.id", on_delete="CASCADE", primary_key=True),
        _reference("role_id", "roles.id", nullable=False),
        sa.Column("status", sa.String(20), server_default="ACTIVE", nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("updated_at", columns.Moment(), server_default=columns.now()),
        _reference("created_by", "users.id", nullable=False),
        _reference("updated_by", "users.id", nullable=False),
    )
    op.create_index("idx_organization_user_role_id", "organization_user", ["role_id"])
    op.create_index("idx_organization_user_status", "organization_user", ["status"])
    op.create_index("idx_organization_user_user_id", "organization_user", ["user_id"])
    op.create_table(
        "login_method",
        _id(),
        _reference("organization_id", "organization.id", on_delete="CASCADE"),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("status", sa.String(20), server_default="ENABLE", nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("updated_at", columns.Moment(), server_default=columns.now()),
        _reference("created_by", "users.id"),
        _reference("updated_by", "users.id"),
    )
    op.create_index("idx_login_method_organization_id", "login_method", ["organization_id"])
    op.create_index("idx_login_method_status", "login_method", ["status"])
    op.create_table(
        "user_credentials",
        _id(),
        _reference("user_id", "users.id", on_delete="CASCADE", nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("service_type", sa.String(50), nullable=False),
        sa.Column("encrypted_secret", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("updated_at", columns.Moment(), server_default=columns.now()),
        sa.Column("public", columns.Document),
        sa.Column("allowed_hosts", columns.Document),
        sa.Column("last_used_at", columns.Moment()),
        sa.UniqueConstraint("user_id", "name", name="unique_user_credential_name"),
    )
    op.create_index("idx_user_credentials_service_type", "user_credentials", ["service_type"])
    op.create_index("idx_user_credentials_user_id", "user_credentials", ["user_id"])
    op.create_table(
        "data_keys",
        _id(),
        _reference("user_id", "users.id", on_delete="CASCADE"),
        _reference("organization_id", "organization.id", on_delete="CASCADE"),
        sa.Column("ring_key_id", sa.String(32), nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
    )
    op.create_index("idx_data_keys_ring_key_id", "data_keys", ["ring_key_id"])
    op.create_index("idx_data_keys_user_id", "data_keys", ["user_id"])


def _workflows() -> None:
    op.create_table(
        "workflows",
        _id(),
        _reference("user_id", "users.id", on_delete="CASCADE", nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("is_public", sa.Boolean(), server_default=sa.false()),
        sa.Column("version", sa.Integer(), server_default="1"),
        sa.Column("flow_data", columns.Document, nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("updated_at", columns.Moment(), server_default=columns.now()),
        _reference("organization_id", "organization.id", on_delete="SET NULL"),
    )
    op.create_index("idx_workflows_created_at", "workflows", ["created_at"])
    op.create_index("idx_workflows_is_public", "workflows", ["is_public"])
    op.create_index("idx_workflows_name", "workflows", ["name"])
    op.create_index(
        "idx_workflows_organization_updated", "workflows", ["organization_id", "updated_at", "id"]
    )
    op.create_index("idx_workflows_public_updated", "workflows", ["is_public", "updated_at", "id"])
    op.create_index("idx_workflows_user_id", "workflows", ["user_id"])
    op.create_index("idx_workflows_user_updated", "workflows", ["user_id", "updated_at", "id"])
    op.create_table(
        "workflow_versions",
        _reference("workflow_id", "workflows.id", on_delete="CASCADE", primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        _reference("user_id", "users.id", on_delete="SET NULL"),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("message", sa.String(500), nullable=False),
        sa.Column("flow_data", columns.Document, nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
    )
    op.create_table(
        "workflow_templates",
        _id(),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("category", sa.String(100), server_default="General"),
        sa.Column("flow_data", columns.Document, nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        _reference("user_id", "users.id", on_delete="CASCADE"),
        sa.Column("is_published", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_index("idx_workflow_templates_category", "workflow_templates", ["category"])
    op.create_index("idx_workflow_templates_name", "workflow_templates", ["name"])
    op.create_table(
        "chat_message",
        _id(),
        sa.Column("role", sa.String(255), nullable=False),
        sa.Column("chatflow_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source_documents", sa.String(255)),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("session_id", sa.String(255), server_default="", nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("sources", columns.Document),
    )
    op.create_index("idx_chat_message_chatflow_created", "chat_message", ["chatflow_id", "created_at"])
    op.create_index("idx_chat_message_chatflow_id", "chat_message", ["chatflow_id"])
    op.create_index("idx_chat_message_created_at", "chat_message", ["created_at"])
    op.create_index("idx_chat_message_role", "chat_message", ["role"])
    op.create_index(
        "idx_chat_message_session",
        "chat_message",
        ["chatflow_id", "user_id", "session_id", "created_at", "id"],
    )


def _executions() -> None:
    op.create_table(
        "workflow_executions",
        _id(),
        _reference("workflow_id", "workflows.id", on_delete="CASCADE"),
        _reference("user_id", "users.id", on_delete="CASCADE", nullable=False),
        sa.Column("status", sa.String(50), server_default="pending", nullable=False),
        sa.Column("inputs", columns.Document),
        sa.Column("outputs", columns.Document),
        sa.Column("error_message", sa.Text()),
        sa.Column("started_at", columns.Moment()),
        sa.Column("completed_at", columns.Moment()),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("workflow_version", sa.Integer()),
        sa.Column("flow_data", columns.Document),
        sa.Column("name", sa.String(255), server_default="", nullable=False),
        sa.Column("session_id", sa.String(255), server_default="", nullable=False),
        sa.Column("error", columns.Document),
        sa.Column("questions", columns.Document),
        sa.Column("usage", columns.Document),
        sa.Column("kernel_id", sa.String(64)),
        sa.Column("server_id", sa.String(64)),
        sa.Column("heartbeat_at", columns.Moment()),
        sa.Column("timeout", sa.Float()),
        sa.Column("cancel_requested_at", columns.Moment()),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("request_digest", sa.String(64)),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("holder", sa.String(255)),
        _reference("parent_id", "workflow_executions.id", on_delete="SET NULL"),
        sa.Column("forked_at", sa.Text()),
        sa.Column("options", columns.Document),
        sa.UniqueConstraint("user_id", "idempotency_key", name="unique_execution_key"),
    )
    op.create_index("idx_workflow_executions_parent", "workflow_executions", ["parent_id"])
    op.create_index("idx_workflow_executions_created_at", "workflow_executions", ["created_at"])
    op.create_index("idx_workflow_executions_started_at", "workflow_executions", ["started_at"])
    op.create_index("idx_workflow_executions_status", "workflow_executions", ["status"])
    op.create_index(
        "idx_workflow_executions_user_created", "workflow_executions", ["user_id", "created_at", "id"]
    )
    op.create_index("idx_workflow_executions_user_id", "workflow_executions", ["user_id"])
    op.create_index("idx_workflow_executions_user_status", "workflow_executions", ["user_id", "status"])
    op.create_index("idx_workflow_executions_workflow_id", "workflow_executions", ["workflow_id"])
    op.create_index(
        "idx_workflow_executions_workflow_status", "workflow_executions", ["workflow_id", "status"]
    )
    op.create_table(
        "execution_events",
        _reference("execution_id", "workflow_executions.id", on_delete="CASCADE", primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("data", columns.Document, nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
    )
    op.create_table(
        "execution_checkpoints",
        _reference("execution_id", "workflow_executions.id", on_delete="CASCADE", primary_key=True),
        sa.Column("checkpoint_data", columns.Document, nullable=False),
        sa.Column("parent_checkpoint_id", sa.Uuid()),
        sa.Column("updated_at", columns.Moment(), server_default=columns.now()),
    )
    op.create_index("idx_execution_checkpoints_parent", "execution_checkpoints", ["parent_checkpoint_id"])


def _ledgers() -> None:
    op.create_table(
        "execution_steps",
        _reference("execution_id", "workflow_executions.id", on_delete="CASCADE", primary_key=True),
        sa.Column("address", sa.Text(), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("effect", sa.String(16), nullable=False),
        sa.Column("parts", columns.Document, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("began", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    started = sa.text("state = 'started'")
    op.create_index(
        "idx_execution_steps_started",
        "execution_steps",
        ["execution_id"],
        sqlite_where=started,
        postgresql_where=started,
    )
    op.create_table(
        "value_parts",
        _reference("user_id", "users.id", on_delete="CASCADE", primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", columns.Moment(), server_default=columns.now()),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "step_parts",
        _reference("execution_id", "workflow_executions.id", on_delete="CASCADE", primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
    )
    op.create_index("idx_step_parts_digest", "step_parts", ["digest"])
