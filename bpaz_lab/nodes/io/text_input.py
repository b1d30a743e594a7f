"""A text that stands in the workflow."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Form, Port, Text


class TextInput(Node):
    """A text that you write here: an instruction, an example, a piece to try a workflow with.

    Use it for what is the same in every run; what changes from run to run is a **ChatInput**.
    A wire into *text* takes the place of what is written.

    ```python
    style = wf.add("TextInput", text="Answer like a librarian.")
    ```
    """

    inline = True

    def run(
        self,
        text: Annotated[str, Port("text"), Form(kind="multiline")] = Field(
            "", description="The text itself."
        ),
    ) -> Text:
        """The text as it is written."""
        return text


@in_script(TextInput)
def text_input(text: str = "") -> str:
    """The text as it is written."""
    return text
