"""The templates of a laboratory: ``lab.templates``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.lab.table import Record, Table, pages, some
from bpaz_lab.errors import NotFound
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpaz_lab.api.lab.workflows import Workflows
    from bpaz_lab.api.transport.transport import Transport
    from bpaz_lab.api.workflow import Workflow

COLUMNS: Final = ("name", "category", "description", "id")


class Templates:
    """Workflows to begin with: those that come along, your own, and those that were published.

    Args:
        transport: What asks the laboratory.
        workflows: Where workflows are kept.
    """

    def __init__(self, transport: Transport, workflows: Workflows) -> None:
        self._transport = transport
        self._workflows = workflows

    def __repr__(self) -> str:
        return repr(self.list())

    def _repr_html_(self) -> str:
        return self.list()._repr_html_()

    def __iter__(self) -> Iterator[Record]:
        return pages(self._transport, "templates", Record)

    def list(self, limit: int | None = 100, **filters: Any) -> Table[Record]:
        """The templates; ``category`` and the other filters of ``GET templates`` narrow them down."""
        return some(self._transport, "templates", Record, COLUMNS, limit, **filters)

    def begin(self, name_or_id: str, name: str = "") -> Workflow:
        """A new workflow of a template, kept in the laboratory.

        Args:
            name_or_id: The template's name or id.
            name: What the workflow is called; as the template where empty.

        Raises:
            NotFound: There is no such template.
        """
        told = {"name": name} if name else {}
        path = f"templates/{self._id_of(name_or_id)}/instantiate"
        return self._workflows.load(self._transport.call("POST", path, body=told)["id"])

    def save(self, workflow: Workflow, *, description: str = "", category: str = "General") -> Record:
        """Keeps a workflow as a template of your own."""
        document = workflow.to_dict()
        body = {"name": document["name"], "description": description, "category": category}
        return Record(self._transport.call("POST", "templates", body={**body, "flow_data": document}))

    def _id_of(self, name_or_id: str) -> str:
        found = list(self)
        for each in found:
            if name_or_id in (str(each["id"]), each["name"]):
                return str(each["id"])
        hint = closest(name_or_id, [each["name"] for each in found]) or "List them: lab.templates."
        raise NotFound(f"there is no template {name_or_id!r}", hint=hint)
