"""Forking an execution: a new one that takes over what was done before a step, and goes on otherwise."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from pydantic import Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.engine.changed import changes
from bpaz_lab.engine.fork import affected
from bpaz_lab.engine.steps import StepRow, intact, sealed
from bpaz_lab.errors import Invalid
from bpaz_lab.graph.address import place_of
from bpaz_lab.guard.suggest import closest
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.execution_admit import admit, known, runner_of
from bpaz_lab.services.execution_answers import answers_so_far
from bpaz_lab.services.execution_check import runnable
from bpaz_lab.services.execution_views import Execution, view
from bpaz_lab.services.route import Answer, Model, route
from bpaz_lab.services.step_edit import edited
from bpaz_lab.store import ledger
from bpaz_lab.store.repositories.executions import Executions
from bpaz_lab.store.repositories.ledgers import work
from bpaz_lab.store.tables import WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session


class Fork(Model):
    """Where an execution is to go otherwise, and how."""

    node: str = Field(
        min_length=1, max_length=2000, description="The address of a step: `split`, `each[3]/clean`."
    )
    outputs: dict[str, Any] | None = Field(
        None,
        max_length=100,
        description="What the step gives instead, by output; without it the step is computed again.",
    )
    flow_data: dict[str, Any] | None = Field(
        None, description="The document to go on with; the same by default."
    )
    session_id: str = Field(
        "", max_length=255, description="The conversation that it belongs to; none by default."
    )


@route("POST", "executions/{id}/fork", status=201)
async def fork_execution(call: Call, id: UUID, body: Fork) -> Answer[Execution]:
    """Begin a new execution out of one: from a step on, which is computed again or gives what you say."""
    asked = {"fork": str(id), **body.model_dump(mode="json")}
    new = await known(call, asked)
    if new is None:
        runner_of(call)
        new = await _forked(call, id, body, asked)
    async with call.session() as session:
        told = view(await Executions(session, call.caller).get(new))
    return Answer(told, status=201, headers={"Location": f"executions/{new}"})


async def branch(
    session: Session,
    caller: Caller,
    row: WorkflowExecution,
    parent_id: UUID,
    forked_at: str,
    without: Collection[str],
) -> None:
    """Gives a new execution the ledger of the one that it is forked from.

    Args:
        session: The transaction; the new execution is in it.
        caller: Whose both are.
        row: The new execution.
        parent_id: What it is forked from.
        forked_at: The address of the step.
        without: Addresses that are not taken over.

    Raises:
        NotFound: The person has no such execution.
    """
    await Executions(session, caller).get(parent_id)
    row.parent_id, row.forked_at = parent_id, forked_at or None
    await session.flush()
    seal = _sealing(parent_id.hex, row.id.hex)
    await work(session, lambda it: ledger.copy(it, parent_id, row.id, set(without), seal=seal))


async def _forked(call: Call, id: UUID, body: Fork, asked: Mapping[str, Any]) -> UUID:
    settings = call.lab.settings
    async with call.session() as session:
        parent = await Executions(session, call.caller).get(id, document=True)
        demand(call.caller, "execution.read", parent)
        demand(call.caller, "workflow.execute")
        steps = [each["address"] for each in await work(session, lambda it: ledger.outline(it, id))]
        if body.node not in steps:
            hint = closest(body.node, steps) or f"GET executions/{id}/steps lists them."
            raise Invalid(f"the execution has done no step {body.node!r}", path="body.node", hint=hint)
        place = steps.index(body.node)
        behind = steps[place - 1] if place else None
        (kept,) = await work(session, lambda it: ledger.read(it, id, behind, 1))
    document = parent.flow_data or {}
    without = affected(document, steps, body.node)
    if body.flow_data is not None:
        new = dict(await asyncio.to_thread(runnable, body.flow_data, parent.inputs or {}, settings))
        changed = changes(document, new, {}, {})
        for address in [each for each in steps if each and place_of(each) in changed]:
            without |= affected(document, steps, address)
        document = new
    given = None
    if body.outputs is not None:
        given = await asyncio.to_thread(edited, StepRow(**kept), body.outputs)
    options = {name: told for name, told in (parent.options or {}).items() if name != "repair"}
    answers = answers_so_far(parent)
    options["answers"] = {name: answers[name] for name in answers.keys() & steps if name not in without}
    assert call.caller.user_id is not None
    row = WorkflowExecution(
        workflow_id=parent.workflow_id,
        workflow_version=parent.workflow_version if body.flow_data is None else None,
        user_id=call.caller.user_id,
        inputs=parent.inputs,
        flow_data=document,
        name=parent.name,
        session_id=body.session_id,
        timeout=parent.timeout or settings.run_timeout,
        options=options,
        server_id=call.lab.server_id,
        heartbeat_at=utcnow(),
    )

    async def also(session: Session) -> None:
        await branch(session, call.caller, row, id, body.node, without)
        if given is not None:
            step, parts = sealed(row.id.hex, given[0]), given[1]
            for digest, data in parts.items():
                await work(session, partial(ledger.put_part, user_id=row.user_id, digest=digest, data=data))
            await work(session, lambda it: ledger.keep(it, row.id, row.user_id, [step], parts))

    return await admit(call, row, asked, also)


def _sealing(source: str, target: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Seals a row for the execution that it is copied to; a damaged one stays as it is."""

    def seal(told: dict[str, Any]) -> dict[str, Any]:
        step = StepRow(**told)
        return sealed(target, step)._asdict() if intact(source, step) else told

    return seal
