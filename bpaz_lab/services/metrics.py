"""Figures for Prometheus, on the registry that Jupyter's own ``/metrics`` shows.

The memory and the processor time of the server are there already: Prometheus' client brings them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from bpaz_lab.accounts.policy import demand
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.route import Raw, route

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

_OTHER: Final = "other"


@dataclass(frozen=True)
class Figures:
    """What is counted.

    Attributes:
        requests: Seconds that requests took, by route and method.
        errors: Requests that failed, by route and code.
        nodes: Seconds that nodes took, by node type.
        runs: Executions that are under way.
        ended: Executions that have ended, by status.
    """

    requests: Histogram
    errors: Counter
    nodes: Histogram
    runs: Gauge
    ended: Counter


@cache
def figures() -> Figures:
    """The figures of this process."""
    from prometheus_client import Counter, Gauge, Histogram

    return Figures(
        Histogram("bpaz_request_seconds", "Seconds that requests took.", ["route", "method"]),
        Counter("bpaz_request_errors", "Requests that failed.", ["route", "code"]),
        Histogram("bpaz_node_seconds", "Seconds that nodes took.", ["type"]),
        Gauge("bpaz_active_runs", "Executions that are under way."),
        Counter("bpaz_runs", "Executions that have ended.", ["status"]),
    )


def request_finished(route_name: str, method: str, seconds: float, code: str = "") -> None:
    """Counts a request; ``code`` is that of its error, empty for none."""
    figures().requests.labels(route_name, method).observe(seconds)
    if code:
        figures().errors.labels(route_name, code).inc()


def node_finished(type: str, seconds: float) -> None:
    """Counts a step of a run; types that only a notebook knows together, as there is no end to them."""
    from bpaz_lab.nodes.catalogue import catalogue

    figures().nodes.labels(type if catalogue().get(type) else _OTHER).observe(seconds)


def run_started() -> None:
    """Counts an execution that begins."""
    figures().runs.inc()


def run_ended(status: str) -> None:
    """Counts an execution that is over."""
    figures().runs.dec()
    figures().ended.labels(status).inc()


@route("GET", "metrics")
async def read_metrics(call: Call) -> Raw:
    """The server's figures, as Prometheus reads them."""
    demand(call.caller, "metrics.read")
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

    figures()
    return Raw(generate_latest(REGISTRY), CONTENT_TYPE_LATEST)
