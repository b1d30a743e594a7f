"""What a kernel and its server tell each other about one execution: with patience, and under one lease."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bpaz_lab.errors import (
    BpazError,
    IntegrityError,
    SchemaOutdated,
    ServerUnavailable,
    StoreError,
    Throttled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpaz_lab.api.transport.transport import Transport

BEAT: Final = 5.0
"""Seconds after which a silent execution tells that it is there, and hears whether it is to stop."""
PATIENCE: Final = 900.0
"""Seconds that a server may be away."""
AWAY: Final = (ServerUnavailable, StoreError, Throttled)
SPOILT: Final = (IntegrityError, SchemaOutdated)
"""What does not pass by itself."""

T = TypeVar("T")


class Wire:
    """The way to the server.

    Args:
        server: Who is asked.
        id: The execution.
        epoch: The one that this kernel was given; 0 until it is known.
        lease: Seconds after which a silent kernel is replaced.
    """

    def __init__(self, server: Transport, id: str, epoch: int = 0, lease: float = 4 * BEAT) -> None:
        self.server = server
        self.epoch = epoch
        self.beat = min(BEAT, lease / 4)
        self._path = f"executions/{id}"

    def claim(self) -> dict[str, Any]:
        """What is to be run; from now on it is this kernel's.

        Raises:
            BpazError: The server does not give it.
        """
        work: dict[str, Any] = self._ask("claim")
        self.epoch, self.beat = work["epoch"], min(BEAT, work["lease"] / 4)
        return work

    def tell(self, told: dict[str, Any]) -> dict[str, Any]:
        """Tells what happened, and hears what the server wants.

        Raises:
            LeaseLost: Somebody else goes on with the execution.
            BpazError: The server does not take it, or was away for too long.
        """
        heard: dict[str, Any] = self._ask("events", {**told, "epoch": self.epoch})
        return heard

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Says now and then that the kernel is there, while it does something that tells nothing."""
        done = threading.Event()
        thread = threading.Thread(target=self._beat_until, args=[done], name="bpaz-beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _beat_until(self, done: threading.Event) -> None:
        while not done.wait(self.beat):
            try:
                self.server.call("POST", f"{self._path}/events", body={"epoch": self.epoch})
            except BpazError:
                continue  # what is told next says it louder

    def _ask(self, what: str, body: dict[str, Any] | None = None) -> Any:
        return patiently(lambda: self.server.call("POST", f"{self._path}/{what}", body=body))


def patiently(work: Callable[[], T]) -> T:
    """What some work gives, again and again while the server or its database is away."""
    from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

    again = Retrying(
        retry=retry_if_exception(lambda fault: isinstance(fault, AWAY) and not isinstance(fault, SPOILT)),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        stop=stop_after_delay(PATIENCE),
        reraise=True,
    )
    return again(work)
