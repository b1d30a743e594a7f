"""Workflows, their versions, and templates."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (columns are made from the hints)
from typing import Any
from uuid import UUID  # noqa: TC003

from sqlalchemy import Index, false
from sqlmodel import Field, SQLModel

from bpaz_lab.store.tables.columns import Document, gin, id_field, moment_field, reference, text_field


class Workflow(SQLModel, table=True):
    """A workflow as it is now; ``version`` counts its saves and guards against two writers."""

    __tablename__ = "workflows"
    __table_args__ = (
        Index("idx_workflows_user_id", "user_id"),
        Index("idx_workflows_is_public", "is_public"),
        Index("idx_workflows_name", "name"),
        Index("idx_workflows_created_at", "created_at"),
        gin("idx_workflows_flow_data_gin", "flow_data"),
        Index("idx_workflows_user_updated", "user_id", "updated_at", "id"),
        Index("idx_workflows_organization_updated", "organization_id", "updated_at", "id"),
        Index("idx_workflows_public_updated", "is_public", "updated_at", "id"),
    )

    id: UUID = id_field()
    user_id: UUID = reference("users.id", on_delete="CASCADE")
    name: str = Field(max_length=255)
    description: str | None = text_field()
    is_public: bool | None = Field(default=False, nullable=True, sa_column_kwargs={"server_default": false()})
    version: int | None = Field(default=1, nullable=True, sa_column_kwargs={"server_default": "1"})
    flow_data: dict[str, Any] = Field(sa_type=Document, nullable=False)
    created_at: datetime | None = moment_field()
    updated_at: datetime | None = moment_field()
    organization_id: UUID | None = reference("organization.id", on_delete="SET NULL", nullable=True)


class WorkflowVersion(SQLModel, table=True):
    """A workflow as it was saved once: who, when, why."""

    __tablename__ = "workflow_versions"

    workflow_id: UUID = reference("workflows.id", on_delete="CASCADE", primary_key=True)
    version: int = Field(primary_key=True)
    user_id: UUID | None = reference("users.id", on_delete="SET NULL", nullable=True)
    name: str = Field(max_length=255)
    description: str | None = text_field()
    message: str = Field(default="", max_length=500)
    flow_data: dict[str, Any] = Field(sa_type=Document, nullable=False)
    created_at: datetime | None = moment_field()


class WorkflowTemplate(SQLModel, table=True):
    """A workflow to begin with: personal where it has an owner and is not published."""

    __tablename__ = "workflow_templates"
    __table_args__ = (
        Index("idx_workflow_templates_category", "category"),
        Index("idx_workflow_templates_name", "name"),
        gin("idx_workflow_templates_flow_data_gin", "flow_data"),
    )

    id: UUID = id_field()
    name: str = Field(max_length=255)
    description: str | None = text_field()
    category: str | None = Field(
        default="General", max_length=100, sa_column_kwargs={"server_default": "General"}
    )
    flow_data: dict[str, Any] = Field(sa_type=Document, nullable=False)
    created_at: datetime | None = moment_field()
    user_id: UUID | None = reference("users.id", on_delete="CASCADE", nullable=True)
    is_published: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
