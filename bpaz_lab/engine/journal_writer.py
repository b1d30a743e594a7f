"""The thread that writes a journal: many rows in one commit, at once where somebody waits for it.

Rows are added on the engine's loop, which costs no more than a place in a queue. The thread waits one
window for more, so that the quick steps of a run share a commit; as soon as a strict step waits it writes,
and those that come meanwhile share the commit after it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from bpaz_lab.engine.steps import State, StepRow, seal
from bpaz_lab.errors import BpazError, ServerUnavailable, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.engine.steps import Steps

PATIENCE: Final = 900.0
"""Seconds for which a store that cannot be reached is tried again."""
WAIT: Final = 0.05
LONGEST: Final = 10.0
"""Seconds before the first repeat and at most between two; they double."""
ROWS: Final = 2_000
BYTES: Final = 2 * 1024**2
"""Rows and bytes of one write at most; a server takes no more than its body limit."""
LARGE: Final = 64 * 1024**2
"""Bytes of parts that wait to be written before a step waits with them."""

T = TypeVar("T")


class Line(NamedTuple):
    """A row before it is sealed, with the parts that it brings."""

    address: str
    state: State
    effect: str
    data: bytes
    size: int
    began: float
    ended: float
    parts: dict[str, bytes] | None = None
    named: tuple[str, ...] = ()


class Writer:
    """Writes the lines of one run; everything but the thread itself is called on one loop.

    Args:
        steps: Where to.
        window: Seconds that lines wait for others.
        lease: Seconds after which a holder that was not heard of is replaced; it beats four times as often.
        broke: Is told, on the loop, what went wrong for good.
    """

    def __init__(self, steps: Steps, window: float, lease: float, broke: Callable[[BpazError], None]) -> None:
        self.lines: deque[Line] = deque()
        self.large = 0
        """About how many bytes of parts wait."""
        self.broken: BpazError | None = None
        self.calls = threading.Lock()
        """Held while the steps are asked for something: one thread at a time."""
        self._steps = steps
        self._window = window
        self._every = lease / 4
        self._broke = broke
        self._asked: deque[asyncio.Future[None]] = deque()
        self._wake = threading.Event()
        self._now = threading.Event()
        self._stop = threading.Event()
        self._gate = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle = True
        self._resting = True
        self._there: set[str] = set()
        """The parts that the store has."""
        self._heard = monotonic()
        """When the store last answered."""

    def add(self, line: Line) -> None:
        """Takes a line, to be written soon."""
        self.lines.append(line)
        if line.parts:
            self.large += line.size
        if self._idle or self._resting:
            self._idle = False
            if self._resting:
                self._begin()
            self._wake.set()

    def safe(self) -> asyncio.Future[None]:
        """Is done when everything that was added is written; never, where that is not to be."""
        future = asyncio.get_running_loop().create_future()
        self._asked.append(future)
        if self._resting:
            self._begin()
        self._idle = False
        self._now.set()
        self._wake.set()
        return future

    async def rest(self) -> None:
        """Waits until everything is written, and ends the thread.

        Raises:
            BpazError: Something cannot be written.
        """
        if self.broken is None and not self._resting:
            written = self.safe()
            while self.broken is None and not written.done():
                await asyncio.wait([written], timeout=0.2)
        if self.broken is not None:
            raise self.broken
        self._resting = True
        self._wake.set()

    def close(self) -> None:
        """Ends the thread at once; what is not written is not."""
        self._stop.set()
        self._now.set()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    # ---- in the thread -----------------------------------------------------------------------------------

    def _begin(self) -> None:
        with self._gate:
            self._resting = False
            if self._thread is None and self.broken is None and not self._stop.is_set():
                self._loop = asyncio.get_running_loop()
                self._thread = threading.Thread(target=self._work, name="bpaz-journal", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        due = monotonic() + self._every
        try:
            while not self._stop.is_set():
                if monotonic() >= due:
                    self._beat()
                    due = monotonic() + self._every
                if not self._wake.wait(max(0.0, due - monotonic())):
                    continue
                if self._over():
                    return
                self._now.wait(self._window)
                self._wake.clear()
                self._now.clear()
                self._idle = True  # before the queues are emptied: who adds from here on wakes
                asked = [self._asked.popleft() for _ in range(len(self._asked))]
                self._write([self.lines.popleft() for _ in range(len(self.lines))])
                self._tell(_settle, asked)
        except BpazError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 (of a store's driver; the run must hear of it)
            fault = StoreError(f"what the run has done cannot be kept: {type(error).__name__}: {error}")
            fault.__cause__ = error
            self._fail(fault)
        finally:
            with self._gate:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _over(self) -> bool:
        with self._gate:
            over = self._resting and not self.lines and not self._asked
            if over:
                self._thread = None
            return over

    def _write(self, lines: list[Line]) -> None:
        latest = {line.address: line for line in lines}
        rows: list[StepRow] = []
        parts: dict[str, bytes] = {}
        size = 0
        for line in latest.values():
            rows.append(self._row(line))
            parts |= line.parts or {}
            size += len(line.data)
            if len(rows) == ROWS or size >= BYTES:
                self._keep(rows, parts)
                rows, parts, size = [], {}, 0
        if rows:
            self._keep(rows, parts)
        self.large -= sum(line.size for line in lines if line.parts)

    def _row(self, line: Line) -> StepRow:
        address, state, effect, data, size, began, ended, _, named = line
        told = (address, state, effect, data, named, size, self._steps.epoch, began, ended)
        return StepRow._make((*told, seal(self._steps.run_id, *told)))

    def _keep(self, rows: list[StepRow], parts: dict[str, bytes]) -> None:
        if unknown := parts.keys() - self._there:
            lacking = self._tried(lambda: self._steps.lacking(unknown))
            self._tried(lambda: self._steps.write(rows, {name: parts[name] for name in lacking}))
            self._there |= unknown
        else:
            self._tried(lambda: self._steps.write(rows, {}))

    def _beat(self) -> None:
        try:
            with self.calls:
                self._steps.beat()
            self._heard = monotonic()
        except (StoreUnavailable, ServerUnavailable):
            if monotonic() - self._heard > PATIENCE:
                raise

    def _tried(self, work: Callable[[], T]) -> T:
        """Does it, again and again while the store cannot be reached."""
        began, wait = monotonic(), WAIT
        while True:
            try:
                with self.calls:
                    found = work()
            except (StoreUnavailable, ServerUnavailable):
                if monotonic() - began > PATIENCE or self._stop.wait(wait):
                    raise
                wait = min(2 * wait, LONGEST)
            else:
                self._heard = monotonic()
                return found

    def _fail(self, error: BpazError) -> None:
        self.broken = error
        if not self._stop.is_set():
            self._tell(self._broke, error)

    def _tell(self, function: Callable[..., Any], *arguments: Any) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(function, *arguments)


def _settle(asked: list[asyncio.Future[None]]) -> None:
    for future in asked:
        if not future.done():
            future.set_result(None)
