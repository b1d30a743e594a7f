"""The typed events of a run, the same for canvas, command line, server and records.

Inside a run events are tuples ``(seq, time, kind, node, data)``, because building objects would cost
more than the run itself. A reader gets each as an object of one of these classes: ``type``, ``seq``,
``time`` and ``node`` are there at once; the other fields are worked out (previewed, masked) when
somebody looks at the first of them. ``seq`` counts from 0 without gaps, ``time`` is in seconds since
the run began.

Example:
    >>> told = Token(seq=3, time=0.25, node="chat", port="text", text="Hi")
    >>> told.type, from_json(as_json(told)) == told
    ('token', True)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, Field, TypeAdapter

from bpaz_lab.engine.cache import Saved  # noqa: TC001 (the JSON schema reads the hints)
from bpaz_lab.graph.spec import FieldSpec  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Status = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
RawEvent = tuple[int, float, str, str, Any]


@dataclass(slots=True)
class Failure:
    """An error, as an event carries it: sanitised and masked."""

    code: str
    message: str
    hint: str = ""
    path: str = ""


@dataclass(slots=True)
class Preview:
    """A short look at a value: its type, and at most a few hundred characters."""

    type: str
    text: str


@dataclass(slots=True)
class Usage:
    """Tokens that models reported, and their price in US dollars: None where one is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None


@dataclass(slots=True)
class Question:
    """What a node asks a person; ``data`` is the value where it is JSON."""

    text: str
    value: Preview
    form: list[FieldSpec]
    data: Any = None


class _Later:
    """Fields that are worked out when somebody looks at the first of them."""

    __slots__ = ("_later",)
    _later: tuple[Callable[[RawEvent], dict[str, Any]], RawEvent] | None

    def __getattr__(self, name: str) -> Any:
        later = None if name == "_later" or name not in _DEFAULTS[type(self)] else self._later
        if later is None:
            raise AttributeError(f"{type(self).__name__} has no {name!r}", name=name, obj=self)
        work, raw = later
        for key, value in {**_DEFAULTS[type(self)], **work(raw)}.items():
            setattr(self, key, value)
        self._later = None  # it holds the values
        return getattr(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return from_json, (as_json(self),)  # the fields, not what they are worked out of


@dataclass(slots=True, kw_only=True)
class _Event(_Later):
    type: str
    seq: int
    time: float
    """Seconds since the run began."""


@dataclass(slots=True, kw_only=True)
class RunStarted(_Event):
    """The run began; ``nodes`` are those that will be computed, in order."""

    type: Literal["run.started"] = "run.started"
    run: str
    workflow: str
    nodes: list[str]


@dataclass(slots=True, kw_only=True)
class NodeStarted(_Event):
    """All inputs of a node are there and it began; ``why`` it is computed although results are kept."""

    type: Literal["node.started"] = "node.started"
    node: str
    why: str = ""


@dataclass(slots=True, kw_only=True)
class Token(_Event):
    """A piece of streamed text."""

    type: Literal["token"] = "token"
    node: str
    port: str
    text: str


@dataclass(slots=True, kw_only=True)
class NodeProgress(_Event):
    """A node says how far it is."""

    type: Literal["node.progress"] = "node.progress"
    node: str
    done: float
    total: float | None = None
    message: str = ""


@dataclass(slots=True, kw_only=True)
class NodeFinished(_Event):
    """A node is done; ``outputs`` previews each computed output, ``saved`` are the seconds not spent."""

    type: Literal["node.finished"] = "node.finished"
    node: str
    duration: float
    outputs: dict[str, Preview]
    usage: Usage | None = None
    cached: bool = False
    saved: float = 0.0


@dataclass(slots=True, kw_only=True)
class NodeFailed(_Event):
    """A node raised."""

    type: Literal["node.failed"] = "node.failed"
    node: str
    duration: float
    error: Failure


@dataclass(slots=True, kw_only=True)
class NodeSkipped(_Event):
    """A node is not computed: the branch that feeds it was not taken, or the run ended before."""

    type: Literal["node.skipped"] = "node.skipped"
    node: str
    reason: str


@dataclass(slots=True, kw_only=True)
class NodeRetried(_Event):
    """A try of a node failed, and it is tried again after ``wait`` seconds."""

    type: Literal["node.retried"] = "node.retried"
    node: str
    attempt: int
    wait: float
    error: Failure


@dataclass(slots=True, kw_only=True)
class NodeAsked(_Event):
    """A node asks a person and waits; the rest of the run goes on."""

    type: Literal["node.asked"] = "node.asked"
    node: str
    question: Question


@dataclass(slots=True, kw_only=True)
class NodeAnswered(_Event):
    """Somebody answered, and the node goes on."""

    type: Literal["node.answered"] = "node.answered"
    node: str


@dataclass(slots=True, kw_only=True)
class RunPaused(_Event):
    """Nothing is left to do before a person answers; ``nodes`` are those that ask."""

    type: Literal["run.paused"] = "run.paused"
    nodes: list[str]


@dataclass(slots=True, kw_only=True)
class RunResumed(_Event):
    """The answers came, and the run goes on."""

    type: Literal["run.resumed"] = "run.resumed"


@dataclass(slots=True, kw_only=True)
class RunFinished(_Event):
    """The run is over; ``saved`` is what kept results spared it."""

    type: Literal["run.finished"] = "run.finished"
    status: Status
    duration: float
    output: Preview | None = None
    usage: Usage | None = None
    saved: Saved | None = None
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

_FIELDS: Final = {
    cls: {each.name: each.default for each in fields(cls)} for cls in get_args(get_args(Event)[0])
}
_DEFAULTS: Final = {
    cls: {name: default for name, default in each.items() if name not in ("type", "seq", "time", "node")}
    for cls, each in _FIELDS.items()
}
KINDS: Final = {each["type"]: cls for cls, each in _FIELDS.items()}
"""The class of each type of event."""


def summed(used: list[Usage]) -> Usage:
    """Tokens and cost together; the cost is None where one is not known."""
    costs = [each.cost for each in used]
    return Usage(
        sum(each.input_tokens for each in used),
        sum(each.output_tokens for each in used),
        None if None in costs else round(sum(cost for cost in costs if cost is not None), 12),
    )


def later(raws: Iterable[RawEvent], rest: Callable[[RawEvent], dict[str, Any]]) -> Iterator[Any]:
    """The events of tuples.

    Args:
        raws: The tuples; a ``node.stopped`` is read as ``node.skipped``.
        rest: Works out the fields beside type, seq, time and node, when somebody looks at one.
    """
    new = object.__new__
    for raw in raws:
        seq, time, kind, node, _ = raw
        if kind == "node.stopped":
            kind = "node.skipped"
        event = new(KINDS[kind])
        event.type = kind
        event.seq = seq
        event.time = time
        if node:
            event.node = node
        event._later = (rest, raw)
        yield event


def as_json(event: Any) -> dict[str, Any]:
    """An event as JSON: what the canvas, the command line and the records get."""
    return {name: _plain(getattr(event, name)) for name in _FIELDS[type(event)]}


def from_json(data: dict[str, Any]) -> Any:
    """The event that ``as_json`` made this of.

    Raises:
        pydantic.ValidationError: It is no event.
    """
    return _adapter().validate_python(data)


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Event)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
