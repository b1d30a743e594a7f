from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from sqlalchemy import text

from bpaz_lab.errors import StoreFull, StoreUnavailable
from bpaz_lab.settings import Settings
from bpaz_lab.store import mounts
from bpaz_lab.store.address import file_of
from bpaz_lab.store.database import Database
from bpaz_lab.store.tables import User, Workflow
from tests.support.people import add, emails

# ruff: noqa: PT012 (what is raised comes at the end of a transaction)

pytestmark = pytest.mark.unit

only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


# ---- the file ----------------------------------------------------------------------------------------


WRITER = """
import asyncio, sys
from bpaz_lab.settings import Settings
from bpaz_lab.store.database import Database
from bpaz_lab.store.tables import User

async def main(folder):
    database = Database.of(Settings(data_folder=folder))
    number = 0
    while True:
        async with database.session() as session:
            session.add_all([User(email=f"a{number}@x"), User(email=f"b{number}@x")])
        print(number, flush=True)
        number += 1

asyncio.run(main(sys.argv[1]))
"""


async def test_what_a_killed_process_had_accepted_is_there_and_whole(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    for _ in range(20):
        await asyncio.wait_for(process.stdout.readline(), 60)
    process.kill()
    rest = await process.stdout.read()
    await process.wait()
    accepted = 20 + len(rest.splitlines())
    database = Database.of(Settings(data_folder=str(tmp_path)))
    found = await emails(database)
    assert {f"{half}{number}@x" for half in "ab" for number in range(accepted)} <= set(found)
    assert len(found) % 2 == 0
    assert await pragma(database, "integrity_check") == "ok"
    await database.close()


def mode(path):
    return path.stat().st_mode & 0o777


async def test_only_the_owner_may_read_the_file(tmp_path):
    folder = tmp_path / "deep" / "data"
    database = Database.of(Settings(data_folder=str(folder)))
    await add(database, "ann@x")
    assert mode(folder) == 0o700
    assert {mode(file) for file in folder.iterdir()} == {0o600}
    assert {"bpaz_lab.sqlite3", "bpaz_lab.sqlite3-wal"} <= {file.name for file in folder.iterdir()}
    await database.close()


async def test_modes_that_were_loosened_are_set_right(tmp_path):
    file = tmp_path / "bpaz_lab.sqlite3"
    file.touch(0o644)
    tmp_path.chmod(0o755)
    database = Database.of(Settings(data_folder=str(tmp_path)))
    await database.start()
    assert (mode(tmp_path), mode(file)) == (0o700, 0o600)
    await database.close()


async def test_a_folder_of_somebody_else_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    file = tmp_path / "mine.db"
    database = Database.of(Settings(data_folder=str(tmp_path / "data"), database_url=f"sqlite:///{file}"))
    await database.start()
    assert (mode(tmp_path), mode(file)) == (0o755, 0o600)
    await database.close()


async def pragma(database, name):
    async with database.session() as session:
        return (await (await session.connection()).execute(text(f"PRAGMA {name}"))).scalar_one()


@only_sqlite
async def test_sqlite_keeps_what_it_has_accepted(database):
    assert await pragma(database, "journal_mode") == "wal"
    assert await pragma(database, "synchronous") == 2  # FULL
    assert await pragma(database, "foreign_keys") == 1
    assert await pragma(database, "busy_timeout") == 10_000


@only_sqlite
async def test_a_large_value_leaves_no_large_log(database):
    file = file_of(database.url)
    log = file.with_name(f"{file.name}-wal")
    await add(database, "ann@x")
    async with database.session() as session:
        large = text("UPDATE users SET credential = hex(zeroblob(4000000))")
        await (await session.connection()).execute(large)
    assert log.stat().st_size > 8_000_000
    await add(database, "ben@x")
    assert log.stat().st_size <= 1 << 20


@only_sqlite
async def test_a_network_file_system_gets_the_rollback_journal(database, monkeypatch, tmp_path):
    await add(database, "ann@x")
    await database.close()
    here = mounts.kind(tmp_path, mounts.mounted())
    monkeypatch.setattr(mounts, "NETWORK", mounts.NETWORK | {here})  # as if this disk were far away
    moved = Database.of(database.settings)
    assert await pragma(moved, "journal_mode") == "delete"
    await add(moved, "ben@x")
    assert await emails(moved) == ["ann@x", "ben@x"]
    assert not (tmp_path / "bpaz_lab.sqlite3-wal").exists()
    await moved.close()


async def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "bpaz_lab.sqlite3").write_text(
        "certainly no database, but long enough to look like one " * 50
    )
    with pytest.raises(Exception, match="damaged") as caught:
        await Database.of(Settings(data_folder=str(tmp_path))).start()
    assert "restore" in caught.value.hint


async def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        await Database.of(Settings(data_folder=str(tmp_path / "file" / "data"))).start()


# ---- full, and read-only -----------------------------------------------------------------------------


@only_sqlite
async def test_a_full_disk_saves_nothing_by_half(database):
    await add(database, "ann@x")
    pages = await pragma(database, "page_count")
    async with database.session() as session:  # there is one connection that writes
        await (await session.connection()).execute(text(f"PRAGMA max_page_count = {pages + 1}"))
    with pytest.raises(StoreFull, match="full") as caught:
        async with database.session() as session:
            user = User(email="ben@x")
            session.add(user)
            await session.flush()
            session.add(Workflow(user_id=user.id, name="big", flow_data={"text": "x" * 100_000}))
    assert "room" in caught.value.hint
    assert await emails(database) == ["ann@x"]
    await database.close()
    await add(database, "carl@x")
    assert await pragma(database, "integrity_check") == "ok"


def mounted(*words):
    return subprocess.run(words, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mounted("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk):
        pytest.skip("only root may mount a small disk")
    yield disk
    assert mounted("umount", "-l", disk)


async def test_a_disk_that_runs_full_and_gets_room_again(small_disk):
    database = Database.of(Settings(data_folder=str(small_disk)))
    await add(database, "ann@x")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(StoreFull):
        async with database.session() as session:
            session.add_all([User(email=f"{number}@x", full_name="x" * 200) for number in range(2000)])
    assert await emails(database) == ["ann@x"]
    filler.unlink()
    await add(database, "ben@x")
    assert await emails(database) == ["ann@x", "ben@x"]
    await database.close()


async def test_a_disk_that_may_only_be_read(small_disk):
    database = Database.of(Settings(data_folder=str(small_disk)))
    await add(database, "ann@x")
    await database.close()
    assert mounted("mount", "-o", "remount,ro", small_disk)
    with pytest.raises(StoreFull):
        await add(database, "ben@x")
    await database.close()
    assert mounted("mount", "-o", "remount,rw", small_disk)
    await add(database, "carl@x")
    assert await emails(database) == ["ann@x", "carl@x"]
    await database.close()
