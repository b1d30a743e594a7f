"""A part that may fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bpaz_lab.errors import NodeFailed
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import outputs
from bpaz_lab.nodes.container import Container
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.standing import told

ERROR = "error"


class Try(Container):
    """Runs its body, and takes another way where that fails.

    While all goes well the fields of End come out and nothing comes from `error`. When a node inside fails,
    `error` gives what happened (code, message, hint, path) and nothing else comes: connect the fallback to
    it, and bring both ways together with **Merge**. For a single node its policy does the same:
    `node.set_policy(on_error="port")`.

    ```python
    with wf.add("Try", id="careful") as body:
        start = body.add("Start", fields=[{"name": "question"}])
        start >> body.add(ask_the_big_model) >> body.add("End", fields=["answer"])
    wf.connect(wf["careful"]["error"], fallback["error"])
    ```
    """

    @classmethod
    def container_ports(cls, settings: Mapping[str, Any], inside: Ports) -> Ports:
        """The ports of the body, and what went wrong."""
        own = super().container_ports(settings, inside)
        others = [port for port in own.outputs if port.name != ERROR]
        kept = [port.model_copy(update={"main": number == 0}) for number, port in enumerate(others)]
        error = PortSpec(
            name=ERROR,
            tag="data",
            title="Error",
            help="What went wrong: code, message, hint and path. It comes instead of the results.",
            main=not kept,
            needs=tuple(port.name for port in own.inputs),
        )
        return Ports(inputs=own.inputs, outputs=(*kept, error))

    @outputs()
    async def attempt(self, /, bpaz_context: Context, **inputs: Any) -> dict[str, Any]:
        """What the body gives, or the error."""
        assert bpaz_context.body is not None
        try:
            given = await bpaz_context.body(inputs)
        except NodeFailed as failure:
            return {ERROR: failure.told()}
        return {name: value for name, value in given.items() if name != ERROR}


@in_script(Try, branches=True)
def try_(body: Callable[..., dict[str, Any]], **inputs: Any) -> dict[str, Any]:
    """What the body gives, or what went wrong."""
    try:
        return body(**inputs)
    except Exception as error:  # noqa: BLE001 (that is what it is for)
        return {"error": told(error)}
