"""The workflows of a laboratory: ``lab.workflows``."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from bpaz_lab.api.lab.stored import Stored, operations
from bpaz_lab.api.lab.table import Record, Table, pages, some
from bpaz_lab.api.workflow import Workflow
from bpaz_lab.errors import Conflict, InputError, NotFound
from bpaz_lab.graph import document as documents
from bpaz_lab.graph.difference import Difference, difference
from bpaz_lab.graph.merge import merge
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bpaz_lab.api.transport.transport import Transport
    from bpaz_lab.graph.document import Document
    from bpaz_lab.graph.merge import Conflict as Clash

COLUMNS: Final = ("name", "version", "updated_at", "owner", "is_public", "description", "id")
CLASHES: Final = ("path", "sentence")
VERSIONS: Final = ("version", "saved_by", "created_at", "message")


class Workflows:
    """The workflows that you may read; iterate over it for all of them.

    Args:
        transport: What asks the laboratory.
        where: Names the laboratory.
    """

    def __init__(self, transport: Transport, where: str) -> None:
        self._transport = transport
        self._where = where

    def __repr__(self) -> str:
        return repr(self.list(10))

    def _repr_html_(self) -> str:
        return self.list(20)._repr_html_()

    def __iter__(self) -> Iterator[Record]:
        return pages(self._transport, "workflows/", Record)

    def list(self, limit: int | None = 50, **filters: Any) -> Table[Record]:
        """The workflows, the one that was saved last first.

        Args:
            limit: How many; None for all.
            filters: ``scope`` ("mine", "shared" or "public"), ``contains`` (a part of the name), ``sort``.
        """
        return some(self._transport, "workflows/", Record, COLUMNS, limit, **filters)

    # ---- keep -------------------------------------------------------------------------------------

    def save(
        self,
        workflow: Workflow,
        message: str = "",
        *,
        description: str | None = None,
        is_public: bool | None = None,
        overwrite: bool = False,
    ) -> Stored:
        """Saves a workflow: as a new one, or as the next version of the one that it was loaded as.

        Args:
            workflow: The workflow; it remembers which version it is now (``workflow.stored``).
            message: What changed, for the list of versions.
            description: What it is for; as it was where None.
            is_public: Whether everybody who is signed in may read and run it; as it was where None.
            overwrite: Whether to save although somebody else has saved meanwhile. Theirs stays a version.

        Raises:
            Conflict: Somebody else has saved meanwhile. The message says who, when and what differs.
        """
        document = workflow.to_dict()
        body: dict[str, Any] = {"name": document["name"], "flow_data": document, "message": message}
        told = {"description": description, "is_public": is_public}
        body |= {name: value for name, value in told.items() if value is not None}
        known = self._stored(workflow)
        if known is None:
            answer = self._transport.call("POST", "workflows/", body=body)
        else:
            version = self._transport.call("GET", f"workflows/{known.id}")["version"] if overwrite else None
            headers = {"If-Match": f'"{version or known.version}"'}
            try:
                answer = self._transport.call("PUT", f"workflows/{known.id}", body=body, headers=headers)
            except Conflict as error:
                raise self._explained(error, known) from None
        workflow.stored = self._remembered(answer, document)
        return workflow.stored

    def load(self, name_or_id: str, version: int | None = None) -> Workflow:
        """A workflow of the laboratory. Executes nothing.

        Args:
            name_or_id: Its name or its id.
            version: One of its versions; the latest where None. Saving an older one makes it the latest.

        Raises:
            NotFound: There is none that you may read.
            InputError: Several have that name; the hint lists their ids.
        """
        answer = self._transport.call("GET", f"workflows/{self.id_of(name_or_id)}")
        found = answer if version is None else self._version(answer["id"], version)
        workflow = Workflow.from_dict(found["flow_data"])
        workflow.stored = self._remembered(answer, workflow.to_dict())
        return workflow

    def delete(self, workflow: Workflow | str) -> None:
        """Deletes a workflow with its versions.

        Raises:
            NotFound: There is none that you may read.
            Forbidden: You may read it, and not delete it.
        """
        self._transport.call("DELETE", f"workflows/{self.id_of(workflow)}")
        if isinstance(workflow, Workflow):
            workflow.stored = None

    # ---- versions ---------------------------------------------------------------------------------

    def versions(self, workflow: Workflow | str, limit: int | None = 50) -> Table[Record]:
        """The versions of a workflow, latest first: who, when, and why."""
        path = f"workflows/{self.id_of(workflow)}/versions"
        return some(self._transport, path, Record, VERSIONS, limit)

    def diff(self, workflow: Workflow | str, from_: int | None = None, to: int | None = None) -> Difference:
        """What differs between two versions; a notebook shows it in colours.

        Args:
            workflow: The workflow, or its name or id.
            from_: The older version; the one that the workflow was loaded as, or the one before the latest.
            to: The newer version. Where None: of a ``Workflow`` as it is here, else the latest.
        """
        id = self.id_of(workflow)
        latest = self._transport.call("GET", f"workflows/{id}")
        known = self._stored(workflow) if isinstance(workflow, Workflow) else None
        before = from_ or (known.version if known else max(1, latest["version"] - 1))
        one = documents.shaped(self._version(id, before)["flow_data"])
        if to is None and isinstance(workflow, Workflow):
            return difference(one, workflow.to_dict())
        other = latest if to is None else self._version(id, to)
        return difference(one, documents.shaped(other["flow_data"]))

    def restore(self, workflow: Workflow | str, version: int) -> Workflow:
        """Makes an older version the latest again; what came after stays in the list of versions.

        Returns:
            The workflow as it now is: the same object, changed in one undo step, where one was given.
        """
        path = f"workflows/{self.id_of(workflow)}/versions/{version}/restore"
        answer = self._transport.call("POST", path, body={})
        if not isinstance(workflow, Workflow):
            return self.load(answer["id"])
        self._become(workflow, documents.shaped(answer["flow_data"]))
        workflow.stored = self._remembered(answer, workflow.to_dict())
        return workflow

    def merge(self, workflow: Workflow) -> Table[Clash]:
        """Takes over what others have saved since this workflow was loaded; then it can be saved.

        It is one undo step.

        Returns:
            What both changed, each in another way: it stays as it is here. Look at these before you save.

        Raises:
            InputError: The workflow was not loaded from this laboratory.
        """
        known = self._stored(workflow)
        if known is None:
            raise InputError(
                "the workflow is not kept in this laboratory", hint="Save it: lab.workflows.save(wf)."
            )
        answer = self._transport.call("GET", f"workflows/{known.id}")
        theirs = documents.shaped(answer["flow_data"])
        merged = merge(known.document, workflow.to_dict(), theirs)
        self._become(workflow, merged.document)
        workflow.stored = self._remembered(answer, theirs)
        return Table(merged.conflicts, CLASHES)

    # ---- how --------------------------------------------------------------------------------------

    def id_of(self, workflow: Workflow | str) -> str:
        """The id of a workflow of the laboratory, by its name or itself.

        Raises:
            NotFound: There is none of that name.
            InputError: Several have it, or the workflow is not kept here.
        """
        if isinstance(workflow, Workflow):
            known = self._stored(workflow)
            if known is None:
                raise InputError(
                    "the workflow is not kept in this laboratory", hint="Save it: lab.workflows.save(wf)."
                )
            return known.id
        if _is_id(workflow):
            return workflow
        found = list(pages(self._transport, "workflows/", Record, name=workflow, limit=20))
        if not found:
            names = [each["name"] for each in self.list(100)]
            hint = closest(workflow, names) or "List them: lab.workflows."
            raise NotFound(f"there is no workflow called {workflow!r}", hint=hint)
        if len(found) > 1:
            ids = ", ".join(str(each["id"]) for each in found[:8])
            raise InputError(f"{len(found)} workflows are called {workflow!r}", hint=f"Give an id: {ids}.")
        return str(found[0]["id"])

    def unchanged(self, workflow: Workflow) -> Stored | None:
        """Where a workflow is kept here just as it is now; None where it has changed since, or never was."""
        known = self._stored(workflow)
        return known if known and documents.equal(known.document, workflow.to_dict()) else None

    def _stored(self, workflow: Workflow) -> Stored | None:
        known = workflow.stored
        return known if known is not None and known.where == self._where else None

    def _remembered(self, answer: Mapping[str, Any], document: Document) -> Stored:
        return Stored(self._where, str(answer["id"]), int(answer["version"]), deepcopy(document))

    def _version(self, id: str, version: int) -> Any:
        return self._transport.call("GET", f"workflows/{id}/versions/{version}")

    @staticmethod
    def _become(workflow: Workflow, document: Document) -> None:
        if changes := operations(workflow.to_dict(), document):
            workflow.apply(changes)

    @staticmethod
    def _explained(error: Conflict, known: Stored) -> Conflict:
        """A conflict that says who was quicker, what differs, and what to do."""
        current = error.current or {}
        if "flow_data" not in current:
            return error
        when = Record(current)["updated_at"]
        changed = difference(known.document, documents.shaped(current["flow_data"]))
        return Conflict(
            f"{current['name']!r} was saved by {current['by']} at {when.astimezone():%H:%M} as version "
            f"{current['version']}; yours began with version {known.version}. They changed:\n{changed}",
            hint="Take both: lab.workflows.merge(wf), look, and save. Theirs alone: lab.workflows.load"
            f"({known.id!r}). Yours alone: lab.workflows.save(wf, overwrite=True).",
            path=error.path,
            current=current,
        )


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
