from datetime import timedelta
from uuid import uuid4

import pytest

from bpaz_lab.errors import NotFound, RequestError, Throttled
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories.events import Events, append, following, fresh, latest, of_kind
from bpaz_lab.store.repositories.executions import (
    Executions,
    abandoned,
    assign,
    author,
    beat,
    let_go,
    open_one,
    still_held,
)
from bpaz_lab.store.tables import User, Workflow, WorkflowExecution
from bpaz_lab.store.tables.columns import utcnow


@pytest.fixture
async def people(database):
    rows = [User(identity_provider="test", subject=name) for name in ("ada", "eve")]
    async with database.session() as session:
        session.add_all(rows)
    return [Caller(row.id, row.subject, kernel_id="kernel-1") for row in rows]


async def made(database, caller, **columns):
    row = WorkflowExecution(user_id=caller.user_id, flow_data={"large": True}, **columns)
    async with database.session() as session:
        return (await Executions(session, caller).add(row, most=100)).id


async def test_nobody_reaches_anothers(database, people):
    ada, eve = people
    id = await made(database, ada, kernel_id="kernel-1", idempotency_key="k")
    async with database.session() as session:
        await append(session, id, [{"seq": 0, "type": "token"}])
    async with database.session(read_only=True) as session:
        for caller in (eve, Caller()):
            theirs = Executions(session, caller)
            for asked in (theirs.get(id), theirs.assigned(id, change=False)):
                with pytest.raises(NotFound):
                    await asked
            assert await theirs.by_key("k") is None
            assert await Events(session, caller).after(id, -1, 10) == []
            page = await theirs.page(where={}, since=None, sort="-created_at", limit=9, cursor="")
            assert page.items == []
        mine = Executions(session, ada)
        assert (await mine.get(id)).id == (await mine.assigned(id, change=False)).id == id
        assert await mine.by_key("k") == (id, None)
        assert len(await Events(session, ada).after(id, -1, 10)) == 1


@pytest.mark.parametrize("kernel", ["", "kernel-2"])
async def test_a_kernel_reaches_what_it_was_given(database, people, kernel):
    id = await made(database, people[0], kernel_id="kernel-1")
    async with database.session() as session:
        with pytest.raises(NotFound):
            await Executions(session, Caller(people[0].user_id, kernel_id=kernel)).assigned(id)


async def test_the_document_comes_when_it_is_asked_for(database, people):
    id = await made(database, people[0])
    async with database.session(read_only=True) as session:
        row = await Executions(session, people[0]).get(id)
        with pytest.raises(Exception, match="flow_data"):
            _ = row.flow_data
    async with database.session(read_only=True) as session:
        row = await Executions(session, people[0]).get(id, document=True)
        assert row.flow_data == {"large": True}


async def test_what_waits_for_a_person_does_not_count(database, people):
    ada, _ = people
    for status in ("pending", "running", "paused", "completed", "failed", "cancelled"):
        await made(database, ada, status=status)
    async with database.session() as session:
        executions = Executions(session, ada)
        with pytest.raises(Throttled):
            await executions.add(WorkflowExecution(user_id=ada.user_id), most=2)
        await executions.add(WorkflowExecution(user_id=ada.user_id), most=3)


async def test_only_what_waits_is_given_to_a_kernel(database, people):
    id = await made(database, people[0], server_id="server-1")
    async with database.session() as session:
        assert await assign(session, id, "kernel-8", "another server") == 0
        assert await assign(session, id, "kernel-8", "server-1") == 1
        assert await assign(session, id, "kernel-9", "server-1") == 2
    done = await made(database, people[0], server_id="server-1", status="cancelled")
    async with database.session() as session:
        assert await assign(session, done, "kernel-9", "server-1") == 0
        assert await assign(session, uuid4(), "kernel-9", "server-1") == 0
    async with database.session(read_only=True) as session:
        row = await Executions(session, people[0]).get(id)
        assert (row.kernel_id, row.server_id) == ("kernel-9", "server-1")


async def test_signs_of_life_and_who_gives_none(database, people):
    ada, _ = people
    old = utcnow() - timedelta(minutes=1)
    gone = await made(database, ada, server_id="gone", heartbeat_at=old)
    paused = await made(database, ada, server_id="gone", heartbeat_at=old, status="paused")
    never = await made(database, ada, created_at=old)
    mine = await made(database, ada, server_id="mine", heartbeat_at=old)
    fresh_one = await made(database, ada, server_id="other", heartbeat_at=utcnow())
    done = await made(database, ada, server_id="gone", heartbeat_at=old, status="failed")
    async with database.session() as session:
        before = utcnow() - timedelta(seconds=20)
        found = {each.id: each for each in await abandoned(session, before)}
        assert set(found) == {gone, never, mine}  # what waits for a person needs nobody
        assert found[gone] == (gone, ada.user_id, "pending", 0)
        await beat(session, "gone", [gone, mine, done])
        assert {each.id for each in await abandoned(session, before)} == {never, mine}
        ids = [gone, mine, paused, fresh_one, done, uuid4()]
        assert await still_held(session, ids, "gone") == {gone, paused}
        await let_go(session, ids)
        row = await open_one(session, paused)
        assert (row.kernel_id, row.heartbeat_at) == (None, None)
        assert (await open_one(session, gone)).heartbeat_at is not None
        assert await open_one(session, done) is None
        assert (await open_one(session, gone)).id == gone


async def test_whose_workflow_it_is(database, people):
    _, eve = people
    row = Workflow(user_id=eve.user_id, name="Eve's", flow_data={})
    async with database.session() as session:
        session.add(row)
        await session.flush()
        assert await author(session, row.id) == eve.user_id
        assert await author(session, uuid4()) is None


async def test_lists_are_sorted_by_what_they_can_be(database, people):
    async with database.session(read_only=True) as session:
        with pytest.raises(RequestError):
            await Executions(session, people[0]).page(where={}, since=None, sort="name", limit=9, cursor="")


async def test_events_in_order(database, people):
    id = await made(database, people[0])
    async with database.session() as session:
        assert (await following(session, id), await latest(session, id)) == (0, None)
        kinds = ["a", "b", "a"]
        events = fresh([{"seq": seq, "type": kind} for seq, kind in enumerate(kinds)], 0)
        await append(session, id, events)
        await append(session, id, [])
    async with database.session() as session:
        assert await following(session, id) == 3
        assert (await latest(session, id))["seq"] == 2
        assert [event["seq"] for event in await of_kind(session, id, "a")] == [0, 2]
        assert [event["seq"] for event in await Events(session, people[0]).after(id, 0, 1)] == [1]
