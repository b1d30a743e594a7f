"""Calling the methods of a node: the same for the engine and for a node under test."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from bpaz_lab.errors import NodeTypeError
from bpaz_lab.graph.ports import ANY
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.process import in_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bpaz_lab.graph.spec import Ports
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.nodes.reflect import Method, Style


class Call(NamedTuple):
    """One method of one node, ready to be called with inputs by name."""

    function: Callable[..., Any]
    style: Style
    inline: bool
    inputs: tuple[str, ...]
    context: str
    outputs: tuple[str, ...]
    split: bool
    """The result is a dict of outputs by name."""
    text: bool
    """A stream is joined to one text."""
    process: bool = False
    """A blocking method computes in a process of its own."""
    filled: bool = False
    """None is no result: the output has a tag that says what it carries."""


def calls_of(node: Node, ports: Ports, wanted: Iterable[str]) -> list[Call]:
    """The calls that compute the wanted outputs, each once."""
    shape, rest = node.shape(), set(wanted)
    sink = not ports.outputs
    calls = []
    for method in shape.methods:
        outputs = method.outputs or (tuple(port.name for port in ports.outputs) if method.split else ())
        if sink or rest.intersection(outputs):
            calls.append(_call(node, ports, method, outputs))
            rest.difference_update(outputs)
    if rest:
        raise NodeTypeError(f"{type(node).__name__} has no method for {', '.join(sorted(rest))}")
    return calls


def _call(node: Node, ports: Ports, method: Method, outputs: tuple[str, ...]) -> Call:
    names = method.parameters
    if method.spread:
        named = {name for other in node.shape().methods for name in other.parameters}
        names += tuple(port.name for port in ports.inputs if port.name not in named)
    port = ports.output(outputs[0]) if outputs else None
    return Call(
        function=getattr(node, method.attribute),
        style=method.style,
        inline=node.inline,
        inputs=names,
        context=method.context,
        outputs=outputs,
        split=method.split,
        text=port is not None and port.tag == "text",
        process=node.process and method.style in ("sync", "iterator"),
        filled=port is not None and not (method.split or method.blank) and port.tag not in (ANY, "data"),
    )


async def invoke(call: Call, arguments: dict[str, Any], context: Context) -> Any:
    """Calls and gives the result: streams are emitted piece by piece and collected."""
    if call.process:
        return await in_process(call, arguments)
    if call.context:
        arguments[call.context] = context
    if call.style == "async":
        return await call.function(**arguments)
    if call.style == "async_iterator":
        pieces = []
        async with aclosing(call.function(**arguments)) as stream:
            async for piece in stream:
                context.check()  # a stream that never waits would not hear of a stop
                pieces.append(piece)
                if call.text:
                    context.emit(piece, call.outputs[0])
        return "".join(pieces) if call.text else pieces
    if call.style == "iterator":
        return await asyncio.to_thread(_drain, call, arguments, context)
    value = call.function(**arguments) if call.inline else await asyncio.to_thread(_called, call, arguments)
    return await value if inspect.isawaitable(value) else value


def nothing(call: Call) -> NodeTypeError:
    """The error of a method that returned None although its output says what it carries."""
    return NodeTypeError(
        f"the node returned nothing, and its output {call.outputs[0]!r} must carry something",
        hint="Return a value in every case, or hint the result as 'X | None' or Any.",
    )


def _called(call: Call, arguments: dict[str, Any]) -> Any:
    try:
        return call.function(**arguments)
    except StopIteration as error:  # a future cannot carry one: the run would wait for ever
        raise RuntimeError("the function let a StopIteration escape") from error


def _drain(call: Call, arguments: dict[str, Any], context: Context) -> Any:
    pieces = []
    for piece in call.function(**arguments):
        context.check()
        pieces.append(piece)
        if call.text:
            context.emit(piece, call.outputs[0])
    return "".join(pieces) if call.text else pieces


def results(call: Call, value: Any) -> dict[str, Any]:
    """The result by output port."""
    if not call.split:
        return dict.fromkeys(call.outputs, value)
    if not isinstance(value, dict):
        raise NodeTypeError(
            f"a method marked @outputs returns a dict of outputs, not {type(value).__name__}",
            hint=f"Return a dict with some of: {', '.join(call.outputs)}.",
        )
    if unknown := [name for name in value if name not in call.outputs]:
        raise NodeTypeError(
            f"the method returned the unknown output {unknown[0]!r}",
            hint=f"The outputs are: {', '.join(call.outputs)}.",
        )
    return value


async def compute(
    node: Node, inputs: Mapping[str, Any], context: Context | None, wanted: tuple[str, ...]
) -> dict[str, Any]:
    """Computes outputs of one node outside of a workflow; see ``Node.execute``."""
    node.require()
    ports = node.ports(node.settings())
    main = ports.main
    found: dict[str, Any] = {}
    given = {**node._defaults, **inputs}
    for call in calls_of(node, ports, wanted or ((main.name,) if main else ())):
        arguments = {name: given[name] for name in call.inputs if name in given}
        found |= results(call, await invoke(call, arguments, context or Context()))
    return found
