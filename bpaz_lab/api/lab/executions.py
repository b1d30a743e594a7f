"""The executions of a laboratory: ``lab.executions``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.lab.execution import Execution
from bpaz_lab.api.lab.ids import full_id
from bpaz_lab.api.lab.table import Record, Table, pages, some
from bpaz_lab.api.lab.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bpaz_lab.api.runs.comparison import Comparison
    from bpaz_lab.api.runs.moment import Moment
    from bpaz_lab.api.transport.transport import Transport

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

        Args:
            id: Its id, or the first characters of it.

        Raises:
            NotFound: There is none of that id, or it is another person's.
            InputError: Several begin like that; the hint lists them.
        """
        id = full_id(self._transport, id)
        return Execution(self._transport, self._transport.call("GET", f"executions/{id}"))

    def events(self, id: str) -> Iterator[Any]:
        """The events of an execution, from the first one on and as they come."""
        return self.get(id).stream()

    def cancel(self, id: str) -> Execution:
        """Stops an execution."""
        return self.get(id).cancel()

    def resume(self, id: str, answers: Mapping[str, Any] | None = None, /, **named: Any) -> Execution:
        """Has the laboratory go on with an execution that stopped, or waits; see ``Execution.resume``."""
        return self.get(id).resume(answers, **named)

    def fork(
        self, id: str, address: str, outputs: Mapping[str, Any] | None = None, /, **named: Any
    ) -> Execution:
        """Has the laboratory begin a new one in the middle of an execution; see ``Execution.fork``."""
        return self.get(id).fork(address, outputs, **named)

    def at(self, id: str, address: str) -> Moment:
        """A step of an execution as it was; see ``Execution.at``."""
        return self.get(id).at(address)

    def steps(self, id: str) -> Table[Record]:
        """The steps of an execution that are kept."""
        return self.get(id).steps()

    def diff(self, id: str, other: str) -> Comparison:
        """What differs between two executions, node by node."""
        return self.get(id).diff(self.get(other))

    def tree(self, id: str = "", *, limit: int | None = 200) -> Tree:
        """Executions and what was forked from them.

        Args:
            id: One of the tree that is wanted; all trees where empty.
            limit: How many of the latest executions are looked at; None for all.
        """
        found = some(self._transport, "executions", dict, COLUMNS, None if id else limit)
        tree = Tree(found, more=found.more)
        return tree.of(full_id(self._transport, id)) if id else tree

    def delete(self, id: str) -> None:
        """Deletes an execution that has ended, with its events.

        Raises:
            Conflict: It has not ended.
        """
        self._transport.call("DELETE", f"executions/{full_id(self._transport, id)}")
