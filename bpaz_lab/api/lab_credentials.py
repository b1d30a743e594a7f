"""The credentials of a laboratory: ``lab.credentials``. A value goes there and never comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.lab_table import Record, Table, pages, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpaz_lab.api.transport import Transport

COLUMNS: Final = ("name", "type", "allowed_hosts", "updated_at", "last_used_at")


class Credentials:
    """Secrets by name; a workflow names one as ``bz.credential("openai")``.

    Args:
        transport: What asks the laboratory.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __repr__(self) -> str:
        return repr(self.list())

    def _repr_html_(self) -> str:
        return self.list()._repr_html_()

    def __iter__(self) -> Iterator[Record]:
        return pages(self._transport, "credentials", Record)

    def list(self, limit: int | None = 100, **filters: Any) -> Table[Record]:
        """Your credentials: names, types and hosts; no values."""
        return some(self._transport, "credentials", Record, COLUMNS, limit, **filters)
