"""The messages between the kernel and a canvas.

``labextension/src/model/schema.ts`` is generated from these models (``npm run schema``). Structure
travels as operations on a base revision, never as a whole graph, except for the first ``opened``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bpaz_lab.graph.spec import CatalogueSpec, NodeSpec, Ports


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(extra="forbid")


class Problem(Message):
    """An error as the canvas shows it; ``path`` leads to the node it concerns."""

    code: str
    message: str
    hint: str = ""
    path: str = ""


# ---- from the page to the kernel --------------------------------------------------------------


class Open(Message):
    """A view is there and wants everything."""

    type: Literal["open"] = "open"


class Change(Message):
    """An edit made on the canvas."""

    type: Literal["change"] = "change"
    id: str
    base: int
    operations: list[dict[str, Any]] = Field(max_length=10_000)


class Undo(Message):
    """Takes back the last change, whoever made it."""

    type: Literal["undo"] = "undo"


class Redo(Message):
    """Repeats what was taken back."""

    type: Literal["redo"] = "redo"


class Start(Message):
    """Runs the workflow; with ``target`` only what that node needs, and the node.

    ``only`` is a node that is run alone, ``since`` one that is run with what follows; what these need
    comes from the latest run. Without ``cache`` everything is computed afresh.
    """

    type: Literal["start"] = "start"
    inputs: dict[str, Any] = {}
    target: str | None = None
    only: str | None = None
    since: str | None = None
    cache: bool = True


class Stop(Message):
    """Cancels the run."""

    type: Literal["stop"] = "stop"


class Answer(Message):
    """Answers the question of the node at an address, by field; the run goes on."""

    type: Literal["answer"] = "answer"
    address: str
    answer: dict[str, Any]


class Pin(Message):
    """Makes the outputs of a node stand still as the latest run gave them, or lets it compute again."""

    type: Literal["pin"] = "pin"
    node: str
    on: bool


class Extract(Message):
    """Puts nodes of a body (``within`` names its containers) into a sub-workflow of their own."""

    type: Literal["extract"] = "extract"
    within: list[str] = []
    nodes: list[str]


class Dissolve(Message):
    """Puts the nodes of a sub-workflow in its place."""

    type: Literal["dissolve"] = "dissolve"
    within: list[str] = []
    node: str


class Show(Message):
    """Shows the value of an output in IPython's rich display; ``node`` is a place such as ``each/clean``."""

    type: Literal["show"] = "show"
    node: str
    port: str


class Draw(Message):
    """Asks for a picture of the workflow as it is now, to be kept in the notebook's file."""

    type: Literal["draw"] = "draw"


FromPage = Annotated[
    Open | Change | Undo | Redo | Start | Stop | Answer | Pin | Extract | Dissolve | Show | Draw,
    Field(discriminator="type"),
]


# ---- from the kernel to the page --------------------------------------------------------------


class RunInput(Message):
    """One input that a run takes by name."""

    name: str
    node: str
    port: str
    title: str
    tag: str
    required: bool
    default: Any = None


class ProblemSplice(Message):
    """From ``at`` of the list as it was, ``remove`` problems go and ``insert`` come."""

    at: int
    remove: int
    insert: list[Problem]


class InputSplice(Message):
    """From ``at`` of the list as it was, ``remove`` inputs go and ``insert`` come."""

    at: int
    remove: int
    insert: list[RunInput]


class RunState(Message):
    """The latest run, for a canvas that opens while or after it went on."""

    id: str
    status: Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
    events: list[dict[str, Any]]


class Opened(Message):
    """Everything a view needs, sent once as the answer to ``open``."""

    type: Literal["opened"] = "opened"
    revision: int
    document: dict[str, Any]
    catalogue: CatalogueSpec
    ports: dict[str, Ports]
    """The ports of the nodes whose ports are not those of their spec, by place (``each/clean``)."""
    problems: list[Problem]
    inputs: list[RunInput]
    stale: dict[str, str] = {}
    """Why a run would compute a node again, since the latest one."""
    pinned: list[str] = []
    """The nodes whose outputs stand still."""
    run: RunState | None = None
    can_undo: bool = False
    can_redo: bool = False


class Changed(Message):
    """A change that took place: a view's own (``id`` is the change's), another view's or the kernel's."""

    type: Literal["changed"] = "changed"
    id: str = ""
    revision: int
    operations: list[dict[str, Any]]
    ports: dict[str, Ports] = {}
    problems: list[ProblemSplice] | None = None
    """Where the problems of the workflow are others than before, in the order of the list."""
    inputs: list[InputSplice] | None = None
    """Where the inputs of a run are others than before, in the order of the list."""
    stale: dict[str, str] | None = None
    """Why a run would compute a node again, where that is another than before."""
    pinned: list[str] | None = None
    """The nodes whose outputs stand still, where these are others than before."""
    can_undo: bool
    can_redo: bool


class Refused(Message):
    """A change that did not take place; the view takes it back and shows why."""

    type: Literal["refused"] = "refused"
    id: str
    revision: int
    error: Problem


class Events(Message):
    """What happened in a run since the last batch (60 Hz at most)."""

    type: Literal["events"] = "events"
    run: str
    events: list[dict[str, Any]]


class Registered(Message):
    """Node types that are new or other than before, for instance since a cell was run again."""

    type: Literal["registered"] = "registered"
    nodes: list[NodeSpec]
    ports: dict[str, Ports] = {}


class Shown(Message):
    """The output area now holds the value that ``show`` asked for."""

    type: Literal["shown"] = "shown"
    node: str
    port: str


class Drawn(Message):
    """What the notebook's file keeps of the workflow, for when there is no kernel."""

    type: Literal["drawn"] = "drawn"
    document: dict[str, Any]
    picture: str
    """One ``<svg>`` element."""


class Failed(Message):
    """A request could not be served (a run that cannot start, a value that is not there)."""

    type: Literal["failed"] = "failed"
    error: Problem


ToPage = Annotated[
    Opened | Changed | Refused | Events | Registered | Shown | Drawn | Failed, Field(discriminator="type")
]
