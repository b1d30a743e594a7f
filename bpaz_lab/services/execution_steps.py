"""What is done of an execution, step by step; which steps are in doubt."""

from __future__ import annotations

from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from pydantic import Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.execution_claim import is_held
from bpaz_lab.services.listing import Page
from bpaz_lab.services.route import Model, route
from bpaz_lab.store import ledger
from bpaz_lab.store.repositories.executions import Executions
from bpaz_lab.store.repositories.ledgers import work


class Step(Model):
    """One step of an execution."""

    address: str = Field(description="Which node, and in which round: `each[3]/clean`.")
    state: str = Field(description="`started`, `done`, `failed`; `given` by a person.")
    effect: str = Field(description="What it does outside: `pure`, `repeatable`, `once` or `undeclared`.")
    size: int = Field(description="Bytes of what it gave.")
    epoch: int = Field(description="Which holder of the execution did it, counted from 1.")
    began: float = Field(description="Unix seconds.")
    ended: float = Field(description="Unix seconds; 0 while it has not.")
    in_doubt: bool = Field(description="Whether it may have happened, must not twice, and nobody is at it.")


class StepsQuery(Model):
    """Which steps."""

    cursor: str = Field("", max_length=2000, description="`next` of the page before; empty for the first.")
    limit: int = Field(500, ge=1, le=5000, description="Steps of a page.")


@route("GET", "executions/{id}/steps")
async def list_steps(call: Call, id: UUID, query: StepsQuery) -> Page[Step]:
    """What is done of an execution, by address."""
    async with call.session() as session:
        row = await Executions(session, call.caller).get(id)
        demand(call.caller, "execution.read", row)
        # behind "", which is the run itself
        found = await work(session, lambda it: ledger.outline(it, id, query.cursor, query.limit))
    rests = not is_held(call.lab, row)
    items = [
        Step(in_doubt=rests and each["state"] == "started", **{name: each[name] for name in _TOLD})
        for each in found
    ]
    return Page(items=items, next=items[-1].address if len(items) == query.limit else "")


_TOLD = ("address", "state", "effect", "size", "epoch", "began", "ended")
