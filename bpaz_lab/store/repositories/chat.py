"""Conversations with workflows: everybody sees what they said themselves, and what was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func
from sqlmodel import col, delete, select

from bpaz_lab.store.paging import Rows, page
from bpaz_lab.store.tables import ChatMessage

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session


class Chats:
    """The messages of one person.

    Args:
        session: The transaction.
        caller: Who asks.
    """

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    async def add(
        self,
        workflow_id: UUID,
        role: str,
        content: str,
        *,
        session_id: str = "",
        sources: list[dict[str, Any]] | None = None,
    ) -> ChatMessage:
        """Keeps a message.

        Args:
            workflow_id: The workflow that was talked to.
            role: ``user``, ``assistant``, ``system`` or ``tool``.
            content: What was said.
            session_id: The conversation.
            sources: What an answer rests on.
        """
        row = ChatMessage(
            role=role,
            chatflow_id=workflow_id,
            content=content,
            session_id=session_id,
            user_id=self._caller.user_id,
            sources=sources,
        )
        self._session.add(row)
        await self._session.flush()
        return row

    async def latest(self, workflow_id: UUID, session_id: str, limit: int) -> list[ChatMessage]:
        """The last messages of a conversation, oldest first."""
        found = await self.page(
            workflow_id, session_id=session_id, sort="-created_at", limit=limit, cursor=""
        )
        return found.items[::-1]

    async def page(
        self, workflow_id: UUID, *, session_id: str, sort: str, limit: int, cursor: str
    ) -> Rows[ChatMessage]:
        """One page of a conversation.

        Raises:
            RequestError: It cannot be sorted like that, or the cursor is not of this list.
        """
        return await page(
            self._session,
            select(ChatMessage).where(*self._of(workflow_id, session_id)),
            ChatMessage,
            sort=sort,
            limit=limit,
            cursor=cursor,
            sortable=("created_at",),
        )

    async def sessions(self, workflow_id: UUID, *, sort: str, limit: int, cursor: str) -> Rows[Any]:
        """One page of the conversations with a workflow: name, number of messages, first and last moment.

        Raises:
            RequestError: It cannot be sorted like that, or the cursor is not of this list.
        """
        grouped = (
            select(
                col(ChatMessage.session_id),
                func.count().label("messages"),
                func.min(ChatMessage.created_at).label("first_at"),
                func.max(ChatMessage.created_at).label("last_at"),
            )
            .where(*self._of(workflow_id))
            .group_by(col(ChatMessage.session_id))
            .subquery()
        )
        return await page(
            self._session,
            select(*grouped.c),
            grouped.c,
            sort=sort,
            limit=limit,
            cursor=cursor,
            sortable=("last_at", "first_at", "session_id"),
            key="session_id",
        )

    async def remove(self, workflow_id: UUID, session_id: str | None = None) -> int:
        """Deletes a conversation, or all with a workflow where ``session_id`` is None.

        Returns:
            How many messages there were.
        """
        statement: Any = delete(ChatMessage).where(*self._of(workflow_id, session_id))
        return int((await self._session.exec(statement)).rowcount)

    def _of(self, workflow_id: UUID, session_id: str | None = None) -> list[Any]:
        mine = [ChatMessage.chatflow_id == workflow_id, ChatMessage.user_id == self._caller.user_id]
        return mine if session_id is None else [*mine, ChatMessage.session_id == session_id]
