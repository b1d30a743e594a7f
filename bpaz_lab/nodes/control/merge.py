"""Branches that come together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Port


class Merge(Node):
    """Brings branches together after a Condition, a Switch or a race.

    With `first` it gives the first value that comes and does not wait for the others: of two branches of
    which one was taken, the one; of two that run at the same time, the faster, and the slower is stopped
    where nothing else needs it. With `all` it waits until every branch is settled, and gives what came as a
    list in the order of the wires. A branch that was not taken does not count; when none was, Merge is
    skipped too.

    ```python
    merge = wf.add("Merge")
    wf.connect(refunds["text"], merge["values"])
    wf.connect(other["text"], merge["values"])
    ```
    """

    inline = True

    mode: Literal["first", "all"] = Field(
        "first", description="Whether the first value counts, or all that come, as a list."
    )

    def eager(self) -> bool:
        """The first value is enough."""
        return self.mode == "first"

    @outputs(value="any")
    def join(
        self, values: Annotated[list[Any], Port("any", many=True, help="The ends of the branches.")]
    ) -> dict[str, Any]:
        """The first value, or all that came."""
        if self.mode == "all":
            return {"value": values}
        return {"value": values[0]} if values else {}


@in_script(Merge, branches=True)
def merge(values: list[Any], mode: Literal["first", "all"] = "first") -> dict[str, Any]:
    """The first value, or all that came."""
    return {"value": values if mode == "all" else values[0]}
