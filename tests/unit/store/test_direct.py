from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest

from bpaz_lab.engine.steps import StepRow, sealed
from bpaz_lab.errors import Conflict, IntegrityError, LeaseLost, NotFound
from bpaz_lab.store import ledger
from bpaz_lab.store.direct import DirectSteps
from bpaz_lab.store.tables import User, WorkflowExecution

pytestmark = pytest.mark.unit


def step(run, address, state="done", data=b"\x00 value", parts=(), epoch=1, began=1732460000.123456789):
    row = StepRow(address, state, "once", data, tuple(parts), len(data), epoch, began, began + 0.1)
    return sealed(run, row)


@pytest.fixture
async def people(database):
    rows = [User(identity_provider="test", subject=name) for name in ("ada", "eve")]
    async with database.session() as session:
        session.add_all(rows)
    return [row.id for row in rows]


@pytest.fixture
def begun(database):
    """Makes executions."""

    async def make(owner, **columns):
        row = WorkflowExecution(user_id=owner, **{"status": "running", "epoch": 1} | columns)
        async with database.session() as session:
            session.add(row)
        return row.id.hex

    return make


@pytest.fixture
def steps_of(database_settings):
    """Opens ledgers, and closes them."""
    made = []

    def open_one(owner, run, epoch=1):
        made.append(DirectSteps(database_settings, owner, run, epoch, make=StepRow))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


async def test_rows_come_back_as_they_went(people, begun, steps_of):
    run = await begun(people[0])
    steps = steps_of(people[0], run)
    rows = [step(run, "", "given"), step(run, "each[3]/clean"), step(run, "ünï", "started", b"")]
    parts = {"b" * 32: bytes(range(256)) * 9, "c" * 32: b""}
    rows.append(step(run, "large", parts=parts))
    steps.write(rows, parts)
    assert steps.read() == sorted(rows)
    assert {name: steps.part(name) for name in parts} == parts
    assert steps.lacking([*parts, "d" * 32]) == {"d" * 32}
    steps.write([step(run, "ünï", "done", b"finished")], {})
    assert {row.address: row.data for row in steps.read()}["ünï"] == b"finished"
    assert len(steps.read()) == 4
