from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest

from bpaz_lab.engine.steps import StepRow, Steps, sealed
from bpaz_lab.errors import IntegrityError, LeaseLost, NotFound, SchemaOutdated, StoreFull, StoreUnavailable
from bpaz_lab.settings import Settings
from bpaz_lab.store.address import address, file_of
from bpaz_lab.store.direct import DirectSteps
from bpaz_lab.store.tables import User, WorkflowExecution

pytestmark = pytest.mark.unit

LARGE = "a" * 32
only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


def step(run, address, state="done", data=b"value", parts=()):
    row = StepRow(address, state, "once", data, tuple(parts), len(data), 1, 1732460000.1234567, 0.0)
    return sealed(run, row)


@pytest.fixture
def run(database_settings):
    """A run that is held under epoch 1, as hex, and whose it is."""
    from bpaz_lab.store.database import Database

    async def begin():
        database = Database.of(database_settings)
        user = User(identity_provider="test", subject="ada")
        async with database.session() as session:
            session.add(user)
            await session.flush()
            row = WorkflowExecution(user_id=user.id, status="running", epoch=1)
            session.add(row)
        await database.close()
        return row.id.hex, user.id

    return asyncio.run(begin())


@pytest.fixture
def opened(database_settings, run):
    """Opens the ledger of the run."""
    made = []

    def open_one(epoch=1, **settings):
        told = database_settings.model_copy(update=settings)
        made.append(DirectSteps(told, run[1], run[0], epoch, make=StepRow))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


