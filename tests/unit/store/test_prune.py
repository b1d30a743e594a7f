from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from bpaz_lab.store import ledger, prune
from bpaz_lab.store.prune import Pruned
from bpaz_lab.store.tables import ExecutionEvent, ExecutionStep, StepPart, User, ValuePart, WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow

pytestmark = pytest.mark.unit

LARGE = "a" * 32


@pytest.fixture
async def owner(database):
    row = User(identity_provider="test", subject="ada")
    async with database.session() as session:
        session.add(row)
    return row.id


@pytest.fixture
def ran(database, owner):
    """Makes an execution with an event, and a ledger that names a piece, all of some days ago."""

    async def make(days, status="completed", digest=LARGE, user=owner, lasted=0):
        then = utcnow() - timedelta(days=days)
        row = WorkflowExecution(
            user_id=user, status=status, created_at=then - timedelta(days=lasted), completed_at=then
        )
        async with database.session() as session:
            session.add(row)
            await session.flush()
            session.add(ExecutionEvent(execution_id=row.id, seq=0, type="token", data={}))
            step = ("split", "done", "pure", b"", [digest], 4, 0, 0.0, 1.0, "")
            connection = await session.connection()
            await connection.run_sync(ledger.put_part, user, digest, b"data")
            await connection.run_sync(ledger.keep, row.id, user, [step])
            aged = update(ValuePart).where(col(ValuePart.digest) == digest)
            await connection.execute(aged.values(created_at=then))
        return row.id

    return make


async def every(database, column):
    async with database.session(read_only=True) as session:
        return set((await session.exec(select(column))).all())


async def test_ended_executions_go_with_all_they_have(database, database_settings, ran, monkeypatch):
    monkeypatch.setattr(prune, "_BATCH", 2)
    gone = [await ran(91, status) for status in ("completed", "failed", "cancelled", "failed", "failed")]
    kept = {await ran(91, status, "b" * 32) for status in ("pending", "running", "paused")}
    kept |= {await ran(89, "failed", "c" * 32), await ran(1, "completed", "d" * 32, lasted=120)}
    assert await prune.prune(database, database_settings) == Pruned(5, 0, 1)
    for column in (
        WorkflowExecution.id,
        ExecutionEvent.execution_id,
        ExecutionStep.execution_id,
        StepPart.execution_id,
    ):
        assert await every(database, column) == kept
    assert not kept & set(gone)
    assert await every(database, ValuePart.digest) == {"b" * 32, "c" * 32, "d" * 32}
    assert await prune.prune(database, database_settings) == Pruned(0, 0, 0)


async def test_ledgers_of_completed_executions_go_earlier(database, database_settings, ran, monkeypatch):
    monkeypatch.setattr(prune, "_BATCH", 1)
    old = [await ran(31), await ran(32)]
    kept = {await ran(29), await ran(31, "failed"), await ran(31, "paused")}
    assert await prune.prune(database, database_settings) == Pruned(0, 2, 0)
    assert await every(database, ExecutionStep.execution_id) == kept
    assert await every(database, StepPart.execution_id) == kept
    assert await every(database, WorkflowExecution.id) == await every(database, ExecutionEvent.execution_id)
    assert await every(database, WorkflowExecution.id) == {*old, *kept}


async def test_for_ever_is_for_ever(database, database_settings, ran):
    await ran(4000)
    ever = database_settings.model_copy(update={"execution_days": 0, "ledger_days": 0})
    assert await prune.prune(database, ever) == Pruned(0, 0, 0)
    ledgers_go = database_settings.model_copy(update={"execution_days": 0})
    assert await prune.prune(database, ledgers_go) == Pruned(0, 1, 1)


async def test_pieces_that_nothing_names_go_after_a_day(database, database_settings, ran, owner):
    eve = User(identity_provider="test", subject="eve")
    async with database.session() as session:
        session.add(eve)
    await ran(2, user=eve.id)  # another person's run names a piece of the same content
    async with database.session() as session:
        for digest, hours in (("1" * 32, 23), ("2" * 32, 25), ("3" * 32, 25), (LARGE, 25)):
            session.add(
                ValuePart(
                    user_id=owner,
                    digest=digest,
                    size=1,
                    data=b"x",
                    created_at=utcnow() - timedelta(hours=hours),
                )
            )
    async with database.session() as session:
        connection = await session.connection()
        assert await connection.run_sync(ledger.lacking, owner, ["3" * 32, "4" * 32]) == {"4" * 32}
    assert await prune.prune(database, database_settings) == Pruned(0, 0, 2)
    async with database.session(read_only=True) as session:
        left = (await session.exec(select(ValuePart.user_id, ValuePart.digest))).all()
    assert set(left) == {(owner, "1" * 32), (owner, "3" * 32), (eve.id, LARGE)}


async def test_a_fork_keeps_its_pieces_when_its_parent_goes(database, database_settings, ran, owner):
    parent = await ran(91, "failed")
    async with database.session() as session:
        fork = WorkflowExecution(user_id=owner, status="paused", parent_id=parent)
        session.add(fork)
        await session.flush()
        connection = await session.connection()
        assert await connection.run_sync(ledger.copy, parent, fork.id) == 1
    async with database.session() as session:
        await session.exec(update(ValuePart).values(created_at=utcnow() - timedelta(days=9)))
    assert await prune.prune(database, database_settings) == Pruned(1, 0, 0)
    async with database.session(read_only=True) as session:
        connection = await session.connection()
        assert await connection.run_sync(ledger.part, owner, LARGE) == b"data"
        assert (await session.get(WorkflowExecution, fork.id)).parent_id is None
    async with database.session() as session:
        await session.delete(await session.get(WorkflowExecution, fork.id))
    assert await prune.prune(database, database_settings) == Pruned(0, 0, 1)
    assert await every(database, StepPart.digest) == set()
