"""The question that a run is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.types import Identifier, Multiline

if TYPE_CHECKING:
    from collections.abc import Mapping


class ChatInput(Node):
    """The question of a run: what somebody types into the chat, or passes to `run()`.

    Use it where a workflow begins with one text. The setting *name* is the name that the run knows it
    by; with several ChatInputs, give each another name. For inputs of other kinds use **Start**.

    ```python
    ask = wf.add("ChatInput")
    wf.run(question="What is a kernel?")
    ```
    """

    inline = True

    name: Identifier = Field("question", description="The name of the run's input: run(question=...).")
    default: Multiline = Field(
        "", description="Asked when the run brings no text; while it is empty, the run has to bring one."
    )

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:
        """One input of the run, by the name of the setting."""
        name = str(settings.get("name", "question"))
        asked = PortSpec(
            name=name,
            tag="text",
            title=title_of(name),
            help="What the run is asked.",
            required=not settings.get("default"),
            source="run",
        )
        answer = PortSpec(
            name="text", tag="text", title="Text", help="The question.", main=True, needs=(name,)
        )
        return Ports(inputs=(asked,), outputs=(answer,))

    @outputs()
    def ask(self, **given: Any) -> dict[str, Any]:
        """The text of the run, else the default."""
        return {"text": given.get(self.name, self.default)}
