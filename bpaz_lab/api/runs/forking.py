"""Runs that begin in the middle of another one, in memory: what does not hang on the step is given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.engine import Engine
from bpaz_lab.engine.spans import spans
from bpaz_lab.errors import InputError
from bpaz_lab.graph.address import path_of
from bpaz_lab.graph.order import following
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bpaz_lab.api.running import Running
    from bpaz_lab.api.runs.run import Run
    from bpaz_lab.engine.plan import Plan

_OVER = ("finished", "cached", "skipped")


def forked(run: Run, address: str, outputs: Mapping[str, Any], workflow: Running | None) -> Run:
    """A run that has not begun; see ``Run.fork``."""
    origin = run.origin
    workflow, document = workflow or origin.workflow, workflow._seen() if workflow else origin.document
    if "/" in address or "[" in address:
        raise InputError(
            f"{address} lies inside a container, whose rounds this run has not kept",
            hint="wf.run(durable=True) keeps every step; its runs can be forked anywhere.",
        )
    if address not in document["nodes"]:
        hint = closest(address, document["nodes"]) or f"It has: {', '.join(document['nodes'])}."
        raise InputError(f"the run has no step {address!r}", hint=hint)
    fresh = following(document, address)
    known = {**run._options.given, **_done(run)}
    given = {node: dict(known[node]) for node in document["nodes"] if node in known and node not in fresh}
    pins = {node: values for node, values in origin.pins.items() if node in document["nodes"]}
    given |= {node: dict(values) for node, values in pins.items() if node in fresh}
    if outputs:
        demand_outputs(address, outputs, [port.name for port in workflow._ports(address).outputs])
        given[address] = {**known.get(address, {}), **outputs}
    plan = Engine(workflow.types).build(document, origin.targets, given)
    made = replace(
        origin,
        workflow=workflow,
        document=document,
        inputs=wanted(plan, origin.inputs),
        pins=pins,
        parent=run.id,
        forked_at=address,
    )
    return workflow._run_of(made, plan, given)


def wanted(plan: Plan, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the inputs that a run takes which computes a part only."""
    names = {name for each in plan.inputs for name in (each.name, f"{each.node}.{each.name}")}
    return {name: value for name, value in inputs.items() if name in names}


def _done(run: Run) -> dict[str, dict[str, Any]]:
    """What the nodes of the top gave that are over; a branch that was not taken gave nothing."""
    return {span.node: run.given(span.node) for span in spans(run.events) if span.state in _OVER}


def demand_outputs(address: str, outputs: Collection[str], names: list[str]) -> None:
    """Checks that a step has these outputs.

    Raises:
        InputError: One it has not.
    """
    if unknown := [name for name in outputs if name not in names]:
        raise InputError(
            f"{address} has no output {unknown[0]!r}",
            path=path_of(address),
            hint=closest(unknown[0], names) or f"Its outputs are: {', '.join(names) or 'none'}.",
        )
