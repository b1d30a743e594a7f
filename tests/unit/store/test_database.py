"""What every part of the product may rely on, whichever database there is."""

from __future__ import annotations

import asyncio
import math
import sys
from uuid import uuid4

import pytest
from sqlalchemy import func, text
from sqlmodel import col, select, update

from bpaz_lab.errors import Conflict, RequestError, StoreFull, StoreUnavailable
from bpaz_lab.settings import Settings
from bpaz_lab.store.database import Database
from bpaz_lab.store.tables import Role, User, Workflow
from tests.support.people import add, emails

# ruff: noqa: PT012 (what is raised comes at the end of a transaction)

pytestmark = pytest.mark.unit

only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


# ---- transactions ------------------------------------------------------------------------------------


async def test_what_a_session_writes_is_there_for_the_next(database):
    await add(database, "ann@x")
    assert await emails(database) == ["ann@x"]


async def test_an_error_takes_everything_back(database):
    with pytest.raises(ZeroDivisionError):
        async with database.session() as session:
            session.add(User(email="ann@x"))
            await session.flush()
            _ = 1 / 0
    assert await emails(database) == []


async def test_what_was_committed_in_between_stays(database):
    with pytest.raises(ZeroDivisionError):
        async with database.session() as session:
            session.add(User(email="ann@x"))
            await session.commit()
            session.add(User(email="ben@x"))
            await session.flush()
            _ = 1 / 0
    assert await emails(database) == ["ann@x"]


async def test_a_cancelled_session_leaves_nothing_and_blocks_nobody(database):
    async def slow(inside):
        async with database.session() as session:
            session.add(User(email="ann@x"))
            await session.flush()
            inside.set()
            await asyncio.sleep(60)

    inside = asyncio.Event()
    task = asyncio.create_task(slow(inside))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await add(database, "ben@x")
    assert await emails(database) == ["ben@x"]


async def test_rows_live_on_after_their_session(database):
    async with database.session() as session:
        user = User(email="ann@x")
        session.add(user)
    assert user.email == "ann@x"
    assert user.created_at.utcoffset().total_seconds() == 0


async def test_it_opens_again_after_it_was_closed(database):
    await add(database, "ann@x")
    await database.close()
    assert await emails(database) == ["ann@x"]


# ---- faults ------------------------------------------------------------------------------------------


async def test_a_name_that_is_taken_is_a_conflict(database):
    await add(database, "ann@x")
    with pytest.raises(Conflict, match="users") as caught:
        await add(database, "ben@x", "ann@x")
    assert "ann@x" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert await emails(database) == ["ann@x"]


async def test_a_reference_to_nothing_is_a_conflict(database):
    with pytest.raises(Conflict):
        async with database.session() as session:
            session.add(Workflow(user_id=uuid4(), name="lost", flow_data={}))


async def test_what_others_hang_on_stays(database):
    with pytest.raises(Conflict):
        async with database.session() as session:
            user, role = User(email="ann@x"), (await session.exec(select(Role))).first()
            session.add(user)
            await session.flush()
            insert = "INSERT INTO organization (id, name) VALUES (:id, 'Team')"
            team = uuid4()
            connection = await session.connection()
            as_id = team.hex if database.dialect == "sqlite" else team
            await connection.execute(text(insert), {"id": as_id})
            member = (
                "INSERT INTO organization_user (organization_id, user_id, role_id, created_by, updated_by)"
                " SELECT o.id, u.id, r.id, u.id, u.id FROM organization o, users u, roles r LIMIT 1"
            )
            await connection.execute(text(member))
            await connection.execute(text("DELETE FROM roles"))
    assert role.name
    assert await emails(database) == []


async def test_values_that_cannot_be_stored_are_refused(database, subtests):
    unfit = {"not a number": {"a": math.nan}, "infinite": {"a": [math.inf]}}
    if database.dialect == "postgresql":
        unfit |= {"NUL in JSON": {"a": "\0"}}
    for name, document in unfit.items():
        with subtests.test(name), pytest.raises(RequestError, match="cannot be stored"):
            async with database.session() as session:
                user = User(email=name)
                session.add(user)
                await session.flush()
                session.add(Workflow(user_id=user.id, name="w", flow_data=document))
    assert await emails(database) == []


async def test_the_longest_names_fit_and_longer_ones_do_not(database):
    await add(database, "a" * 255)
    if database.dialect == "postgresql":
        with pytest.raises(RequestError):
            await add(database, "b" * 256)


async def test_a_session_that_only_reads_cannot_write(database):
    with pytest.raises(StoreFull, match="may only be read"):
        async with database.session(read_only=True) as session:
            session.add(User(email="ann@x"))
    await add(database, "ben@x")
    assert await emails(database) == ["ben@x"]


async def test_too_many_sessions_at_a_time_are_told_to_try_again(database_settings):
    database = Database.of(
        database_settings.model_copy(
            update={"database_pool_size": 1, "database_max_overflow": 0, "database_pool_timeout": 0.1}
        )
    )
    async with database.session() as session:
        await session.exec(select(Role))
        with pytest.raises(StoreUnavailable, match="busy"):
            await add(database, "ann@x")
    await add(database, "ben@x")
    assert await emails(database) == ["ben@x"]
    await database.close()


# ---- several at a time -------------------------------------------------------------------------------


async def test_writers_that_read_first_lose_no_update(database):
    async with database.session() as session:
        user = User(email="ann@x")
        session.add(user)
        await session.flush()
        flow = Workflow(user_id=user.id, name="w", flow_data={}, version=0)
        session.add(flow)

    async def save():
        async with database.session() as session:
            row = (await session.exec(select(Workflow).with_for_update())).one()
            seen = row.version
            await session.exec(update(Workflow).where(col(Workflow.version) == seen).values(version=seen + 1))

    await asyncio.gather(*(save() for _ in range(40)))
    async with database.session() as session:
        assert (await session.exec(select(Workflow.version))).one() == 40


@only_sqlite
async def test_a_reader_does_not_wait_for_the_writer(database):
    async with database.session() as session:
        session.add(User(email="ann@x"))
        await session.flush()
        assert await asyncio.wait_for(emails(database), 5) == []


WRITER = """
import asyncio, sys
from bpaz_lab.settings import Settings
from bpaz_lab.store.database import Database
from bpaz_lab.store.tables import User

async def main(folder, name):
    database = Database.of(Settings(data_folder=folder))
    for number in range(25):
        async with database.session() as session:
            session.add(User(email=f"{name}-{number}@x"))

asyncio.run(main(*sys.argv[1:]))
"""  # which closes nothing, as programs that end do


async def program(source, *words):
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", source, *words)
    return await asyncio.wait_for(process.wait(), 60)


async def test_processes_share_a_new_file(tmp_path):
    """They start at the same time: one makes the tables, the others wait; then all write."""
    assert await asyncio.gather(*(program(WRITER, str(tmp_path), name) for name in "ab")) == [0, 0]
    database = Database.of(Settings(data_folder=str(tmp_path)))
    assert len(await emails(database)) == 50
    async with database.session() as session:
        assert (await session.exec(select(func.count()).select_from(Role))).one() == 3
    await database.close()


async def test_where_nobody_listens(tmp_path):
    settings = Settings(
        data_folder=str(tmp_path), database_url="postgresql://ann:canary-secret@127.0.0.1:1/nothing"
    )
    with pytest.raises(StoreUnavailable, match="Connection refused") as caught:
        await Database.of(settings).ping()
    assert "canary" not in f"{caught.value} {caught.value.hint}"
