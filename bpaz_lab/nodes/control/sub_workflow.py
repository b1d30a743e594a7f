"""A workflow inside of a workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from bpaz_lab.nodes.base import outputs
from bpaz_lab.nodes.container import Container
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Form


class SubWorkflow(Container):
    """A workflow inside of this one: its own, or one from a file.

    Inside, Start says what it takes and End what it gives; outside these are its ports, by name. Use it to
    fold a part away, or to use one workflow in several places: then name its file under *workflow*.

    ```python
    with wf.add("SubWorkflow", id="summary") as body:
        body.add("Start", fields=[{"name": "topic"}]) >> body.add("LLMChain") >> body.add("End")

    part = wf.extract([splitter, retriever])     # folds nodes away
    wf.inline(part)                              # and takes that back
    ```
    """

    takes = ""  # an empty body gives way to the file of another workflow

    workflow: Annotated[str, Form(placeholder="summary.bpaz")] = Field(
        "", description="The workflow's file, beside this one; empty for a body of its own."
    )

    @classmethod
    def reference(cls, settings: Mapping[str, Any]) -> str:
        """The file that the settings name."""
        told = settings.get("workflow", "")
        return told if isinstance(told, str) else ""

    @outputs()
    async def call(self, /, bpaz_context: Context, **inputs: Any) -> dict[str, Any]:
        """What the workflow inside gives."""
        assert bpaz_context.body is not None
        return await bpaz_context.body(inputs)


@in_script(SubWorkflow, branches=True)
def sub_workflow(body: Callable[..., dict[str, Any]], **inputs: Any) -> dict[str, Any]:
    """What the workflow inside gives."""
    return body(**inputs)
