"""Executions: what was run, how it went, and what it told on the way."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (columns are made from the hints)
from typing import Any
from uuid import UUID  # noqa: TC003

from sqlalchemy import BigInteger, Double, Index, LargeBinary, Text, UniqueConstraint, text
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
        Index("idx_workflow_executions_parent", "parent_id"),
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
    request_digest: str | None = Field(default=None, max_length=64)
    """What was asked for under that key; the same key with another request is refused."""
    epoch: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Who may write: each take-over adds one, and what comes under an earlier one is refused."""
    holder: str | None = Field(default=None, max_length=255)
    """Who runs it, for people to read."""
    parent_id: UUID | None = reference("workflow_executions.id", on_delete="SET NULL", nullable=True)
    """The execution that it was forked from."""
    forked_at: str | None = text_field()
    """The address of the step that it was forked at."""
    options: dict[str, Any] | None = Field(default=None, sa_type=Document)
    """What it was started with: targets, digests of code, the steps whose outcome was given."""


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


class ExecutionStep(SQLModel, table=True):
    """One step of an execution's ledger, as ``engine/steps.py`` seals it; see ``store/ledger.py``.

    SQLite keeps the rows of one execution together, in one tree instead of a table and an index.
    """

    __tablename__ = "execution_steps"
    __table_args__ = (
        Index(
            "idx_execution_steps_started",
            "execution_id",
            sqlite_where=text("state = 'started'"),
            postgresql_where=text("state = 'started'"),
        ),
        {"sqlite_with_rowid": False},
    )

    execution_id: UUID = reference("workflow_executions.id", on_delete="CASCADE", primary_key=True)
    address: str = Field(primary_key=True, sa_type=Text)
    state: str = Field(max_length=16)
    effect: str = Field(max_length=16)
    parts: list[str] = Field(sa_type=Document, nullable=False)
    """The names of the large pieces that ``data`` names."""
    size: int = Field(sa_type=BigInteger)
    """Bytes of ``data`` and its parts."""
    epoch: int
    began: float = Field(sa_type=Double)
    ended: float = Field(sa_type=Double)
    """Unix seconds, 0 while it has not ended; a double gives back the very number that the seal covers."""
    digest: str = Field(max_length=64)
    data: bytes = Field(sa_type=LargeBinary)


class ValuePart(SQLModel, table=True):
    """A large piece of a value, named by its content and kept once for each person."""

    __tablename__ = "value_parts"

    user_id: UUID = reference("users.id", on_delete="CASCADE", primary_key=True)
    digest: str = Field(primary_key=True, max_length=64)
    size: int = Field(sa_type=BigInteger)
    created_at: datetime | None = moment_field()
    """When it was stored, or last wanted again."""
    data: bytes = Field(sa_type=LargeBinary)


class StepPart(SQLModel, table=True):
    """Says that steps of an execution name a piece; one that no execution names is deleted after a day."""

    __tablename__ = "step_parts"
    __table_args__ = (Index("idx_step_parts_digest", "digest"),)

    execution_id: UUID = reference("workflow_executions.id", on_delete="CASCADE", primary_key=True)
    digest: str = Field(primary_key=True, max_length=64)
