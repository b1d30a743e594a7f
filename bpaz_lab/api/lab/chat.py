"""Conversations with the workflows of a laboratory: ``lab.chat``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpaz_lab.api.lab.table import Record, Table, some

if TYPE_CHECKING:
    from bpaz_lab.api.lab.workflows import Workflows
    from bpaz_lab.api.transport.transport import Transport
    from bpaz_lab.api.workflow import Workflow

COLUMNS: Final = ("role", "content", "created_at")
SESSIONS: Final = ("session_id", "messages", "last_at")


class Chat:
    """What was said, by workflow and session. ``lab.run(wf, session="...")`` adds to it.

    Args:
        transport: What asks the laboratory.
        workflows: Where workflows are kept.
    """

    def __init__(self, transport: Transport, workflows: Workflows) -> None:
        self._transport = transport
        self._workflows = workflows

    def __repr__(self) -> str:
        return "<lab.chat: sessions(workflow), messages(workflow, session), delete(workflow, session)>"

    def sessions(self, workflow: Workflow | str) -> Table[Record]:
        """The conversations with a workflow, latest first."""
        return some(self._transport, f"{self._path(workflow)}/sessions", Record, SESSIONS, None)

    def messages(self, workflow: Workflow | str, session: str, limit: int | None = 200) -> Table[Record]:
        """The messages of a conversation, oldest first."""
        return some(self._transport, self._path(workflow), Record, COLUMNS, limit, session=session)

    def delete(self, workflow: Workflow | str, session: str) -> None:
        """Deletes a conversation."""
        self._transport.call("DELETE", self._path(workflow), query={"session": session})

    def _path(self, workflow: Workflow | str) -> str:
        return f"workflows/{self._workflows.id_of(workflow)}/chat"
