"""The workflow document: its shape, how it is read and how it is written.

A document is plain JSON, so that changes, files and messages are one and the same thing. It holds no
catalogue text, no source code, no secrets and no results. Reading validates everything, reports all
problems at once and executes nothing.

Example:
    >>> document = parse('{"bpaz": 1, "name": "Empty"}')
    >>> document["nodes"]
    {}
    >>> print(dumps(document), end="")
    {
      "bpaz": 1,
      "edges": [],
      "groups": {},
      "layout": {},
      "name": "Empty",
      "nodes": {},
      "notes": {}
    }
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from bpaz_lab.errors import DocumentError, FormatError
from bpaz_lab.graph.changes import same
from bpaz_lab.guard import strict_json

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT: Final = 1
ID_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
PORT_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,63}\.[A-Za-z_][A-Za-z0-9_]{0,63}$"

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
PortName = Annotated[str, StringConstraints(pattern=PORT_PATTERN)]
Edge = Annotated[list[PortName], Field(min_length=2, max_length=2)]
"""``["load.documents", "split.documents"]``: from an output to an input."""
Point = Annotated[list[float], Field(min_length=2, max_length=2)]
_STRICT: Final = ConfigDict(extra="forbid")


@with_config(_STRICT)
class Policy(TypedDict, total=False):
    """How a node runs, apart from what it does.

    Attributes:
        retries: How often it is tried again after it failed.
        wait: Seconds before the first repeat; they double with each one, at random in between, up to 60.
        retry_on: The errors that are worth a repeat: names of exception classes (base classes count) or
            error codes. Absent: all that a repeat may help.
        timeout: Seconds that one try may take.
        on_error: ``fail`` ends the run, ``default`` gives ``default`` instead of the result, ``port``
            adds the output ``error``, whose branch is then taken.
        default: What the main output gives where ``on_error`` is ``default``.
        disabled: The node is passed by: what enters it goes on where it fits.
        process: Its blocking method computes in a process of its own.
    """

    retries: Annotated[int, Field(ge=0, le=20)]
    wait: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
    retry_on: list[str]
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    on_error: Literal["fail", "default", "port"]
    default: Any
    disabled: bool
    process: bool


@with_config(_STRICT)
class NodeEntry(TypedDict):
    """One node: its type, the version of the type it was made with, and its settings."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    version: NotRequired[Annotated[int, Field(ge=1)]]
    settings: NotRequired[dict[str, Any]]
    title: NotRequired[str]
    policy: NotRequired[Policy]
    body: NotRequired[Body]
    """A container's inner workflow, the same shape one level down."""


@with_config(_STRICT)
class Note(TypedDict):
    """A sticky note."""

    text: str
    at: Point
    size: NotRequired[Point]
    color: NotRequired[str]


@with_config(_STRICT)
class Group(TypedDict):
    """A frame around some nodes."""

    title: str
    nodes: list[Id]
    color: NotRequired[str]


@with_config(_STRICT)
class Body(TypedDict):
    """Nodes and their edges, and apart from these how they lie on the canvas."""

    nodes: NotRequired[dict[Id, NodeEntry]]
    edges: NotRequired[list[Edge]]
    layout: NotRequired[dict[Id, Point]]
    notes: NotRequired[dict[Id, Note]]
    groups: NotRequired[dict[Id, Group]]


@with_config(_STRICT)
class Document(Body):
    """A whole workflow."""

    bpaz: Literal[1]
    name: Annotated[str, StringConstraints(max_length=255)]


_SHAPE: Final[TypeAdapter[Document]] = TypeAdapter(Document)


def new(name: str = "Untitled") -> Document:
    """An empty document."""
    return normal({"bpaz": FORMAT, "name": name})


def parse(text: str | bytes, *, limits: strict_json.Limits = strict_json.DEFAULT) -> Document:
    """Reads a document from strict JSON.

    Raises:
        JsonError: The text is not strict JSON.
        DocumentError: The JSON is no workflow document; ``problems`` lists everything that is wrong.
    """
    return shaped(strict_json.loads(text, limits=limits))


