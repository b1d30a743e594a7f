from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import time

import pytest

from bpaz_lab.errors import Conflict, StoreError, StoreUnavailable
from bpaz_lab.settings import Settings
from bpaz_lab.store import backup, schema
from bpaz_lab.store.database import Database
from tests.support.everything import fill, rows
from tests.support.people import add, emails

pytestmark = pytest.mark.unit

only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """The programs of Postgres are on the PATH."""
    from tests.support.postgres import BIN

    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def empty(dialect, request, tmp_path):
    """Another database of the same kind, without any table."""
    if dialect == "sqlite":
        yield Database.of(Settings(data_folder=str(tmp_path / "other")))
        return
    server = request.getfixturevalue("postgres")
    name = server.create()
    yield Database.of(Settings(data_folder=str(tmp_path / "other"), database_url=server.url(name)))
    server.drop(name)


async def test_a_backup_comes_back_row_for_row(database, empty):
    await fill(database)
    before = await rows(database)
    assert all(before.values()), "every table has a row"
    saved = await backup.back_up(database)
    await backup.restore(empty, saved)
    assert await rows(empty) == before
    assert await empty.migrate(schema.drift) == []
    with pytest.raises(StoreError):  # triggers are there again
        await run(empty, "DELETE FROM audit_log")
    await add(empty, "ben@x")
    await empty.close()


async def run(database, statement):
    from sqlalchemy import text

    async with database.session() as session:
        return await (await session.connection()).execute(text(statement))


async def test_a_backup_is_compressed_and_for_its_owner(database):
    await fill(database)
    await run(database, "UPDATE users SET credential = 'canary-' || substr('x', 1)")
    saved = await backup.back_up(database)
    assert saved.stat().st_mode & 0o777 == 0o600
    assert saved.parent.stat().st_mode & 0o777 == 0o700
    assert saved.parent == backup.folder(database)
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]
    assert b"canary-x" not in saved.read_bytes()


async def test_a_backup_is_of_one_moment(database, empty):
    """Two rows that are always written together come back together."""
    stop = asyncio.Event()

    async def write():
        number = 0
        while not stop.is_set():
            await add(database, f"a{number}@x", f"b{number}@x")
            number += 1
            await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    saved = await backup.back_up(database)
    stop.set()
    await writing
    await backup.restore(empty, saved)
    found = await emails(empty)
    assert len(found) % 2 == 0
    assert {name[1:] for name in found if name[0] == "a"} == {name[1:] for name in found if name[0] == "b"}
    assert set(found) <= set(await emails(database))
    await empty.close()


async def test_rows_are_not_overwritten_unless_it_is_said(database):
    await add(database, "ann@x")
    saved = await backup.back_up(database)
    await add(database, "ben@x")
    with pytest.raises(Conflict, match="2 rows") as caught:
        await backup.restore(database, saved)
    assert "--force" in caught.value.hint
    assert await emails(database) == ["ann@x", "ben@x"]
    await backup.restore(database, saved, force=True)
    assert await emails(database) == ["ann@x"]


async def test_a_fresh_database_counts_as_empty(database):
    saved = await backup.back_up(database)
    await backup.restore(database, saved)
    assert await emails(database) == []


async def test_what_is_no_backup_changes_nothing(database, tmp_path, subtests):
    await add(database, "ann@x")
    saved = await backup.back_up(database)
    whole = saved.read_bytes()
    wrong = {
        "not there": None,
        "empty": b"",
        "text": b"no backup at all",
        "cut off": whole[: len(whole) // 2],
        "another packed file": gzip.compress(b"something else"),
        "bits turned": whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :],
    }
    for name, content in wrong.items():
        file = tmp_path / "wrong"
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content)
        with subtests.test(name), pytest.raises(StoreError):
            await backup.restore(database, file, force=True)
    assert await emails(database) == ["ann@x"]
    await add(database, "ben@x")


@only_sqlite
async def test_a_damaged_copy_is_not_brought_back(database, tmp_path):
    await add(database, *(f"{number}@x" for number in range(500)))
    saved = await backup.back_up(database)
    pages = bytearray(gzip.decompress(saved.read_bytes()))
    pages[4096 * 3 : 4096 * 12] = os.urandom(4096 * 9)
    (tmp_path / "damaged.gz").write_bytes(gzip.compress(bytes(pages)))
    with pytest.raises(StoreError, match="damaged"):
        await backup.restore(database, tmp_path / "damaged.gz", force=True)
    assert len(await emails(database)) == 500


@only_sqlite
async def test_who_has_it_open_sees_what_was_restored(database):
    await add(database, "ann@x")
    saved = await backup.back_up(database)
    await add(database, "ben@x")
    async with database.session(read_only=True) as reading:
        await reading.connection()
    await backup.restore(database, saved, force=True)
    assert await emails(database) == ["ann@x"]
    await add(database, "carl@x")
    assert await emails(database) == ["ann@x", "carl@x"]


async def test_without_a_database_there_is_no_backup(tmp_path):
    with pytest.raises(StoreError, match="no database yet"):
        await backup.back_up(Database.of(Settings(data_folder=str(tmp_path))))
    away = Database.of(
        Settings(data_folder=str(tmp_path), database_url="postgresql://a:canary@127.0.0.1:1/x")
    )
    with pytest.raises(StoreError) as caught:
        await backup.back_up(away)
    assert "canary" not in str(caught.value)
    with pytest.raises(StoreUnavailable):
        await backup.restore(away, tmp_path / "x")
    assert list((tmp_path / "backups").iterdir()) == []


@only_postgres
async def test_missing_programs_are_named(database, monkeypatch, tmp_path):
    saved = await backup.back_up(database)
    monkeypatch.setenv("PATH", str(tmp_path))
    for work, program in (
        (backup.back_up(database), "pg_dump"),
        (backup.restore(database, saved), "pg_restore"),
    ):
        with pytest.raises(StoreError, match=program) as caught:
            await work
        assert "postgresql-client" in caught.value.hint


def test_old_backups_go_and_the_latest_stays(tmp_path):
    days = {"a.sqlite3.gz": 31, "b.dump": 40, "c.sqlite3.gz": 29, "notes.txt": 99, "mine.gz": 99}
    for name, age in days.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (then := time.time() - age * 86400, then))
    assert sorted(file.name for file in backup.prune(tmp_path)) == ["a.sqlite3.gz", "b.dump"]
    assert {file.name for file in tmp_path.iterdir()} == {"c.sqlite3.gz", "notes.txt", "mine.gz"}
    assert backup.prune(tmp_path, 1) == []
    shutil.rmtree(tmp_path)
