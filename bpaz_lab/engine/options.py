"""How a run goes, apart from what it computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bpaz_lab.engine.limits import Limits
from bpaz_lab.nodes.context import Services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.engine.budget import Budget, Meter
    from bpaz_lab.engine.incremental import Incremental
    from bpaz_lab.engine.ledger import Ledger

Through = Literal["direct", "langgraph"]


@dataclass(slots=True)
class Options:
    """How a run goes, apart from what it computes.

    Attributes:
        timeout: Seconds that the run may take; None for no limit.
        through: ``langgraph`` runs each region as a LangGraph node, ``direct`` without.
        services: What the nodes may ask of the outside.
        limits: How many nodes work at once.
        given: The outputs that the run brings along, by node and port, for the nodes that the plan was
            told of; pinned ones among them.
        memo: Results of earlier runs; None where nothing is kept.
        ledger: What is done of this run, where it goes on after it stopped; a ``Journal`` is open.
        budget: What the run may cost, or the meter of several runs together; None for no limit.
        run_id: Its name, where it has one already.
        first: The number of its next event; above 0 it goes on where another process stopped.
    """

    timeout: float | None = None
    through: Through = "direct"
    services: Services = field(default_factory=Services)
    limits: Limits = field(default_factory=Limits)
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    memo: Incremental | None = None
    ledger: Ledger | None = None
    budget: Budget | Meter | None = None
    run_id: str = ""
    first: int = 0
