"""What can be said of a document before it runs, without running or opening anything.

The kernel may know node types that the server does not, and files that sub-workflows name. Both count as
sound here; the kernel checks them before it begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.engine import Engine
from bpaz_lab.engine.inputs import fill
from bpaz_lab.errors import DocumentError, UnknownNodeType
from bpaz_lab.graph import document as documents
from bpaz_lab.graph.check import check, secrets_in
from bpaz_lab.nodes.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.graph.document import Body, Document, NodeEntry
    from bpaz_lab.graph.spec import NodeSpec, Ports
    from bpaz_lab.nodes.catalogue import Catalogue
    from bpaz_lab.settings import Settings


class OnServer:
    """The node types of the server; a sub-workflow that is a file is something that only the kernel knows.

    See ``graph.check.Types``.
    """

    def __init__(self, known: Catalogue) -> None:
        self._known = known

    def spec(self, name: str) -> NodeSpec | None:
        """The spec of a type, or None."""
        return self._known.spec(name)

    def ports(self, entry: NodeEntry) -> Ports | None:
        """The ports of a node; None where only the kernel knows them."""
        return None if self._known.reference(entry) else self._known.ports(entry)

    def body(self, entry: NodeEntry) -> Body | None:
        """The node's own body."""
        return entry.get("body")

    def reference(self, _entry: NodeEntry) -> str:
        """Nothing: what a node names is looked up in the kernel."""
        return ""

    def problems(self, name: str, settings: Mapping[str, Any]) -> list[DocumentError]:
        """What is wrong with these settings."""
        return self._known.problems(name, settings)


def runnable(flow_data: Any, inputs: Mapping[str, Any], settings: Settings) -> Document:
    """The document, if nothing that the server can see keeps it from running.

    Args:
        flow_data: What is said to be a document.
        inputs: What the run is given.
        settings: How large it may be.

    Raises:
        DocumentError: It has problems, or is larger than the server takes.
        InputError: An input is unknown, ambiguous or missing.

    Example:
        >>> from bpaz_lab.settings import Settings
        >>> hello = {"type": "PromptTemplate", "settings": {"template": "Hello {name}!"}}
        >>> document = {"bpaz": 1, "name": "Greeting", "nodes": {"hello": hello}}
        >>> runnable(document, {"name": "you"}, Settings())["name"]
        'Greeting'
    """
    document = documents.shaped(flow_data)
    _measure(document, settings)
    known = catalogue()
    document["nodes"] = {id: known.upgraded(entry) for id, entry in document["nodes"].items()}
    problems = check(document, OnServer(known))
    elsewhere = [problem for problem in problems if isinstance(problem, UnknownNodeType)]
    wrong = [problem for problem in problems if not isinstance(problem, UnknownNodeType)]
    paths = {problem.path for problem in wrong}
    wrong += [problem for problem in secrets_in(document) if problem.path not in paths]
    if wrong:
        raise DocumentError.of(wrong)
    if not elsewhere and not _names_files(document, known):
        plan = Engine(known).build(document)
        fill(plan, inputs, [None] * plan.size)
    return document


def _measure(document: Document, settings: Settings) -> None:
    nodes, edges = _size(document)
    for what, number, most in (("nodes", nodes, settings.max_nodes), ("edges", edges, settings.max_edges)):
        if number > most:
            raise DocumentError(
                f"the workflow has {number:,} {what}, and the server runs {most:,} at most",
                path=f"flow_data.{what}",
                hint="Run it in your own kernel, or ask an administrator for a higher limit.",
            )


def _size(body: Body) -> tuple[int, int]:
    inner = [_size(entry["body"]) for entry in body["nodes"].values() if "body" in entry]
    nodes, edges = zip((len(body["nodes"]), len(body["edges"])), *inner, strict=True)
    return sum(nodes), sum(edges)


def _names_files(body: Body, known: Catalogue) -> bool:
    return any(
        known.reference(entry) or ("body" in entry and _names_files(entry["body"], known))
        for entry in body["nodes"].values()
    )
