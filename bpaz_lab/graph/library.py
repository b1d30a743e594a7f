"""Where the workflows are that a sub-workflow names: files beside the workflow, or a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bpaz_lab.errors import DocumentError, FileRefused, FormatError
from bpaz_lab.graph.document import parse
from bpaz_lab.guard.strict_json import UNLIMITED

if TYPE_CHECKING:
    from bpaz_lab.graph.document import Document
    from bpaz_lab.guard.paths import Jail


class Library(Protocol):
    """Finds workflows by reference."""

    def find(self, reference: str) -> Document:
        """The workflow of that reference.

        Raises:
            DocumentError: There is none, or it cannot be read; the path is that of the setting.
        """


class Folder:
    """The workflow files that a jail allows; each is read again when it changed.

    Args:
        jail: The allowed folders.
    """

    def __init__(self, jail: Jail) -> None:
        self._jail = jail
        self._known: dict[str, tuple[int, Document]] = {}

    def find(self, reference: str) -> Document:
        """The workflow in the file of that path; see ``Library``."""
        try:
            path = self._jail.resolve(reference)
            changed = path.stat().st_mtime_ns
            known = self._known.get(reference)
            if known is None or known[0] != changed:
                with self._jail.open(reference, "rb") as file:
                    known = changed, parse(file.read(), limits=UNLIMITED)
                self._known[reference] = known
        except (OSError, FileRefused) as error:
            why = error.message if isinstance(error, FileRefused) else error.strerror
            raise FormatError(
                f"the workflow {reference!r} cannot be read: {why}",
                path="settings.workflow",
                hint="Name a .bpaz file beside this workflow's own, or in the current folder.",
            ) from None
        except DocumentError as error:
            raise FormatError(
                f"{reference} is no workflow: {error.message}", path="settings.workflow", hint=error.hint
            ) from None
        return known[1]
