"""Conversations with a workflow."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (columns are made from the hints)
from typing import Any
from uuid import UUID  # noqa: TC003

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from bpaz_lab.store.tables.columns import Document, id_field, moment_field, text_field


class ChatMessage(SQLModel, table=True):
    """One message; ``chatflow_id`` is the workflow, ``session_id`` the conversation."""

    __tablename__ = "chat_message"
    __table_args__ = (
        Index("idx_chat_message_chatflow_id", "chatflow_id"),
        Index("idx_chat_message_role", "role"),
        Index("idx_chat_message_created_at", "created_at"),
        Index("idx_chat_message_chatflow_created", "chatflow_id", "created_at"),
        Index("idx_chat_message_session", "chatflow_id", "user_id", "session_id", "created_at", "id"),
    )

    id: UUID = id_field()
    role: str = Field(max_length=255)
    chatflow_id: UUID
    content: str = text_field(nullable=False)
    source_documents: str | None = Field(default=None, max_length=255)
    created_at: datetime | None = moment_field()
    session_id: str = Field(default="", max_length=255, sa_column_kwargs={"server_default": ""})
    user_id: UUID | None = None
    sources: list[dict[str, Any]] | None = Field(default=None, sa_type=Document)
