from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import select

from bpaz_lab.engine.steps import StepRow, intact, sealed
from bpaz_lab.errors import Conflict, IntegrityError, LeaseLost, NotFound
from bpaz_lab.store import ledger
from bpaz_lab.store.repositories.personal import erase
from bpaz_lab.store.tables import ExecutionStep, StepPart, User, ValuePart, WorkflowExecution

pytestmark = pytest.mark.unit

LARGE = "a" * 32


@pytest.fixture
async def people(database):
    rows = [User(identity_provider="test", subject=name) for name in ("ada", "eve")]
    async with database.session() as session:
        session.add_all(rows)
    return [row.id for row in rows]


@pytest.fixture
def begun(database, people):
    """Makes executions, held under epoch 1."""

    async def make(owner=0, **columns):
        row = WorkflowExecution(user_id=people[owner], **{"status": "running", "epoch": 1} | columns)
        async with database.session() as session:
            session.add(row)
        return row.id

    return make


@pytest.fixture
def does(database):
    """Calls a function of the ledger in a transaction of its own."""

    async def call(work, *arguments, **named):
        async with database.session() as session:
            connection = await session.connection()
            return await connection.run_sync(work, *arguments, **named)

    return call


def step(run, address, state="done", data=b"\x00 value", parts=(), began=1732460000.1234567):
    row = StepRow(address, state, "once", data, tuple(parts), len(data), 1, began, began + 0.1)
    return sealed(run.hex, row)


async def kept(does, run):
    return [StepRow(**row) for row in await does(ledger.read, run)]


async def test_rows_come_back_as_they_went(does, begun):
    run = await begun()
    rows = [step(run, "", "given"), step(run, "each[3]/clean"), step(run, "ünï 🦆", "started", b"")]
    rows += [step(run, "large", parts=[LARGE], data=bytes(range(256)) * 256, began=0.1 + 0.2)]
    await does(ledger.write, run, 1, rows, {LARGE: b"data"})
    found = await kept(does, run)
    assert sorted(found) == sorted(rows)
    assert all(intact(run.hex, row) for row in found)
    assert found[0].address == ""


async def test_a_row_takes_the_place_of_its_address(does, begun):
    run = await begun()
    await does(ledger.write, run, 1, [step(run, "send", "started", b"")], {})
    await does(ledger.write, run, 1, [step(run, "send")._asdict()], {})
    assert await kept(does, run) == [step(run, "send")]


async def test_pages_begin_with_the_run_itself(does, begun):
    run = await begun()
    rows = [step(run, address, data=b"x" * 10) for address in ("", "a", "b", "c", "d")]
    await does(ledger.write, run, 1, rows[::-1], {})
    found, after = [], None
    while page := await does(ledger.read, run, after, 2):
        found += page
        after = page[-1]["address"]
    assert [StepRow(**row) for row in found] == rows
    assert [row["address"] for row in await does(ledger.read, run, most=20)] == ["", "a"]
    assert [row["address"] for row in await does(ledger.read, run, "a", most=1)] == ["b"]
    seen = await does(ledger.outline, run, "b", 1)
    assert [(row["address"], row["state"], row["size"]) for row in seen] == [("c", "done", 10)]
    assert "data" not in seen[0]


async def test_who_was_replaced_writes_nothing(does, begun, people):
    run = await begun()
    assert await does(ledger.take, run, epoch=1, holder="another") == 2
    for work, *rest in (
        (ledger.write, [step(run, "send")], {LARGE: b"data"}),
        (ledger.write, [], {}),
        (ledger.beat,),
        (ledger.fence,),
    ):
        for epoch in (0, 1, 3):
            with pytest.raises(LeaseLost) as caught:
                await does(work, run, epoch, *rest)
            assert run.hex in str(caught.value)
        with pytest.raises(LeaseLost):
            await does(work, uuid4(), 0, *rest)
    assert await kept(does, run) == []
    assert await does(ledger.lacking, people[0], [LARGE]) == {LARGE}
    await does(ledger.write, run, 2, [step(run, "send")], {})
    await does(ledger.beat, run, 2)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_what_has_ended_takes_nothing_more(does, begun, status):
    run = await begun(status=status)
    with pytest.raises(LeaseLost):
        await does(ledger.write, run, 1, [step(run, "send")], {})
    with pytest.raises(LeaseLost):
        await does(ledger.beat, run, 1)
    assert await kept(does, run) == []


