"""Workflows made of plain functions, with a catalogue of their own."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpaz_lab import Workflow
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import Run, start
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.catalogue import Catalogue
from bpaz_lab.nodes.context import Services
from bpaz_lab.nodes.function import node_class
from tests.support.ledgers import taken

if TYPE_CHECKING:
    from bpaz_lab.engine.journal import Journal


class Flow(Workflow):
    """A workflow whose nodes are made of functions by ``put`` and of wires by ``wire``."""

    def __init__(self) -> None:
        super().__init__("Test", types=Catalogue())

    def put(self, function: Any, id: str = "", *, inline: bool = True) -> Any:
        """Adds a node that calls the function; not inline, it blocks a thread."""
        cls = function if isinstance(function, type) else node_class(function, inline=inline)
        return self.add(cls, id=id)

    def wire(self, *edges: str) -> None:
        """Connects: ``wire("a.result b.value", ...)``."""
        for edge in edges:
            (one, out), (other, into) = (end.split(".") for end in edge.split())
            self.connect(self[one][out], self[other][into])

    def go(self, through: str, inputs: Any = None, /, target: str = "", **options: Any) -> Run:
        """Starts a run the direct way or through LangGraph, or one that is ``durable``."""
        if through == "durable":
            through, options["ledger"] = "direct", journal()
        services = options.pop("services", None) or Services()
        plan = self.plan(target) if target else self.plan()
        return start(plan, inputs or {}, Options(through=through, services=services, **options))


def journal() -> Journal:
    """The ledger of a new run, on a disk."""
    folder = tempfile.TemporaryDirectory(prefix="bpaz-ledger-")
    made = taken(Path(folder.name) / "ledger.db")
    weakref.finalize(made, folder.cleanup)
    return made


class Gate(Node):
    """A boundary between two regions."""

    boundary = True
    inline = True

    def run(self, value: Any) -> Any:
        """What came."""
        return value


def one() -> Any:
    """A source."""
    return 1


def up(value: Any) -> Any:
    """One more."""
    return value + 1


def add(left: Any, right: Any) -> Any:
    """The sum."""
    return left + right


def told(run: Run) -> list[tuple[str, str]]:
    """Kind and node of each event."""
    return [(event.type, getattr(event, "node", "")) for event in run.events]


def ended(run: Run, kind: str) -> list[str]:
    """The nodes of the events of one kind."""
    return [node for found, node in told(run) if found == kind]
