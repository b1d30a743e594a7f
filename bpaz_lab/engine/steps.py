"""The rows of a run's ledger, and where they are kept: the protocol that the store and the server implement.

Example:
    >>> row = sealed("a1", StepRow("send", "done", "once", b"", (), 0, 1, 0.0, 0.5))
    >>> intact("a1", row), intact("another run", row)
    (True, False)
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import ormsgpack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

State = Literal["given", "started", "done", "failed"]


class StepRow(NamedTuple):
    """One step of a run; the address ``""`` is the run itself, whose outputs are its inputs.

    Attributes:
        address: Which step; see ``graph/address.py``.
        state: ``given``: a person said what it gave.
        effect: What it does outside.
        data: Its outputs as ``values.pack`` gives them; empty while it is not done.
        parts: The names of the large pieces that ``data`` names.
        size: Bytes of data and parts together.
        epoch: Under which lease it was written.
        began: Unix seconds.
        ended: Unix seconds; 0.0 while it has not.
        digest: Seals all of this and the run; see ``sealed``.
    """

    address: str
    state: State
    effect: str
    data: bytes
    parts: tuple[str, ...]
    size: int
    epoch: int
    began: float
    ended: float
    digest: str = ""


class Steps(Protocol):
    """The ledger of one run, held under a lease. Its methods block; one thread calls at a time.

    All of them raise ``LeaseLost`` where somebody else holds the run by now, and ``StoreError`` or
    ``ServerUnavailable`` where it cannot be reached.
    """

    run_id: str
    epoch: int

    def read(self) -> list[StepRow]:
        """All rows."""
        ...

    def part(self, digest: str) -> bytes:
        """One large piece."""
        ...

    def lacking(self, digests: Collection[str]) -> set[str]:
        """Those of these pieces that are not kept yet."""
        ...

    def write(self, rows: Sequence[StepRow], parts: Mapping[str, bytes]) -> None:
        """Keeps rows, in place of those of the same address, and pieces: all of them or nothing."""
        ...

    def beat(self) -> None:
        """Says that the holder is there."""
        ...

    def close(self) -> None:
        """Lets go of what is open; the lease stays."""
        ...


def sealed(run_id: str, row: StepRow) -> StepRow:
    """The row with the digest that its content has in this run."""
    return StepRow._make((*row[:-1], seal(run_id, *row[:-1])))


def intact(run_id: str, row: StepRow) -> bool:
    """Whether the row is what was kept, and of this run."""
    try:
        return row.digest == seal(run_id, *row[:-1])
    except (TypeError, ValueError):  # SQLite keeps a text where a number belongs
        return False


def seal(  # noqa: PLR0913, PLR0917 (the fields of a row)
    run_id: str,
    address: str,
    state: State,
    effect: str,
    data: bytes,
    parts: tuple[str, ...],
    size: int,
    epoch: int,
    began: float,
    ended: float,
) -> str:
    """The digest of a row with this content, in this run."""
    told = (run_id, address, state, effect, parts, size, epoch, float(began), float(ended))
    return blake2b(ormsgpack.packb(told) + data, digest_size=16).hexdigest()