def shaped(value: Any) -> Document:
    """Checks that a JSON value has the shape of a document, and returns a copy in normal form.

    Raises:
        DocumentError: It has not; ``problems`` lists everything that is wrong.
    """
    if isinstance(value, dict) and isinstance(found := value.get("bpaz"), int) and found > FORMAT:
        raise FormatError(
            f"the file has format {found}, this version reads formats up to {FORMAT}",
            path="bpaz",
            hint="Upgrade with: pip install --upgrade bpaz-lab",
        )
    try:
        return normal(_SHAPE.validate_python(value))
    except ValidationError as error:
        raise DocumentError.of([_problem(fault) for fault in error.errors()]) from None


def normal(document: Document) -> Document:
    """The normal form: every section is there, and edges are sorted by the port they enter.

    Several edges into one port keep their order, since there it has a meaning.
    """
    return {"bpaz": FORMAT, "name": document["name"], **normal_body(document)}


def normal_body(body: Body) -> Body:
    """The normal form of a body, and of the bodies in it."""
    return {
        "nodes": {name: _normal_entry(entry) for name, entry in body.get("nodes", {}).items()},
        "edges": sorted((list(edge) for edge in body.get("edges", [])), key=lambda edge: edge[1]),
        "layout": body.get("layout", {}),
        "notes": body.get("notes", {}),
        "groups": body.get("groups", {}),
    }


def _normal_entry(entry: NodeEntry) -> NodeEntry:
    found: NodeEntry = {
        **entry,
        "version": entry.get("version", 1),
        "settings": entry.get("settings", {}),
    }
    if "body" in entry:
        found["body"] = normal_body(entry["body"])
    return found


def body_at(document: Body, within: Sequence[str]) -> Body:
    """The body inside these containers, from the top down; the document itself where there is none.

    Raises:
        FormatError: One of them is not there, or holds no body.
    """
    body = document
    for number, container in enumerate(within):
        entry = body["nodes"].get(container)
        if entry is None or "body" not in entry:
            raise FormatError(
                f"there is no body in {'/'.join(within[: number + 1])!r}",
                path="nodes." + ".body.nodes.".join(within[: number + 1]),
                hint="Somebody removed it; look at the workflow as it is now.",
            )
        body = entry["body"]
    return body


def dumps(document: Document) -> str:
    """Writes the document: deterministic, sorted, one line per edge and position."""
    return strict_json.dumps(normal(document))


def equal(one: Document, other: Document) -> bool:
    """Whether two documents mean the same; where boxes lie and what notes say does not matter."""
    return one["name"] == other["name"] and same(_meaning(normal(one)), _meaning(normal(other)))


def _meaning(body: Body) -> dict[str, Any]:
    nodes: dict[str, Any] = {
        name: {**entry, "body": _meaning(entry["body"])} if "body" in entry else entry
        for name, entry in body["nodes"].items()
    }
    return {"nodes": nodes, "edges": body["edges"]}


def is_id(name: str) -> bool:
    """Whether a name can be the id of a node, a note or a group."""
    return re.fullmatch(ID_PATTERN, name) is not None


def check_section(body: Body, section: str, name: str) -> None:
    """Checks the shape of one entry of a section of a body after an edit, or of the workflow's name.

    Raises:
        DocumentError: Its shape is wrong; ``problems`` lists everything.
    """
    told: Any = {"bpaz": FORMAT, "name": body.get("name", "")}
    entries: Any = body.get(section, {})
    if section != "name" and name in entries:
        told[section] = {name: entries[name]}
        if section == "nodes" and (missing := {"type", "version", "settings"} - set(entries[name])):
            raise FormatError(f"a node needs {', '.join(sorted(missing))}", path=f"nodes.{name}")
    shaped(told)


_HINTS: Final = {
    "extra_forbidden": "Remove it, or check its spelling.",
    "missing": "Add it.",
    "string_pattern_mismatch": (
        "An id is a Python identifier of at most 64 ASCII characters; an edge's end is written node.port."
    ),
    "literal_error": 'A workflow file starts with "bpaz": 1.',
}


def _problem(fault: Any) -> FormatError:
    path = ".".join(str(part) for part in fault["loc"] if part != "[key]")
    return FormatError(fault["msg"], path=path, hint=_HINTS.get(fault["type"], ""))
