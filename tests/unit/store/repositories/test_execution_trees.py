"""Executions that were forked from each other, and steps of which nobody knows."""

from __future__ import annotations

from uuid import uuid4

import pytest

from bpaz_lab.errors import NotFound
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.ledger import keep
from bpaz_lab.store.repositories.executions import Executions, in_doubt
from bpaz_lab.store.tables import User, WorkflowExecution

pytestmark = pytest.mark.unit


@pytest.fixture
async def people(database):
    rows = [User(identity_provider="test", subject=name) for name in ("ada", "eve")]
    async with database.session() as session:
        session.add_all(rows)
    return [Caller(row.id, row.subject) for row in rows]


async def made(database, caller, **columns):
    row = WorkflowExecution(user_id=caller.user_id, **columns)
    async with database.session() as session:
        session.add(row)
    return row.id


async def test_runs_are_a_tree(database, people):
    ada, eve = people
    root = await made(database, ada)
    fork, other = [await made(database, ada, parent_id=root, forked_at="split") for _ in range(2)]
    leaf = await made(database, ada, parent_id=fork)
    alone = await made(database, ada)
    async with database.session(read_only=True) as session:
        mine = Executions(session, ada)
        for id in (root, fork, other, leaf):
            assert [row.id for row in await mine.tree(id)] == [root, fork, other, leaf]
        assert [row.id for row in await mine.tree(alone)] == [alone]
        for caller, id in ((eve, leaf), (ada, uuid4())):
            with pytest.raises(NotFound):
                await Executions(session, caller).tree(id)
    async with database.session() as session:
        mine = Executions(session, ada)
        await mine.remove(await mine.get(root))
    async with database.session(read_only=True) as session:
        assert [row.id for row in await Executions(session, ada).tree(leaf)] == [fork, leaf]
        assert [row.id for row in await Executions(session, ada).tree(other)] == [other]


async def test_steps_in_doubt_are_those_that_began_and_did_not_end(database, people):
    rows = [
        (address, state, "once", b"", (), 0, 1, 1.0, 0.0, "")
        for address, state in (("b", "started"), ("a", "started"), ("c", "done"), ("d", "failed"))
    ]
    ids = [await made(database, people[0], status=status) for status in ("running", "failed")]
    nothing = await made(database, people[0], status="failed")
    async with database.session() as session:
        connection = await session.connection()
        for id in ids:
            await connection.run_sync(keep, id, people[0].user_id, rows)
    async with database.session(read_only=True) as session:
        assert await in_doubt(session, [*ids, nothing, uuid4()]) == {id: ["a", "b"] for id in ids}
        assert await in_doubt(session, [nothing]) == {}
