"""Blocking methods in processes of their own: work that computes rather than waits.

The workers are loky's, which start once and are used again; functions of a cell travel by cloudpickle
between processes of the same person. A worker knows nothing of the run: no Context, no streaming.
"""

from __future__ import annotations

import asyncio
import importlib.util
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import MissingPackage, NodeTypeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.nodes.call import Call


async def in_process(call: Call, arguments: dict[str, Any]) -> Any:
    """Calls a method in another process and gives its result; a stream comes as a whole.

    Raises:
        MissingPackage: loky is not installed.
        NodeTypeError: The method wants a Context.
    """
    if call.context:
        raise NodeTypeError(
            "a node that computes in a process of its own gets no Context",
            hint="Take the Context out of its parameters, or do without the process.",
        )
    if importlib.util.find_spec("loky") is None:
        raise MissingPackage(
            "processes need loky, which is not installed", hint="pip install 'bpaz-lab[process]'"
        )
    from loky import get_reusable_executor

    work = get_reusable_executor().submit(_call, call.function, call.style, arguments)
    try:
        value = await asyncio.wrap_future(work)
    except asyncio.CancelledError:
        work.cancel()
        raise
    return "".join(value) if call.style == "iterator" and call.text else value


def _call(function: Callable[..., Any], style: str, arguments: dict[str, Any]) -> Any:
    value = function(**arguments)
    return list(value) if style == "iterator" else value
