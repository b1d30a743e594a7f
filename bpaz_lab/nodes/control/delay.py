"""A pause of some seconds."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field

from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Port


class Delay(Node):
    """Waits some seconds and passes on what came; everything else goes on meanwhile.

    Use it between calls of a provider that wants a pause. To limit how often a kind of node works, give the
    run a `concurrency` with a `Limit` instead.

    ```python
    ask >> wf.add("Delay", seconds=0.5) >> chat
    ```
    """

    @output("value", "any")
    async def wait(
        self,
        value: Annotated[Any, Port("any", help="What is passed on.")],
        seconds: Annotated[float, Field(ge=0, le=86_400, description="How long it waits.")] = 1.0,
    ) -> Any:
        """What came."""
        await asyncio.sleep(seconds)
        return value


@in_script(Delay)
def delay(value: Any, seconds: float = 1.0) -> Any:
    """Waits, and passes on what came."""
    import time

    time.sleep(seconds)
    return value