@pytest.fixture
def sql(database_settings, request, dialect):
    """Runs a statement on a connection of its own."""

    def run_one(statement):
        url = address(database_settings)
        if dialect == "postgresql":
            return request.getfixturevalue("postgres").sql(statement, url.database)
        with closing(sqlite3.connect(file_of(url), isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    return run_one


def test_it_is_a_ledger_of_the_engine(opened, run):
    steps: Steps = opened()
    assert (steps.run_id, steps.epoch) == (run[0], 1)
    rows = [step(run[0], ""), step(run[0], "split", parts=[LARGE])]
    assert steps.lacking([LARGE, "b" * 32]) == {LARGE, "b" * 32}
    steps.write(rows, {LARGE: b"\x00data"})
    assert steps.lacking([LARGE, "b" * 32]) == {"b" * 32}
    assert steps.part(LARGE) == b"\x00data"
    steps.beat()
    steps.close()
    assert opened().read() == rows


def test_reading_takes_no_lease(opened, run):
    opened().write([step(run[0], "split")], {})
    reading = opened(epoch=0)
    assert [row.address for row in reading.read()] == ["split"]
    with pytest.raises(LeaseLost):
        reading.write([step(run[0], "other")], {})
    with pytest.raises(LeaseLost):
        reading.beat()
    assert [row.address for row in reading.read()] == ["split"]


def test_nobody_opens_anothers(database_settings, run):
    for user, id in ((uuid4(), run[0]), (run[1], uuid4().hex)):
        steps = DirectSteps(database_settings, user, id, 1, make=StepRow)
        for call in (steps.read, steps.beat, lambda steps=steps: steps.write([], {})):
            with pytest.raises(NotFound):
                call()
        steps.close()


def test_what_is_refused_leaves_nothing(opened, run):
    steps = opened()
    with pytest.raises(IntegrityError):
        steps.write([step(run[0], "one"), step(run[0], "two", parts=["c" * 32])], {LARGE: b"data"})
    assert steps.read() == []
    assert steps.lacking([LARGE]) == {LARGE}
    steps.write([step(run[0], "one")], {})


def test_a_forked_process_has_a_connection_of_its_own(opened, run, sql):
    steps = opened()
    steps.write([step(run[0], "before")], {})
    child = os.fork()
    if not child:
        try:
            steps.write([step(run[0], "child")], {})
            steps.close()
        finally:
            os._exit(0 if len(steps.read()) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    steps.write([step(run[0], "after")], {})
    assert [row.address for row in steps.read()] == ["after", "before", "child"]
    assert sql("SELECT count(*) FROM execution_steps") == [(3,)]


@only_postgres
def test_a_connection_that_was_ended_is_opened_anew(opened, run, sql):
    steps = opened()
    steps.beat()
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert sql(f"SELECT pg_terminate_backend(pid) {others}") == [(True,)]
    with pytest.raises(StoreUnavailable):
        steps.write([step(run[0], "send")], {})
    steps.write([step(run[0], "send")], {})
    assert len(steps.read()) == 1


@only_postgres
def test_who_stops_in_a_transaction_is_thrown_out(opened, run, sql):
    steps = opened(lease=0.2)
    steps.beat()
    stuck = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    with pytest.raises(StoreUnavailable), steps._transaction() as connection:  # noqa: PT012
        connection.exec_driver_sql("UPDATE workflow_executions SET holder = 'stopped'")
        while sql(stuck) != [(0,)]:
            pass
    steps.beat()
    assert sql("SELECT holder FROM workflow_executions") == [(None,)]


@only_postgres
def test_a_database_that_may_only_be_read(opened, run, sql, dialect):
    name = sql("SELECT current_database()")[0][0]
    sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    steps = opened()
    with pytest.raises(StoreFull):
        steps.write([step(run[0], "send")], {})
    assert steps.read() == []


@only_sqlite
def test_a_connection_with_a_fault_is_replaced(opened, run):
    steps = opened()
    steps.write([step(run[0], "before")], {})
    steps._open.connection.dbapi_connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreFull):
        steps.write([step(run[0], "send")], {})
    assert [row.address for row in opened().read()] == ["before"]
    steps.write([step(run[0], "send")], {})


@only_sqlite
def test_a_full_disk_leaves_what_was_there(opened, run):
    steps = opened()
    steps.write([step(run[0], "before")], {})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(StoreFull):
            steps.write([step(run[0], "split", parts=[LARGE])], {LARGE: bytes(4 << 20)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [row.address for row in steps.read()] == ["before"]
    steps.write([step(run[0], "split", parts=[LARGE])], {LARGE: bytes(4 << 20)})


@only_sqlite
def test_who_writes_waits_for_others_and_says_so(opened, run, database_settings):
    steps = opened(database_pool_timeout=0.05)
    steps.beat()
    with closing(sqlite3.connect(file_of(address(database_settings)), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            steps.write([step(run[0], "send")], {})
        assert steps.read() == []  # who reads does not wait
        other.execute("COMMIT")
    steps.write([step(run[0], "send")], {})


@only_sqlite
def test_a_large_value_lies_on_the_disk_once(opened, run, database_settings):
    file = file_of(address(database_settings))
    before = _size(file)
    data = os.urandom(10 << 20)
    pieces = {f"{number:032x}": data[number << 22 :][: 1 << 22] for number in range(3)}
    steps = opened()
    for number in range(20):
        fresh = {name: pieces[name] for name in steps.lacking(pieces)}
        steps.write([step(run[0], f"node_{number}", parts=pieces)], fresh)
    assert b"".join(map(steps.part, sorted(pieces))) == data
    with closing(sqlite3.connect(file)) as server:  # the last one to close would remove the log by itself
        server.execute("SELECT count(*) FROM users").fetchall()
        steps.close()
        assert _size(file) - before <= 1.1 * len(data)


def _size(file):
    return sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))


@only_sqlite
def test_closing_does_not_wait_for_who_reads(opened, run, database_settings):
    steps = opened()
    with closing(sqlite3.connect(file_of(address(database_settings)), isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM execution_steps").fetchall()
        steps.write([step(run[0], "send")], {})
        steps.close()
        steps.close()
    assert len(opened().read()) == 1


def test_a_database_without_tables_says_so(tmp_path, postgres):
    name = postgres.create()
    (tmp_path / "bpaz_lab.sqlite3").touch()
    for settings in (Settings(data_folder=str(tmp_path)), Settings(database_url=postgres.url(name))):
        with pytest.raises(SchemaOutdated):
            DirectSteps(settings, uuid4(), uuid4().hex, 1, make=StepRow).read()
    postgres.drop(name)


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    away = Settings(database_url="postgresql://ann:canary@127.0.0.1:1/x")
    for settings in (Settings(data_folder=str(tmp_path / "none")), away):
        steps = DirectSteps(settings, uuid4(), uuid4().hex, 1, make=StepRow)
        with pytest.raises(StoreUnavailable) as caught:
            steps.beat()
        assert "canary" not in str(caught.value)
        steps.close()
    assert not (tmp_path / "none").exists()
