"""The rules that hold after every edit, whoever made it: what would break one does not take place.

Only what would damage the document is refused. A setting that does not fit or an input that nothing
feeds may stand while somebody works; ``validate`` lists it and the canvas shows it on its node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.errors import DocumentError, EdgeError, FormatError, JsonError
from bpaz_lab.graph.check import edge_problem, secrets
from bpaz_lab.graph.document import body_at, check_section
from bpaz_lab.guard import strict_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.check import Types
    from bpaz_lab.graph.document import Body, Document


def fit_for_files(operations: Sequence[Operation]) -> None:
    """Refuses values that a file cannot hold (NaN, half a character): saving would fail later.

    Raises:
        JsonError: There is one.
    """
    for operation in operations:
        try:
            strict_json.compact(operation.get("new"))
        except JsonError as error:
            place = [str(part) for part in operation.get("path", ["edges"])]
            error.path = ".".join([*place, error.path] if error.path else place)
            raise


def guarded(document: Document, operations: Sequence[Operation], types: Types) -> None:
    """Checks what the operations touched, in the document as they left it.

    Raises:
        DocumentError: A rule is broken.
    """
    scopes: dict[tuple[str, ...], list[Operation]] = {}
    for operation in operations:
        scopes.setdefault(tuple(operation.get("within", ())), []).append(operation)
    for within, scoped in scopes.items():
        try:
            body = body_at(document, within)
        except FormatError:  # a later operation removed the container
            continue
        try:
            _guarded(body, scoped, types)
        except DocumentError as error:
            if within:
                error.path = (
                    ".".join(part for id in within for part in ("nodes", id, "body")) + f".{error.path}"
                )
            raise


def _guarded(document: Body, operations: Sequence[Operation], types: Types) -> None:
    removed: set[str] = set()
    for operation in operations:
        if "edge" in operation:
            if "new" in operation:
                _edge(document, operation["edge"], types)
        else:
            section, *rest = operation["path"]
            check_section(document, section, rest[0] if rest else "")
            if found := secrets(operation.get("new"), ".".join(operation["path"])):
                raise found[0]
            if section == "nodes" and len(rest) == 1 and "new" not in operation:
                removed.add(rest[0])
    removed -= document["nodes"].keys()
    for edge in document["edges"] if removed else ():
        for end in edge:
            if end.partition(".")[0] in removed:
                raise EdgeError(f"the edge {edge[0]} -> {edge[1]} still needs the removed node", path="edges")


def _edge(document: Body, edge: Sequence[str], types: Types) -> None:
    source, target = edge
    if [source, target] not in document["edges"]:
        return
    others = [other for other in document["edges"] if other != [source, target]]
    if problem := edge_problem(document, source, target, types, others=others):
        raise problem
