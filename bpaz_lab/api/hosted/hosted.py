"""Executions that the server gives to this kernel: each runs as any other run, and is told to the server.

The server says the number of an execution; what is to be run, this kernel fetches from it. Each execution
has a thread that talks to the server, so neither cells nor other executions wait.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bpaz_lab.api.hosted.run import Hosted
from bpaz_lab.api.hosted.wire import Wire
from bpaz_lab.errors import ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.api.transport.transport import Transport
    from bpaz_lab.engine.run import Run

_hosted: dict[str, Hosted] = {}


def start(execution_id: str, transport: Transport | None = None) -> None:
    """Takes over an execution and runs it; returns at once.

    Args:
        execution_id: The execution, which the server has given to this kernel.
        transport: The server; by default the one that this kernel belongs to.

    Raises:
        ServerUnavailable: This kernel belongs to no server.
    """
    hosted = Hosted(execution_id, Wire(transport or _own_server(), execution_id))
    _begin(hosted, hosted.go)


def follow(run: Run, execution_id: str, epoch: int, transport: Transport, *, lease: float = 20.0) -> None:
    """Tells about a run that this kernel began by itself, until it has ended; returns at once.

    ``run.stored`` is set whenever the store knows how the run came to rest, or nobody can tell it.

    Args:
        run: The run.
        execution_id: The execution that it is.
        epoch: The one that this kernel holds it under.
        transport: The server, or the store of this process.
        lease: Seconds after which a silent kernel may be replaced.
    """
    hosted = Hosted(execution_id, Wire(transport, execution_id, epoch, lease))
    _begin(hosted, lambda: hosted.follow(run))


def cancel(execution_id: str) -> None:
    """Stops an execution of this kernel at its next await."""
    if hosted := _hosted.get(execution_id):
        hosted.cancel()


def answer(execution_id: str) -> None:
    """Has an execution fetch the answers that it waits for."""
    if hosted := _hosted.get(execution_id):
        hosted.wake()


def _begin(hosted: Hosted, work: Callable[[], None]) -> None:
    _hosted[hosted.id] = hosted

    def whole() -> None:
        try:
            work()
        finally:
            if _hosted.get(hosted.id) is hosted:  # else it came back to this kernel
                del _hosted[hosted.id]

    threading.Thread(target=whole, name=f"bpaz-execution-{hosted.id[:8]}", daemon=True).start()


def _own_server() -> Transport:
    from bpaz_lab.api.transport.kernel_login import own_server

    found = own_server()
    if found is None:
        raise ServerUnavailable(
            "this kernel belongs to no Jupyter server with bpaz_lab",
            hint="Is BPAZ_SERVER_URL set? The server's extension sets it.",
        )
    return found