async def test_of_all_who_take_it_over_at_once_one_does(database, does, begun):
    run = await begun(holder="the one before")
    tries = [does(ledger.take, run, epoch=1, holder=f"number {number}") for number in range(8)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    (winner,) = (number for number, result in enumerate(results) if result == 2)
    lost = [result for result in results if isinstance(result, Conflict)]
    assert len(lost) == 7
    assert all(error.current == {"epoch": 2, "holder": f"number {winner}"} for error in lost)
    async with database.session(read_only=True) as session:
        row = await session.get(WorkflowExecution, run)
        assert (row.epoch, row.holder) == (2, f"number {winner}")
        assert row.heartbeat_at is not None
    with pytest.raises(NotFound):
        await does(ledger.take, uuid4(), epoch=1, holder="x")


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_nobody_takes_it_over_within_a_write(database, does, begun):
    run = await begun()
    async with database.session() as session:
        connection = await session.connection()
        await connection.run_sync(ledger.write, run, 1, [step(run, "send")], {})
        taking = asyncio.create_task(does(ledger.take, run, epoch=1, holder="another"))
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not taking.done() and not (await connection.execute(waits)).scalar():
            await asyncio.sleep(0.01)
        assert not taking.done()
    assert await taking == 2


async def test_pieces_are_a_persons_own(does, begun, people):
    ada, eve = people
    run, other = await begun(), await begun(1)
    await does(ledger.write, run, 1, [step(run, "split", parts=[LARGE])], {LARGE: b"data"})
    assert await does(ledger.part, ada, LARGE) == b"data"
    with pytest.raises(NotFound):
        await does(ledger.part, eve, LARGE)
    assert await does(ledger.lacking, eve, [LARGE]) == {LARGE}
    with pytest.raises(IntegrityError):  # a name that eve has heard of is not a piece that eve has
        await does(ledger.write, other, 1, [step(other, "split", parts=[LARGE])], {})
    await does(ledger.write, other, 1, [step(other, "split", parts=[LARGE])], {LARGE: b"eve's"})
    assert await does(ledger.part, ada, LARGE) == b"data"
    with pytest.raises(NotFound):
        await does(ledger.demand_owner, run, eve)
    await does(ledger.demand_owner, run, ada)


async def test_a_row_without_its_pieces_is_refused(does, begun):
    run = await begun()
    rows = [step(run, "one"), step(run, "two", parts=[LARGE, "b" * 32])]
    with pytest.raises(IntegrityError, match="1 pieces of values are not kept, the first aaa"):
        await does(ledger.write, run, 1, rows, {"b" * 32: b""})
    assert await kept(does, run) == []


async def test_pieces_are_kept_once(does, begun, people, database):
    run, another = await begun(), await begun()
    for where in (run, another):
        for address in ("one", "two"):
            row = step(where, address, parts=[LARGE])
            await does(ledger.write, where, 1, [row], {LARGE: b"data"} if where == run else {})
    await does(ledger.put_part, people[0], LARGE, b"data")
    async with database.session(read_only=True) as session:
        assert (await session.exec(select(ValuePart.digest, ValuePart.size))).all() == [(LARGE, 4)]
        assert len((await session.exec(select(StepPart.execution_id))).all()) == 2


async def test_a_fork_has_the_ledger_sealed_anew(does, begun):
    parent, fork = await begun(status="completed"), await begun()
    await does(ledger.put_part, (await owner_of(does, parent)), LARGE, b"data")
    rows = [step(parent, ""), step(parent, "one", parts=[LARGE]), step(parent, "two"), step(parent, "three")]
    await does(ledger.keep, parent, await owner_of(does, parent), rows)

    def seal(row):
        return sealed(fork.hex, StepRow(**row))._asdict()

    assert await does(ledger.copy, parent, fork, {"two", "four"}, seal=seal) == 3
    found = await kept(does, fork)
    assert {row.address for row in found} == {"", "one", "three"}
    assert all(intact(fork.hex, row) for row in found)
    assert await kept(does, parent) == sorted(rows)


async def owner_of(does, run):
    def owner(connection):
        return connection.execute(
            select(WorkflowExecution.user_id).where(WorkflowExecution.id == run)
        ).scalar()

    return await does(owner)


async def test_nobody_forks_anothers(does, begun):
    mine, theirs = await begun(), await begun(1)
    await does(ledger.write, theirs, 1, [step(theirs, "one")], {})
    for source, target in ((theirs, mine), (uuid4(), mine), (theirs, uuid4())):
        with pytest.raises(NotFound):
            await does(ledger.copy, source, target)
    assert await kept(does, mine) == []


@pytest.mark.parametrize(
    "damage",
    [
        "data = zeroblob(3)",
        "data = 'text'",
        "parts = '{\"a'",
        "parts = '7'",
        "state = 'given'",
        "ended = 'x'",
        "size = -1",
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_what_is_damaged_is_seen_by_its_seal(database, does, begun, damage):
    run = await begun()
    good, bad = step(run, "good"), step(run, "bad", parts=[LARGE])
    await does(ledger.write, run, 1, [good, bad], {LARGE: b"data"})
    async with database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(f"UPDATE execution_steps SET {damage} WHERE address = 'bad'")  # noqa: S608
    found = {row.address: row for row in await kept(does, run)}
    assert found["good"] == good
    assert not intact(run.hex, found["bad"])


async def test_what_was_swapped_is_seen_by_its_seal(database, does, begun):
    run = await begun()
    await does(ledger.write, run, 1, [step(run, "one", data=b"1"), step(run, "two", data=b"2")], {})
    async with database.session() as session:
        swapped = "UPDATE execution_steps SET address = CASE address WHEN 'one' THEN 'x' ELSE 'one' END"
        await (await session.connection()).exec_driver_sql(swapped)
    found = await kept(does, run)
    assert [row.address for row in found] == ["one", "x"]
    assert not any(intact(run.hex, row) for row in found)


async def test_who_is_forgotten_leaves_no_ledger(database, does, begun, people):
    for owner in (0, 1):
        run = await begun(owner)
        await does(ledger.write, run, 1, [step(run, "one", parts=[LARGE])], {LARGE: b"data"})
    async with database.session() as session:
        await erase(session, await session.get(User, people[0]))
    async with database.session(read_only=True) as session:
        assert (await session.exec(select(ExecutionStep.execution_id))).all() == [run]
        assert (await session.exec(select(StepPart.execution_id))).all() == [run]
        assert (await session.exec(select(ValuePart.user_id))).all() == [people[1]]
