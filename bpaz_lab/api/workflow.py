"""``Workflow``: one workflow, to build in Python, see on a canvas, run, and keep in a file."""

from __future__ import annotations

import os
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpaz_lab.api import bodies  # noqa: F401 (opening a workflow must load no code any more)
from bpaz_lab.api.table.over import Over
from bpaz_lab.errors import DocumentError, FileRefused
from bpaz_lab.graph import document as documents
from bpaz_lab.graph.check import secrets_in
from bpaz_lab.guard.strict_json import UNLIMITED
from bpaz_lab.nodes.catalogue import catalogue

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool
    from langgraph.graph.state import CompiledStateGraph

    from bpaz_lab.api.editing import Editing
    from bpaz_lab.graph.difference import Difference
    from bpaz_lab.graph.document import Document
    from bpaz_lab.nodes.catalogue import Catalogue

SUFFIX = ".bpaz"


class Workflow(Over):
    """One workflow. Displaying it shows the canvas; canvas and code edit the same thing.

    Args:
        name: Its name, for people.

    Example:
        >>> wf = Workflow("Greeting")
        >>> who = wf.add("ChatInput", name="who")
        >>> hello = wf.add("PromptTemplate", template="Hello {someone}!")
        >>> out = who >> hello >> wf.add("ChatOutput")
        >>> wf.run(who="you").output
        'Hello you!'
    """

    def __init__(self, name: str = "Untitled", *, types: Catalogue | None = None) -> None:
        super().__init__(documents.new(name), types)

    def __repr__(self) -> str:
        nodes, edges = len(self), len(self.history.document["edges"])
        return f"Workflow({self.name!r}, {nodes} node{'s' * (nodes != 1)}, {edges} edge{'s' * (edges != 1)})"

    def __eq__(self, other: object) -> bool:
        """Two workflows are equal when they mean the same; where their boxes lie does not matter."""
        if not isinstance(other, Workflow):
            return NotImplemented
        return documents.equal(self.history.document, other.history.document)

    __hash__ = None  # type: ignore[assignment]

    def inside(self, *containers: str) -> Editing:
        """What is inside these containers, from the top down, to edit; the workflow itself without any.

        Raises:
            FormatError: One is not there, or has no body.
        """
        scope: Editing = self
        for container in containers:
            scope = scope[container].body
        return scope

    def diff(self, other: Workflow | Document | str | os.PathLike[str]) -> Difference:
        """What has to change in this workflow to make the other of it; see docs/sharing.md.

        Args:
            other: A workflow, a document, or the path of a file.

        Raises:
            DocumentError: It is no document.
            FileRefused: There is no such file.

        Example:
            >>> wf = Workflow("Greeting")
            >>> hello = wf.add("PromptTemplate", template="Hello {name}!", id="hello")
            >>> before = wf.copied()
            >>> print(before.diff(hello.set(template="Good day, {name}!").workflow))
            ~ hello: template "Hello {name}!" -> "Good day, {name}!"
        """
        from bpaz_lab.graph.difference import difference

        if isinstance(other, str | os.PathLike):
            other = Workflow.load(other, types=self.types)
        elif not isinstance(other, Workflow):
            other = Workflow.from_dict(other, types=self.types)
        return difference(self.to_dict(), other.to_dict())

    def copied(self) -> Workflow:
        """A workflow of its own that means the same, with the same pins, beside the same file."""
        other = Workflow.from_dict(self.history.document, types=self.types)
        if self.folder is not None:
            other._live_in(self.folder)
        other.pins = dict(self.pins)
        return other

    # ---- as data and files ------------------------------------------------------------------------

    def to_dict(self) -> Document:
        """The document, as a copy."""
        self.settle()
        return documents.parse(self.to_json(), limits=UNLIMITED)

    def to_json(self) -> str:
        """The document as it stands in a file: deterministic, with a final newline."""
        self.settle()
        with self.history.lock:
            return documents.dumps(self.history.document)

    @classmethod
    def from_dict(cls, document: Any, *, types: Catalogue | None = None) -> Workflow:
        """A workflow from a document.

        Unknown node types, settings that do not fit and edges that lead nowhere stay as they are, for
        ``validate`` and the canvas to show; nothing is lost on the next save.

        Raises:
            DocumentError: It is no document, or holds a literal secret; ``problems`` lists everything.
        """
        shaped = documents.shaped(deepcopy(document))
        if found := secrets_in(shaped):
            raise DocumentError.of(found)
        known = types or catalogue()
        shaped["nodes"] = {id: known.upgraded(entry) for id, entry in shaped["nodes"].items()}
        workflow = cls(types=types)
        workflow.history.document = shaped
        return workflow

    @classmethod
    def from_json(cls, text: str | bytes, *, types: Catalogue | None = None) -> Workflow:
        """A workflow from the text of a file; raises as ``from_dict`` does."""
        return cls.from_dict(documents.parse(text, limits=UNLIMITED), types=types)

    # ---- as code ----------------------------------------------------------------------------------

    def to_python(self, *, layout: bool = True) -> str:
        """The Python that makes this workflow, as one would write it; see docs/code.md.

        Args:
            layout: Whether it says where the nodes lie on the canvas, where they have a place.

        Example:
            >>> print(Workflow("Empty").to_python(), end="")
            import bpaz_lab as bz
            <BLANKLINE>
            wf = bz.Workflow("Empty")
        """
        from bpaz_lab.code.python import to_python

        with self.history.lock:
            return to_python(self.history.document, self.types, layout=layout)

    @classmethod
    def from_python(
        cls, source: str, *, like: Workflow | None = None, types: Catalogue | None = None
    ) -> Workflow:
        """A workflow from the Python that makes it, which is read and not run; see docs/code.md.

        Args:
            source: What ``to_python`` gives, or what one would write in its place.
            like: The workflow as it was: its nodes, by id, keep their places, notes and groups stay, and
                the workflows that it names are found from its folder.
            types: The node types.

        Raises:
            CodeError: A line does something else than to build a workflow; it says which, and where.
        """
        from bpaz_lab.code.looks import dress
        from bpaz_lab.code.reader import read

        def begin(told: Any) -> Workflow:
            made = cls(told, types=types) if isinstance(told, str) else cls.from_dict(told, types=types)
            if like is not None and like.folder is not None:
                made._live_in(like.folder)
            return made

        document = read(source, begin).history.document
        if like is not None:
            dress(document, like.history.document)
        return begin(document)

    def to_script(self) -> str:
        """A script that does what this workflow does and needs no bpaz_lab; see docs/code.md.

        Raises:
            ScriptError: A node cannot be in one, such as a function of a cell; it says which.
            DocumentError: The workflow has problems.
        """
        from bpaz_lab.code.script import to_script

        with self.history.lock:
            return to_script(self.history.document, self.types)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the workflow to a file, all or nothing.

        Raises:
            OSError: The file cannot be written; an older one is as it was.
        """
        target = Path(path)
        if not target.suffix:
            target = target.with_suffix(SUFFIX)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(self.to_json())
            Path(temporary).chmod(target.stat().st_mode if target.exists() else 0o644)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._live_in(target.resolve().parent)
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, types: Catalogue | None = None) -> Workflow:
        """A workflow from a file; raises as ``from_dict`` does. Executes nothing.

        Raises:
            FileRefused: There is no such file.
        """
        target = Path(path)
        try:
            text = target.read_bytes()
        except OSError as error:
            raise FileRefused(
                f"the file cannot be read: {error.strerror}", path=str(target), hint=_beside(target)
            ) from None
        workflow = cls.from_json(text, types=types)
        workflow._live_in(target.resolve().parent)
        return workflow

    # ---- for LangChain and LangGraph --------------------------------------------------------------

    def as_tool(self, *, name: str = "", description: str = "") -> StructuredTool:
        """The workflow as a tool of LangChain, which an agent can call; see docs/langgraph.md.

        The arguments are the inputs of the workflow. It runs as it is when it is called. A text is given
        as it is, anything else as text or JSON.

        Args:
            name: What a model calls it; made of the workflow's name where empty.
            description: What a model reads of it; say when it is of use.

        Raises:
            DocumentError: The workflow has problems.

        Example:
            >>> wf = Workflow("Greeting")
            >>> _ = wf.add("PromptTemplate", template="Hello {name}!")
            >>> wf.as_tool(description="Greets somebody.").invoke({"name": "Ada"})
            'Hello Ada!'
        """
        from bpaz_lab.api.tool import as_tool

        tool: StructuredTool = as_tool(self, name, description)
        return tool

    def to_langgraph(self, checkpointer: Any = None) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The workflow as it is now as a compiled graph of LangGraph; see docs/langgraph.md.

        Its state has the inputs by name, ``output`` and the fields of End; a question to a person is an
        ``interrupt({address: question})``.

        Args:
            checkpointer: A LangGraph checkpointer, which an interrupt needs; None for none, or for that
                of the graph that this one is put into.

        Raises:
            DocumentError: The workflow has problems.

        Example:
            >>> wf = Workflow("Greeting")
            >>> _ = wf.add("PromptTemplate", template="Hello {name}!")
            >>> wf.to_langgraph().invoke({"name": "Ada"})
            {'output': 'Hello Ada!'}
        """
        from bpaz_lab.api.tool import to_langgraph

        graph: CompiledStateGraph[Any, Any, Any, Any] = to_langgraph(self, checkpointer)
        return graph

    # ---- on a canvas ------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **_wanted: Any) -> dict[str, Any]:
        from bpaz_lab.widget.display import bundle

        return bundle(self)


def _beside(target: Path) -> str:
    found = sorted(path.name for path in target.parent.glob(f"*{SUFFIX}")) if target.parent.is_dir() else []
    return f"Beside it: {', '.join(found[:8])}." if found else "Give the path of a .bpaz file."
