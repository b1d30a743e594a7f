"""Two executions, node by node: what each gave, how long it took, what it cost."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from pydantic import Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.engine.compare import compare
from bpaz_lab.engine.values import content
from bpaz_lab.errors import IntegrityError
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.route import Model, route
from bpaz_lab.store import ledger
from bpaz_lab.store.repositories.events import Events
from bpaz_lab.store.repositories.executions import Executions
from bpaz_lab.store.repositories.ledgers import work

if TYPE_CHECKING:
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.database import Session

PAGE: Final = 500
"""Events that are read at a time."""
ROOM: Final = 4 * 2**20
"""Bytes of rows that are read at a time."""


class DiffQuery(Model):
    """With which one."""

    other: UUID = Field(alias="with", description="The execution that it is compared with.")


class Look(Model):
    """What a value looks like."""

    type: str
    text: str


class Side(Model):
    """A node in one of the two; of one in a body all rounds together."""

    status: str = Field(
        description="`finished`, `failed`, `skipped`, `waiting`, `running` or `not computed`."
    )
    outputs: dict[str, Look] = Field(description="What it gave, by output.")
    seconds: float
    tokens: int
    cost: float | None = Field(description="US dollars, where the price is known.")


class NodeDiff(Model):
    """A node in both."""

    place: str = Field(description="Where it stands: `each/clean`.")
    kind: Literal["same", "changed", "added", "removed"]
    one: Side | None = Field(description="In this execution; null where its workflow has no such node.")
    other: Side | None = Field(description="In the other one.")
    same: bool | None = Field(description="Whether it gave the same; null where that is not known.")
    settings: str = Field(description="What differs in its settings, type, policy and wires, a line each.")


class Diff(Model):
    """What differs between two executions."""

    one: UUID
    other: UUID
    nodes: list[NodeDiff] = Field(description="In the order of the other's workflow.")


@route("GET", "executions/{id}/diff")
async def diff_executions(call: Call, id: UUID, query: DiffQuery) -> Diff:
    """Compare an execution with another one, node by node."""
    async with call.session() as session:
        sides = [await _side(session, call.caller, each) for each in (id, query.other)]
    found = await asyncio.to_thread(compare, *sides)
    return Diff(one=id, other=query.other, nodes=[NodeDiff.model_validate(each) for each in found])


async def _side(session: Session, caller: Caller, id: UUID) -> dict[str, Any]:
    row = await Executions(session, caller).get(id, document=True)
    demand(caller, "execution.read", row)
    document = row.flow_data or {"nodes": {}, "edges": []}
    return {
        "document": {"name": row.name, **document},
        "events": await _events(session, caller, id),
        "values": await _values(session, id),
    }


async def _events(session: Session, caller: Caller, id: UUID) -> list[dict[str, Any]]:
    """Its events but the tokens, which are many and say nothing here."""
    events: list[dict[str, Any]] = []
    last = -1
    while page := await Events(session, caller).after(id, last, PAGE):
        events += [event for event in page if event["type"].startswith("node.")]
        last = page[-1]["seq"]
    return events


async def _values(session: Session, id: UUID) -> dict[str, str]:
    """What names the outputs of each step by their content."""
    found: dict[str, str] = {}
    after: str | None = None
    while rows := await work(session, partial(ledger.read, id=id, after=after, most=ROOM)):
        for row in rows:
            with suppress(IntegrityError):  # of a damaged row nobody knows whether it is the same
                if row["state"] in ("done", "given"):
                    found[row["address"]] = content(row["data"])
        after = rows[-1]["address"]
    found.pop("", None)
    return found
