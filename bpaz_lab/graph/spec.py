"""What a node type looks like from outside, as JSON.

The palette, the forms, the ports, the help and the colours of the canvas are drawn from these models
alone; ``labextension/src/model/schema.ts`` is generated from them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Effect = Literal["pure", "repeatable", "once", "undeclared"]
"""``pure``: no effect outside; ``repeatable``: may be repeated (model calls, reads); ``once``: must not;
``undeclared``: a function of a cell that says nothing, repeated within a session and not after a crash."""

FieldKind = Literal[
    "text", "multiline", "integer", "number", "boolean", "choice", "list", "object", "credential", "json"
]


class Spec(BaseModel):
    """Base of the models: immutable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PortSpec(Spec):
    """One port of a node."""

    name: str
    tag: str
    title: str = ""
    help: str = ""
    required: bool = False
    """An input that a run cannot do without."""
    many: bool = False
    """An input that takes several edges and keeps their order."""
    source: Literal["wire", "run"] = "wire"
    """An input of source ``run`` has no handle: the run itself feeds it (ChatInput, Start)."""
    main: bool = False
    """The output that is computed when nothing is connected."""
    needs: tuple[str, ...] = ()
    """The inputs that this output needs."""


class FieldSpec(Spec):
    """One setting of a node, as its form shows it."""

    name: str
    title: str
    kind: FieldKind
    help: str = ""
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    placeholder: str = ""
    language: str = ""
    advanced: bool = False
    credential_types: tuple[str, ...] = ()
    port: bool = False
    """The setting is the default of an input port of the same name: a wire overrides it."""


class Ports(Spec):
    """The ports of one node, in order."""

    inputs: tuple[PortSpec, ...] = ()
    outputs: tuple[PortSpec, ...] = ()

    def input(self, name: str) -> PortSpec | None:
        """The input of that name, or None."""
        return _named(self.inputs, name)

    def output(self, name: str) -> PortSpec | None:
        """The output of that name, or None."""
        return _named(self.outputs, name)

    @property
    def main(self) -> PortSpec | None:
        """The main output, or None for a node without outputs."""
        return next((port for port in self.outputs if port.main), None)


def _named(ports: tuple[PortSpec, ...], name: str) -> PortSpec | None:
    for port in ports:  # a generator would cost three times as much, and plans ask often
        if port.name == name:
            return port
    return None


class NodeSpec(Spec):
    """One node type of the catalogue."""

    type: str
    version: int = 1
    category: str
    title: str
    summary: str
    """The first line of the help."""
    help: str
    """The whole docstring, Markdown."""
    effect: Effect = "pure"
    fields: tuple[FieldSpec, ...] = ()
    ports: Ports = Field(default_factory=Ports)
    """The ports with default settings."""
    dynamic: bool = False
    """The ports depend on the settings; a node's own ports travel beside the document."""
    container: bool = False
    """The node has a body: a workflow inside that it runs."""
    starter: dict[str, Any] | None = None
    """Of a container: the body that one added on a canvas begins with."""
    collects: bool = False
    """What enters this node is the output of the workflow, or of the body, that it stands in."""
    install: str = ""
    """The command that installs what the node type lacks; empty where nothing is missing."""
    package: str = "bpaz_lab"
    """Where the type comes from: a distribution, or ``cell`` for one made in a notebook."""


class CategorySpec(Spec):
    """One folder of the catalogue."""

    name: str
    title: str
    help: str
    icon: str
    """The ``d`` of an SVG path in a 24 x 24 box, drawn with a stroke."""
    order: int = 100


class TagSpec(Spec):
    """What one kind of wire looks like."""

    title: str
    color: Literal["green", "blue", "cyan", "grey", "pink", "purple", "orange", "yellow", "red", "brown"]
    resource: bool = False


class CatalogueSpec(Spec):
    """Everything the canvas must know to draw any workflow."""

    nodes: tuple[NodeSpec, ...]
    categories: tuple[CategorySpec, ...]
    tags: dict[str, TagSpec]
    connections: dict[str, dict[str, str]]
    """Source tag to target tag to conversion (``""``: passes as it is)."""
    policy: tuple[FieldSpec, ...] = ()
    """How any node may run: retries, timeout, what an error leads to."""
