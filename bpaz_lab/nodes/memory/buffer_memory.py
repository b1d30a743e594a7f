"""The last messages of a conversation."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.memory._sessions import PROCESS
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Messages


class BufferMemory(Node):
    """Gives what was said before in the conversation that the run belongs to.

    A run belongs to a conversation by its *session*: `wf.run(question="...", session="monday")`. When it
    has an answer, its question and the answer are kept for the next run of the session: by the server for
    workflows that it keeps, else by this kernel until it ends. The first run of a session, and a run
    without one, get no messages. Connect it to the *history* of **LLMChain**.

    ```python
    memory = wf.add("BufferMemory", limit=10)
    wf.connect(memory["messages"], chain["history"])
    ```
    """

    effect = "repeatable"

    limit: int = Field(20, ge=1, le=1000, description="The most messages; an answer counts as one.")

    @output("messages", "messages", main=True)
    def recall(self, context: Context) -> Messages:
        """The messages, oldest first."""
        return _as_messages(_told(self.limit, context))

    def fingerprint(self, context: Context) -> Any:
        """What was said."""
        return _told(self.limit, context)


def _told(limit: int, context: Context) -> list[dict[str, str]]:
    history, session = context.services.history, context.session
    if history is not None:
        return history.messages(limit)
    return PROCESS.messages(session, limit) if session else []


def _as_messages(told: list[dict[str, str]]) -> list[Any]:
    from langchain_core.messages import convert_to_messages

    return list(convert_to_messages(told))


@in_script(BufferMemory)
def buffer_memory(limit: int = 20) -> list[Any]:  # noqa: ARG001 (a script belongs to no conversation)
    """A script begins a conversation: nothing was said before."""
    return []
