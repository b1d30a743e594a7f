"""The executions of a laboratory: ``lab.executions``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.lab_execution import Execution
from bpaz_lab.api.lab_table import Table, pages, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bpaz_lab.api.transport import Transport

COLUMNS: Final = ("name", "status", "created_at", "completed_at", "error", "id")


class Executions:
    """What was run, latest first; iterate over it for all of them.

    Args:
        transport: What asks the laboratory.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._make = partial(Execution, transport)

    def __repr__(self) -> str:
        return repr(self.list(10))

    def _repr_html_(self) -> str:
        return self.list(20)._repr_html_()

    def __iter__(self) -> Iterator[Execution]:
        return pages(self._transport, "executions", self._make)

    def __getitem__(self, id: str) -> Execution:
        return self.get(id)

    def list(self, limit: int | None = 50, **filters: Any) -> Table[Execution]:
        """The latest executions.

        Args:
            limit: How many; None for all.
            filters: ``status``, ``session``, ``workflow`` (an id), ``since`` (a moment), ``sort``.
        """
        return some(self._transport, "executions", self._make, COLUMNS, limit, **filters)

    def get(self, id: str) -> Execution:
        """One execution.

        Raises:
            NotFound: There is none of that id, or it is another person's.
        """
        return Execution(self._transport, self._transport.call("GET", f"executions/{id}"))

    def events(self, id: str) -> Iterator[Any]:
        """The events of an execution, from the first one on and as they come."""
        return self.get(id).stream()

    def cancel(self, id: str) -> Execution:
        """Stops an execution."""
        return self.get(id).cancel()

    def resume(self, id: str, answers: Mapping[str, Any] | None = None, /, **named: Any) -> Execution:
        """Answers what a paused execution asks; see ``Execution.resume``."""
        return self.get(id).resume(answers, **named)

    def delete(self, id: str) -> None:
        """Deletes an execution that has ended, with its events.

        Raises:
            Conflict: It has not ended.
        """
        self._transport.call("DELETE", f"executions/{id}")
