"""The engine behind one plain interface: ``validate``, ``build``, ``execute``, ``execute_stream``.

Example:
    >>> engine = Engine()
    >>> node = {"type": "TextInput", "settings": {"text": "Hi"}}
    >>> document = {"bpaz": 1, "name": "Greeting", "nodes": {"hi": node}}
    >>> engine.validate(document)
    []
    >>> engine.execute(engine.build(document)).output
    'Hi'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.plan import Plan, plan
from bpaz_lab.engine.run import Run, start
from bpaz_lab.errors import DocumentError
from bpaz_lab.graph import document as documents
from bpaz_lab.graph.check import check, ports_of, target_problem
from bpaz_lab.graph.order import demanded, split
from bpaz_lab.nodes.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from bpaz_lab.engine.options import Options
    from bpaz_lab.graph.document import Document
    from bpaz_lab.nodes.catalogue import Catalogue


class Engine:
    """Checks, plans and runs documents with the node types of one catalogue."""

    def __init__(self, types: Catalogue | None = None) -> None:
        self.types = types or catalogue()

    def validate(self, document: Any) -> list[DocumentError]:
        """All problems of a document; empty when there is none. Executes nothing."""
        try:
            return check(documents.shaped(document), self.types)
        except DocumentError as error:
            return error.problems

    def build(self, document: Any, targets: Iterable[str] = (), given: Collection[str] = ()) -> Plan:
        """The plan of a document.

        Args:
            document: A workflow document.
            targets: What to compute, ``node`` or ``node.port``; all sinks where empty.
            given: Nodes whose outputs the run brings along.

        Raises:
            DocumentError: What would be computed has problems; ``problems`` lists them.
        """
        whole, targets = documents.shaped(document), tuple(targets)
        if wrong := [p for each in targets if (p := target_problem(whole, each, self.types))]:
            raise DocumentError.of(wrong)
        problems = check(whole, self.types)
        if problems and (relevant := self._relevant(whole, targets, problems)):
            raise DocumentError.of(relevant)
        return plan(whole, self.types, targets, name=whole["name"], given=given)

    def execute(
        self, graph: Plan, inputs: Mapping[str, Any] | None = None, options: Options | None = None
    ) -> Run:
        """Runs a plan to its end.

        Raises:
            RunError: It failed or was cancelled; the run is attached.
        """
        return start(graph, inputs or {}, options).wait().raise_for_status()

    def execute_stream(
        self, graph: Plan, inputs: Mapping[str, Any] | None = None, options: Options | None = None
    ) -> Iterator[Any]:
        """Runs a plan and gives its events as they come; closing the iterator cancels the run."""
        return start(graph, inputs or {}, options).stream()

    def _relevant(
        self, document: Document, targets: tuple[str, ...], problems: list[DocumentError]
    ) -> list[DocumentError]:
        """The problems of what would be computed: an unfinished corner does not stop the rest."""
        if any(problem.code == "cycle" for problem in problems):
            return problems
        broken = {int(p.path.split(".")[1]) for p in problems if p.path.startswith("edges.")}
        edges = [edge for number, edge in enumerate(document["edges"]) if number not in broken]
        sound: Any = {**document, "edges": edges}
        computed = demanded(sound, lambda node: ports_of(sound, node, self.types), targets)
        return [problem for problem in problems if self._concerns(problem, document, computed)]

    def _concerns(self, problem: DocumentError, document: Document, computed: Mapping[str, Any]) -> bool:
        root, _, rest = problem.path.partition(".")
        if root == "edges":
            _, target = document["edges"][int(rest.split(".")[0])]
            return split(target)[0] in computed or split(target)[0] not in document["nodes"]
        return root != "nodes" or rest.split(".")[0] in computed
