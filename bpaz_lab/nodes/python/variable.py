"""A live object of the kernel."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.types import Form, Identifier


class Variable(Node):
    """An object of your notebook, by its name: a DataFrame, a model, a list, anything.

    The very same object goes over the wire, not a copy: what a later node changes in it is changed in
    the notebook too. The workflow file keeps the name alone; elsewhere bring the object by
    `run(objects={...})`, or by `bpaz run --with MODULE`.

    ```python
    df = pandas.read_csv("sales.csv")
    table = wf.add("Variable", name="df")
    ```
    """

    inline = True
    effect = "repeatable"

    name: Annotated[Identifier, Form(placeholder="df")] = Field(description="The name of the object.")

    @output("value", "any")
    def look_up(self, context: Context) -> Any:
        """The object itself.

        Raises:
            InputError: Nothing is called so.
        """
        return context.named(self.name)
