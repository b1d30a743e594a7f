"""A function of the kernel, called with what comes over the wires."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from bpaz_lab.errors import InputError
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.types import Form, Identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class PythonFunction(Node):
    """Calls a function of your notebook, by its name.

    List the parameters that wires feed under *inputs*; each is a port. The function may be sync (it
    runs in a thread) or async. The workflow file holds the name and no code; elsewhere bring the
    function by `run(objects={...})`, or by `bpaz run --with MODULE`. To make a function a node type of
    its own, with ports and form from its signature, put `@bz.node` above it instead.

    ```python
    def total(table, column):
        return table[column].sum()

    wf.add("PythonFunction", name="total", inputs=["table", "column"])
    ```
    """

    effect = "repeatable"

    name: Annotated[Identifier, Form(placeholder="my_function")] = Field(
        description="The name of the function."
    )
    inputs: list[Identifier] = Field(
        default=["value"], description="The parameters that wires feed, each of which is an input."
    )

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:
        """An input for each parameter."""
        told = settings.get("inputs")
        names = tuple(dict.fromkeys(str(name) for name in (told if isinstance(told, list) else ())))
        result = PortSpec(
            name="result",
            tag="any",
            title="Result",
            help="What the function returns.",
            main=True,
            needs=names,
        )
        return Ports(
            inputs=tuple(
                PortSpec(
                    name=name, tag="any", title=title_of(name), help=f"The parameter {name}.", required=True
                )
                for name in names
            ),
            outputs=(result,),
        )

    def fingerprint(self, context: Context) -> Any:
        """The function itself, whose code then counts."""
        return context.named(self.name)

    @outputs()
    async def call(self, context: Context, **arguments: Any) -> dict[str, Any]:
        """What the function returns.

        Raises:
            InputError: The name is no function's, or the arguments do not fit it.
        """
        function = context.named(self.name)
        _check(self.name, function, arguments)
        if inspect.iscoroutinefunction(function):
            return {"result": await function(**arguments)}
        result = await asyncio.to_thread(function, **arguments)
        return {"result": await result if inspect.isawaitable(result) else result}


def _check(name: str, function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    if not callable(function):
        raise InputError(
            f"{name!r} is a {type(function).__name__}, which cannot be called",
            path="name",
            hint="Name a function, or use a Variable node for the object itself.",
        )
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C do not tell theirs
        return
    try:
        signature.bind(**arguments)
    except TypeError as fault:
        raise InputError(
            f"the inputs do not fit {name}{signature}: {fault}",
            path="inputs",
            hint=f"List the parameters of {name} under inputs, and connect them.",
        ) from None
