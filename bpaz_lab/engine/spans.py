"""What each node of a run did and when, folded from the events: for the timeline, the display and traces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpaz_lab.engine.events import Failure, Usage

State = Literal["running", "finished", "cached", "failed", "skipped", "waiting"]


@dataclass(slots=True)
class Span:
    """One node, or one round of a node of a body.

    Attributes:
        node: The address.
        start: Seconds since the run began.
        end: The same; None while it goes on.
        state: How it ended, or what it does.
        why: Why it was computed although results are kept, or why it was skipped.
        waits: From when to when it waited for a person.
        failures: The tries before the last one: when each failed, and the error.
        error: What went wrong at last.
        usage: The tokens that it took.
        saved: The seconds that a kept result spared.
        outputs: The previews of its outputs.
    """

    node: str
    start: float
    end: float | None = None
    state: State = "running"
    why: str = ""
    waits: list[tuple[float, float | None]] = field(default_factory=list)
    failures: list[tuple[float, Failure]] = field(default_factory=list)
    error: Failure | None = None
    usage: Usage | None = None
    saved: float = 0.0
    outputs: dict[str, Any] = field(default_factory=dict)

    def seconds(self, now: float) -> float:
        """How long it worked until its end, else until now; without the time that it waited for a person."""
        end = now if self.end is None else self.end
        return end - self.start - sum((now if to is None else to) - since for since, to in self.waits)


def spans(events: Iterable[Any]) -> list[Span]:
    """The nodes of a run in the order in which they began.

    Args:
        events: The typed events of the run, so far.
    """
    found: dict[str, Span] = {}
    for event in events:
        node = getattr(event, "node", "")
        if not node or event.type in ("token", "node.progress"):
            continue
        if node not in found:
            found[node] = Span(node, event.time)
        _take(found[node], event)
    return list(found.values())


def _take(span: Span, event: Any) -> None:
    match event.type:
        case "node.started":
            span.why = event.why
        case "node.asked":
            span.state = "waiting"
            span.waits.append((event.time, None))
        case "node.answered":
            span.state = "running"
            span.waits[-1:] = [(since, event.time) for since, _ in span.waits[-1:]]
        case "node.retried":
            span.failures.append((event.time, event.error))
        case "node.finished":
            span.end, span.state = event.time, "cached" if event.cached else "finished"
            span.usage, span.saved, span.outputs = event.usage, event.saved, event.outputs
        case "node.failed":
            span.end, span.state, span.error = event.time, "failed", event.error
        case "node.skipped":
            span.end, span.state, span.why = event.time, "skipped", event.reason
