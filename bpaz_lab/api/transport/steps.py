"""The ledger of a run over HTTP: what a kernel does instead of opening the store.

A request has no more bytes than a server takes: rows go in several where they are large, in their order, and
pieces before the rows that name them.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.steps import StepRow
from bpaz_lab.errors import LeaseLost, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from bpaz_lab.api.transport.transport import Transport

ROOM: Final = 2**22
"""Bytes of rows of one request; a server takes 5 MiB."""
NAMES: Final = 5000
"""Names of pieces of one request."""


class RemoteSteps:
    """The ledger of one execution; see ``engine.steps.Steps``.

    Args:
        transport: The server.
        execution_id: The execution.
        epoch: The lease; 0 for who only reads.

    Attributes:
        run_id: The execution, as its rows are sealed for.
        epoch: The lease.
    """

    def __init__(self, transport: Transport, execution_id: str, epoch: int) -> None:
        self.run_id = execution_id.replace("-", "")
        self.epoch = epoch
        self._transport = transport
        self._path = f"executions/{execution_id}"

    def __repr__(self) -> str:
        return f"<RemoteSteps of {self.run_id[:8]}, epoch {self.epoch}>"

    def read(self) -> list[StepRow]:
        """All rows, the run's own first.

        Raises:
            NotFound: The person has no such execution.
        """
        import ormsgpack

        rows: list[StepRow] = []
        after: str | None = None
        while True:
            page = self._transport.send("GET", f"{self._path}/ledger", query={"after": after})
            told = ormsgpack.unpackb(page)
            rows += [_row(each) for each in told["rows"]]
            if (after := told["next"]) is None:
                return rows

    def part(self, digest: str) -> bytes:
        """One large piece.

        Raises:
            NotFound: It is not there.
        """
        return self._transport.send("GET", f"{self._path}/parts/{digest}")

    def lacking(self, digests: Collection[str]) -> set[str]:
        """Those of these pieces that are not kept yet."""
        names, lacking = sorted(digests), set()
        for start in range(0, len(names), NAMES):
            body = {"digests": names[start : start + NAMES]}
            with _held():
                lacking |= set(self._transport.call("POST", f"{self._path}/lacking", body=body)["lacking"])
        return lacking

    def write(self, rows: Sequence[StepRow], parts: Mapping[str, bytes]) -> None:
        """Keeps rows and pieces.

        Raises:
            LeaseLost: Somebody else holds the run by now.
        """
        for digest, data in parts.items():
            with _held():
                self._transport.send("PUT", f"{self._path}/parts/{digest}", data)
        for some in _in_bounds(rows):
            self._post(some)

    def beat(self) -> None:
        """Says that the holder is there.

        Raises:
            LeaseLost: Somebody else holds the run by now.
        """
        self._post([])

    def close(self) -> None:
        """Nothing is open."""

    def _post(self, rows: Sequence[StepRow]) -> None:
        import ormsgpack

        data = ormsgpack.packb([list(row) for row in rows])
        with _held():
            self._transport.send("POST", f"{self._path}/ledger", data, query={"epoch": self.epoch})


@contextmanager
def _held() -> Iterator[None]:
    """An execution that is not this kernel's any more is another's, or gone."""
    try:
        yield
    except NotFound as error:
        raise LeaseLost(
            f"somebody else goes on with the run, or it is gone: {error.message}", hint="bpaz runs show."
        ) from error


def _row(told: Sequence[Any]) -> StepRow:
    row = StepRow(*told)
    return row._replace(parts=tuple(row.parts))


def _in_bounds(rows: Sequence[StepRow]) -> Iterator[list[StepRow]]:
    some: list[StepRow] = []
    size = 0
    for row in rows:
        taken = len(row.data) + len(row.address) + 40 * len(row.parts) + 200
        if some and size + taken > ROOM:
            yield some
            some, size = [], 0
        some.append(row)
        size += taken
    if some:
        yield some
