"""From two runs, of this kernel or kept, to what differs between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.api.runs.comparison import Comparison
from bpaz_lab.engine.events import as_json
from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from bpaz_lab.api.runs.run import Run


def compared(one: Any, other: Any) -> Comparison:
    """What differs between two runs, node by node.

    Args:
        one: A run, or an execution of the laboratory.
        other: The same, or the id of a run that is kept.

    Raises:
        InputError: It is none.
        NotFound: There is no run of that id.
    """
    from bpaz_lab.engine.compare import compare

    return Comparison(compare(_told(one), _told(other)), _name(one), _name(other))


def _told(run: Any) -> dict[str, Any]:
    from bpaz_lab.api.lab.execution import Execution
    from bpaz_lab.api.runs.run import Run

    if isinstance(run, str):
        from bpaz_lab.api.lab.lab import connect

        run = connect().executions.get(run)
    if isinstance(run, Run):
        if run.held is None:
            return {
                "document": run.origin.document,
                "events": [as_json(event) for event in run.events],
                "values": _digests(run),
            }
        told = run.held.transport.call("GET", f"executions/{run.held.id}")
        run = Execution(run.held.transport, told)
    if not isinstance(run, Execution):
        raise InputError(
            f"a run is compared with a run, not with a {type(run).__name__}",
            hint="Give a run, an execution of lab.executions, or the id of one.",
        )
    return {
        "document": run.document,
        "events": [as_json(event) for event in run.events],
        "values": run._kept().digests(),
    }


def _name(run: Any) -> str:
    return run[:8] if isinstance(run, str) else str(run.id)[:8]


def _digests(run: Run) -> dict[str, str]:
    """What names the outputs of each node of the top, as a ledger would name them."""
    from bpaz_lab.engine.values import NotStorable, content, pack

    found = {}
    for node in {step.node for step in run._plan.steps}:
        try:
            found[node] = content(pack(run.given(node)).data)
        except NotStorable:
            continue
    return found
