"""The answer of a run."""

from __future__ import annotations

from typing import Annotated

from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.types import Port, Text


class ChatOutput(Node):
    """The answer of a run: what enters here is shown in the chat and is `run.output`.

    Connect the text that somebody shall read. Documents, messages and data become text by
    themselves. For several results, or for other things than text, use **End**.

    ```python
    chain >> wf.add("ChatOutput")
    print(wf.run(question="What is a kernel?").output)
    ```
    """

    inline = True
    collects = True

    def run(self, text: Annotated[str, Port("text", help="The answer.")]) -> Text:
        """The text as it came."""
        return text
