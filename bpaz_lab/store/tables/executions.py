"""Executions: what was run, how it went, and what it told on the way."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (columns are made from the hints)
from typing import Any
from uuid import UUID  # noqa: TC003

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bpaz_lab.store.tables.columns import Document, gin, id_field, moment_field, reference, text_field


class WorkflowExecution(SQLModel, table=True):
    """One execution. ``workflow_id`` is missing where a document was run that is not stored."""

    __tablename__ = "workflow_executions"
    __table_args__ = (
        Index("idx_workflow_executions_workflow_id", "workflow_id"),
        Index("idx_workflow_executions_user_id", "user_id"),
        Index("idx_workflow_executions_status", "status"),
        Index("idx_workflow_executions_created_at", "created_at"),
        Index("idx_workflow_executions_started_at", "started_at"),
        Index("idx_workflow_executions_user_status", "user_id", "status"),
        Index("idx_workflow_executions_workflow_status", "workflow_id", "status"),
        gin("idx_workflow_executions_inputs_gin", "inputs"),
        gin("idx_workflow_executions_outputs_gin", "outputs"),
        Index("idx_workflow_executions_user_created", "user_id", "created_at", "id"),
        UniqueConstraint("user_id", "idempotency_key", name="unique_execution_key"),
    )

    id: UUID = id_field()
    workflow_id: UUID | None = reference("workflows.id", on_delete="CASCADE", nullable=True)
    user_id: UUID = reference("users.id", on_delete="CASCADE")
    status: str = Field(default="pending", max_length=50, sa_column_kwargs={"server_default": "pending"})
    inputs: dict[str, Any] | None = Field(default=None, sa_type=Document)
    outputs: dict[str, Any] | None = Field(default=None, sa_type=Document)
    error_message: str | None = text_field()
    started_at: datetime | None = moment_field(default=False)
    completed_at: datetime | None = moment_field(default=False)
    created_at: datetime | None = moment_field()
    workflow_version: int | None = None
    flow_data: dict[str, Any] | None = Field(default=None, sa_type=Document)
    """The document that is run, as it was when it was asked for."""
    name: str = Field(default="", max_length=255, sa_column_kwargs={"server_default": ""})
    session_id: str = Field(default="", max_length=255, sa_column_kwargs={"server_default": ""})
    error: dict[str, Any] | None = Field(default=None, sa_type=Document)
    questions: dict[str, Any] | None = Field(default=None, sa_type=Document)
    usage: dict[str, Any] | None = Field(default=None, sa_type=Document)
    kernel_id: str | None = Field(default=None, max_length=64)
    server_id: str | None = Field(default=None, max_length=64)
    heartbeat_at: datetime | None = moment_field(default=False)
    timeout: float | None = None
    cancel_requested_at: datetime | None = moment_field(default=False)
    idempotency_key: str | None = Field(default=None, max_length=255)
    """What the caller named the request, so that asking twice runs once."""


class ExecutionEvent(SQLModel, table=True):
    """One event of an execution; ``seq`` counts from 0 without gaps."""

    __tablename__ = "execution_events"

    execution_id: UUID = reference("workflow_executions.id", on_delete="CASCADE", primary_key=True)
    seq: int = Field(primary_key=True)
    type: str = Field(max_length=50)
    data: dict[str, Any] = Field(sa_type=Document, nullable=False)
    created_at: datetime | None = moment_field()


class ExecutionCheckpoint(SQLModel, table=True):
    """The latest frontier of an execution."""

    __tablename__ = "execution_checkpoints"
    __table_args__ = (
        Index("idx_execution_checkpoints_parent", "parent_checkpoint_id"),
        gin("idx_execution_checkpoints_data_gin", "checkpoint_data"),
    )

    execution_id: UUID = reference("workflow_executions.id", on_delete="CASCADE", primary_key=True)
    checkpoint_data: dict[str, Any] = Field(sa_type=Document, nullable=False)
    parent_checkpoint_id: UUID | None = None
    updated_at: datetime | None = moment_field()
