"""The typed events of a run, the same for canvas, command line, server and records.

Inside a run events are tuples ``(seq, time, kind, node, data)`` given to a sink, because building
objects would cost more than the run itself; ``event()`` types one when somebody reads it. ``seq``
counts from 0 without gaps, ``time`` is in seconds since the run began.

Example:
    >>> event((3, 0.25, "token", "chat", {"port": "text", "text": "Hi"})).text
    'Hi'
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bpaz_lab.graph.spec import FieldSpec

Status = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
RawEvent = tuple[int, float, str, str, Any]


class Failure(BaseModel):
    """An error, as an event carries it: sanitised and masked."""

    code: str
    message: str
    hint: str = ""
    path: str = ""


class Preview(BaseModel):
    """A short look at a value: its type, and at most a few hundred characters."""

    type: str
    text: str


class Usage(BaseModel):
    """Tokens that models reported."""

    input_tokens: int = 0
    output_tokens: int = 0


class Question(BaseModel):
    """What a node asks a person; ``data`` is the value where it is JSON."""

    text: str
    value: Preview
    form: list[FieldSpec]
    data: Any = None


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    seq: int
    time: float
    """Seconds since the run began."""


class RunStarted(_Event):
    """The run began; ``nodes`` are those that will be computed, in order."""

    type: Literal["run.started"] = "run.started"
    run: str
    workflow: str
    nodes: list[str]


class NodeStarted(_Event):
    """All inputs of a node are there and it began; ``why`` it is computed although results are kept."""

    type: Literal["node.started"] = "node.started"
    node: str
    why: str = ""


class Token(_Event):
    """A piece of streamed text."""

    type: Literal["token"] = "token"
    node: str
    port: str
    text: str


class NodeProgress(_Event):
    """A node says how far it is."""

    type: Literal["node.progress"] = "node.progress"
    node: str
    done: float
    total: float | None = None
    message: str = ""


class NodeFinished(_Event):
    """A node is done; ``outputs`` previews each computed output, ``saved`` are the seconds not spent."""

    type: Literal["node.finished"] = "node.finished"
    node: str
    duration: float
    outputs: dict[str, Preview]
    usage: Usage | None = None
    cached: bool = False
    saved: float = 0.0


class NodeFailed(_Event):
    """A node raised."""

    type: Literal["node.failed"] = "node.failed"
    node: str
    duration: float
    error: Failure


class NodeSkipped(_Event):
    """A node is not computed: the branch that feeds it was not taken, or the run ended before."""

    type: Literal["node.skipped"] = "node.skipped"
    node: str
    reason: str


class NodeRetried(_Event):
    """A try of a node failed, and it is tried again after ``wait`` seconds."""

    type: Literal["node.retried"] = "node.retried"
    node: str
    attempt: int
    wait: float
    error: Failure


class NodeAsked(_Event):
    """A node asks a person and waits; the rest of the run goes on."""

    type: Literal["node.asked"] = "node.asked"
    node: str
    question: Question


class NodeAnswered(_Event):
    """Somebody answered, and the node goes on."""

    type: Literal["node.answered"] = "node.answered"
    node: str


class RunPaused(_Event):
    """Nothing is left to do before a person answers; ``nodes`` are those that ask."""

    type: Literal["run.paused"] = "run.paused"
    nodes: list[str]


class RunResumed(_Event):
    """The answers came, and the run goes on."""

    type: Literal["run.resumed"] = "run.resumed"


class RunFinished(_Event):
    """The run is over."""

    type: Literal["run.finished"] = "run.finished"
    status: Status
    duration: float
    output: Preview | None = None
    usage: Usage | None = None
    error: Failure | None = None


Event = Annotated[
    RunStarted
    | NodeStarted
    | Token
    | NodeProgress
    | NodeFinished
    | NodeFailed
    | NodeSkipped
    | NodeRetried
    | NodeAsked
    | NodeAnswered
    | RunPaused
    | RunResumed
    | RunFinished,
    Field(discriminator="type"),
]

_ADAPTER: TypeAdapter[Any] = TypeAdapter(Event)


def event(raw: RawEvent) -> Any:
    """The typed event of a tuple."""
    seq, time, kind, node, data = raw
    named = {"node": node} if node else {}
    return _ADAPTER.validate_python({"seq": seq, "time": time, "type": kind, **named, **data})
