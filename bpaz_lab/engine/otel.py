"""OpenTelemetry: a span for each run, and below it one for each node.

It is on as soon as the program has set up a tracer provider, as with any library that speaks
OpenTelemetry, and costs one look-up in a dict where nobody has. The spans are made when the run is
over, with the times of its events; that of the run is a child of the span that was current where the run
was started. Names, times, states and tokens are told, and no values, unless the environment variable
of the conventions for generative AI asks for content: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT.
Attributes of models follow https://opentelemetry.io/docs/specs/semconv/gen-ai/, all others begin with
``bpaz.``.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.spans import Span, spans
from bpaz_lab.graph.address import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME: Final = "bpaz_lab"
CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_NANO: Final = 1_000_000_000


def tracing() -> Callable[[Sequence[Any]], None] | None:
    """What makes the spans of a run out of its events when it is over; None while nobody traces.

    To be called where the run is started: the span that is current there becomes the parent.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None or isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return None
    from opentelemetry import context

    outer, began = context.get_current(), time.time_ns()

    def tell(events: Sequence[Any]) -> None:
        try:
            _tell(trace.get_tracer(NAME), outer, began, events)
        except Exception:  # a fault of somebody's span processor must not fail the run
            logging.getLogger(__name__).exception("the spans of a run could not be made")

    return tell


def _tell(tracer: Any, outer: Any, began: int, events: Sequence[Any]) -> None:
    from opentelemetry import trace

    def at(seconds: float) -> int:
        return began + int(seconds * _NANO)

    first, last = events[0], events[-1]
    content = os.environ.get(CONTENT, "").lower() in ("true", "1", "span_only", "span_and_event")
    run = tracer.start_span(
        f"run {first.workflow}", outer, start_time=at(first.time), attributes=_of_run(first, last)
    )
    inside = {"": trace.set_span_in_context(run, outer)}
    made = []
    for each in sorted(spans(events), key=lambda each: each.node.count("/")):
        container = each.node.rpartition("/")[0]
        parent = inside.get(container) or inside.get(_without_round(container)) or inside[""]
        span = tracer.start_span(
            f"node {place_of(each.node)}",
            parent,
            start_time=at(each.start),
            attributes=_of_node(each, content=content),
        )
        inside[each.node] = trace.set_span_in_context(span, parent)
        for when, error in each.failures:
            span.add_event("retry", {"error.type": error.code, "bpaz.error": error.message}, at(when))
        _status(span, each.error)
        made.append((span, at(last.time if each.end is None else each.end)))
    for span, end in reversed(made):
        span.end(end)
    _status(run, last.error)
    run.end(at(last.time))


def _without_round(container: str) -> str:
    """The address of the container itself: ``a[1]/each`` of ``a[1]/each[3]``."""
    return container.rpartition("[")[0] if container.endswith("]") else container


def _of_run(first: Any, last: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "bpaz.run.id": first.run,
        "bpaz.workflow.name": first.workflow,
        "bpaz.run.status": last.status,
        **_usage(last.usage),
    }
    if last.saved is not None:
        found |= {"bpaz.saved.nodes": last.saved.nodes, "bpaz.saved.seconds": last.saved.seconds}
    return found


def _of_node(span: Span, *, content: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "bpaz.node.address": span.node,
        "bpaz.node.state": span.state,
        **_usage(span.usage),
    }
    if span.failures:
        found["bpaz.node.retries"] = len(span.failures)
    if span.saved:
        found["bpaz.saved.seconds"] = span.saved
    if span.waits:
        found["bpaz.node.waited_seconds"] = sum((to or since) - since for since, to in span.waits)
    if content:
        found |= {f"bpaz.node.output.{name}": look.text for name, look in span.outputs.items()}
    return found


def _usage(usage: Any) -> dict[str, Any]:
    if usage is None:
        return {}
    found = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
    }
    return found if usage.cost is None else {**found, "bpaz.cost_usd": usage.cost}


def _status(span: Any, error: Any) -> None:
    from opentelemetry.trace import Status, StatusCode

    if error is not None:
        span.set_attribute("error.type", error.code)
        span.set_status(Status(StatusCode.ERROR, error.message))
