"""A document that somebody wants to keep: its shape, its size and its secrets, and nothing of it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import DocumentError, InputError, LiteralSecret, TooLarge
from bpaz_lab.graph import document as documents
from bpaz_lab.graph.check import check, secrets_in
from bpaz_lab.guard.secret import is_reference
from bpaz_lab.nodes.catalogue import catalogue
from bpaz_lab.services.execution_check import OnServer

if TYPE_CHECKING:
    from bpaz_lab.graph.document import Body, Document
    from bpaz_lab.settings import Settings


def storable(flow_data: Any, settings: Settings, name: str = "") -> Document:
    """The document as it is kept.

    A node type that is not installed, a setting that does not fit or a wire that leads nowhere may be kept:
    somebody goes on with it. A literal secret may not.

    Args:
        flow_data: What is said to be a document.
        settings: How large it may be.
        name: What it is called; as it says itself where empty.

    Raises:
        DocumentError: It is none, or holds a secret; ``problems`` lists everything.
        TooLarge: It has more nodes or edges than the server takes.
        InputError: It has no name.

    Example:
        >>> from bpaz_lab.settings import Settings
        >>> storable({"bpaz": 1, "name": "Notes"}, Settings(), "My notes")["name"]
        'My notes'
    """
    document = documents.shaped(flow_data)
    nodes, edges = _size(document)
    for what, number, most in (("nodes", nodes, settings.max_nodes), ("edges", edges, settings.max_edges)):
        if number > most:
            raise TooLarge(
                f"the workflow has {number:,} {what}, and the server keeps {most:,} at most",
                path=f"flow_data.{what}",
                hint="Keep it as a file, or ask an administrator for a higher limit.",
            )
    if found := secrets_in(document) or _literals(document):
        raise DocumentError.of(found)
    document["name"] = name or document["name"]
    if not document["name"].strip():
        raise InputError("a workflow that is kept needs a name", path="name", hint="Give it one.")
    return document


def problems(document: Document) -> list[DocumentError]:
    """What would keep a workflow from running, as far as the server can see."""
    known = catalogue()
    upgraded: Document = {
        **document,
        "nodes": {id: known.upgraded(entry) for id, entry in document["nodes"].items()},
    }
    return check(upgraded, OnServer(known))


def _literals(body: Body, within: str = "") -> list[DocumentError]:
    """A problem for whatever stands where the name of a credential belongs, and is none.

    A password has no shape to know it by, so nothing but a name is kept there.
    """
    found: list[DocumentError] = []
    for id, entry in body["nodes"].items():
        path, spec = f"{within}nodes.{id}", catalogue().spec(entry["type"])
        for field in spec.fields if spec else ():
            value = entry["settings"].get(field.name)
            if field.kind == "credential" and value not in (None, "") and not is_reference(value):
                found.append(
                    LiteralSecret(
                        "here stands the name of a credential, never a secret",
                        path=f"{path}.settings.{field.name}",
                        hint='Keep the secret as a credential, and write {"$cred": "its name"}.',
                    )
                )
        if "body" in entry:
            found += _literals(entry["body"], f"{path}.body.")
    return found


def _size(body: Body) -> tuple[int, int]:
    inner = [_size(entry["body"]) for entry in body["nodes"].values() if "body" in entry]
    nodes, edges = zip((len(body["nodes"]), len(body["edges"])), *inner, strict=True)
    return sum(nodes), sum(edges)
