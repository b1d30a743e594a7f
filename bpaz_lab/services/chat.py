"""Conversations with a workflow: what one said oneself, and what was answered."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (fields are made from the hints)
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID  # noqa: TC003

from pydantic import Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.listing import Listing, Page
from bpaz_lab.services.route import Model, route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.chat import Chats
from bpaz_lab.store.repositories.workflows import Workflows

if TYPE_CHECKING:
    from bpaz_lab.store.database import Session

Role = Literal["user", "assistant", "system", "tool"]


class ChatQuery(Listing):
    """Which messages."""

    sort: str = Field(
        "created_at", max_length=50, description="`created_at`: oldest first; `-created_at`: latest first."
    )
    session: str = Field("", max_length=255, description="The conversation.")


class SessionsQuery(Listing):
    """Which conversations."""

    sort: str = Field(
        "-last_at", max_length=50, description="`last_at`, `first_at` or `session_id`; `-` turns the order."
    )


class ChatDelete(Model):
    """What to delete."""

    session: str | None = Field(None, max_length=255, description="The conversation; all of them by default.")


class ChatSaid(Model):
    """A message to keep."""

    role: Role = "user"
    content: str = Field(max_length=100_000)
    session: str = Field("", max_length=255, description="The conversation.")
    sources: list[dict[str, Any]] | None = Field(
        None, max_length=100, description="What an answer rests on, such as documents."
    )


class ChatMessageView(Model):
    """A message."""

    id: UUID
    role: str
    content: str
    session_id: str
    sources: list[dict[str, Any]] | None
    created_at: datetime | None


class SessionView(Model):
    """A conversation."""

    session_id: str
    messages: int
    first_at: datetime | None
    last_at: datetime | None


class Deleted(Model):
    """What was deleted."""

    messages: int


@route("GET", "workflows/{id}/chat")
async def list_messages(call: Call, id: UUID, query: ChatQuery) -> Page[ChatMessageView]:
    """The messages of a conversation of yours with a workflow."""
    async with call.session() as session:
        await _demand(call, session, "chat.read", id)
        rows = await Chats(session, call.caller).page(
            id, session_id=query.session, sort=query.sort, limit=query.limit, cursor=query.cursor
        )
    return Page(items=[ChatMessageView.model_validate(row) for row in rows.items], next=rows.next)


@route("POST", "workflows/{id}/chat", status=201)
async def create_message(call: Call, id: UUID, body: ChatSaid) -> ChatMessageView:
    """Add a message to a conversation; an execution with a session adds its own."""
    async with call.session() as session:
        await _demand(call, session, "chat.write", id)
        row = await Chats(session, call.caller).add(
            id, body.role, body.content, session_id=body.session, sources=body.sources
        )
    return ChatMessageView.model_validate(row)


@route("DELETE", "workflows/{id}/chat")
async def delete_messages(call: Call, id: UUID, query: ChatDelete) -> Deleted:
    """Delete a conversation of yours with a workflow, or all of them."""
    async with call.session() as session:
        await _demand(call, session, "chat.delete", id)
        count = await Chats(session, call.caller).remove(id, query.session)
        details = {"messages": count, "session": query.session}
        await audit.record(session, call.caller, "chat.delete", "workflow", id, details=details)
    return Deleted(messages=count)


@route("GET", "workflows/{id}/chat/sessions")
async def list_sessions(call: Call, id: UUID, query: SessionsQuery) -> Page[SessionView]:
    """Your conversations with a workflow, the latest first."""
    async with call.session() as session:
        await _demand(call, session, "chat.read", id)
        rows = await Chats(session, call.caller).sessions(
            id, sort=query.sort, limit=query.limit, cursor=query.cursor
        )
    return Page(items=[SessionView.model_validate(row) for row in rows.items], next=rows.next)


async def _demand(call: Call, session: Session, action: str, id: UUID) -> None:
    row = await Workflows(session, call.caller).summary(id)
    demand(call.caller, "workflow.read", row)
    demand(call.caller, action, row)
