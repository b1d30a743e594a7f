"""The results of a run, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.types import Identifier, setting_fault

if TYPE_CHECKING:
    from collections.abc import Mapping


def _distinct(names: list[str]) -> list[str]:
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise setting_fault(f"the name {twice!r} is there twice", "Give each result another name.")
    return names


class End(Node):
    """The results of a run: a dict of what enters, by name, which is `run.output`.

    Use it where a workflow gives several results, or other things than a text: tables, documents,
    live objects. A result whose branch was not taken is missing in the dict. For a single answer
    use **ChatOutput**.

    ```python
    end = wf.add("End", fields=["answer", "sources"])
    wf.connect(chain["text"], end["answer"])
    wf.connect(search["documents"], end["sources"])
    ```
    """

    inline = True
    collects = True

    fields: Annotated[list[Identifier], Field(min_length=1), AfterValidator(_distinct)] = Field(
        default=["result"], description="The names of the results, each of which is an input."
    )

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:
        """An input for each name."""
        fields = settings.get("fields")
        names = dict.fromkeys(str(name) for name in (fields if isinstance(fields, list) else ()))
        result = PortSpec(
            name="results",
            tag="data",
            title="Results",
            help="The results as a dict.",
            main=True,
            needs=tuple(names),
        )
        return Ports(
            inputs=tuple(
                PortSpec(name=name, tag="any", title=title_of(name), help=f"The result {name}.")
                for name in names
            ),
            outputs=(result,),
        )

    @outputs()
    def finish(self, /, **results: Any) -> dict[str, Any]:
        """What came, in the order of the fields."""
        return {"results": {name: results[name] for name in self.fields if name in results}}
