from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from bpaz_lab.store import maintain
from bpaz_lab.store.stats import stats
from bpaz_lab.store.tables import LoginActivity
from bpaz_lab.store.tables.columns import utcnow
from tests.support.people import add

pytestmark = pytest.mark.unit


async def attempts(database, *ages):
    async with database.session() as session:
        session.add_all(
            [
                LoginActivity(
                    username=f"{age}",
                    activity_code=0,
                    message="",
                    attempted_at=utcnow() - timedelta(days=age),
                )
                for age in ages
            ]
        )


async def test_old_attempts_to_sign_in_are_forgotten(database, monkeypatch):
    monkeypatch.setattr(maintain, "_BATCH", 2)
    await attempts(database, 0, 89, 91, 92, 93, 400, 401)
    said = []
    done = await maintain.maintain(database, days=90, tell=said.append)
    assert done.login_activity == 5
    async with database.session() as session:
        assert set((await session.exec(select(LoginActivity.username))).all()) == {"0", "89"}
    assert said[-2:] == ["ANALYZE", "VACUUM"]


async def test_indexes_are_rebuilt_when_asked(database):
    done = await maintain.maintain(database)
    assert not any("REINDEX" in statement for statement in done.statements)
    done = await maintain.maintain(database, reindex=True)
    assert done.statements[0].startswith("REINDEX")


async def test_it_goes_on_after_others_have_read(database):
    async with database.session(read_only=True) as session:
        await session.exec(select(LoginActivity))
    await maintain.maintain(database, reindex=True)
    await add(database, "ann@x")


async def test_figures_name_tables_and_indexes(database):
    await add(database, "ann@x")
    await maintain.maintain(database)
    tables = {table.title: table for table in await stats(database)}
    assert any(row[0] == "users" for row in tables["Tables by rows"].rows)
    for table in tables.values():
        assert all(len(row) == len(table.columns) for row in table.rows)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_figures_of_postgres(database):
    tables = {table.title: table for table in await stats(database)}
    assert list(tables) == [
        "Slow queries",
        "Indexes by use",
        "Tables by rows",
        "Connections",
        "Transactions",
    ]
    assert "pg_stat_statements" in tables["Slow queries"].note
    assert any("idx_users_email" in row for row in tables["Indexes by use"].rows)
    assert any(row[0] == "bpaz_lab" for row in tables["Connections"].rows)


@pytest.fixture
def watched(postgres):
    """A Postgres that counts statements."""
    postgres.sql("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    postgres.stop()
    postgres.start()
    yield
    postgres.sql("ALTER SYSTEM RESET shared_preload_libraries")
    postgres.stop()
    postgres.start()


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_slow_queries_are_shown_where_they_are_counted(watched, database, postgres):
    postgres.sql("CREATE EXTENSION pg_stat_statements", database.url.database)
    await add(database, "canary@x")
    slow = next(table for table in await stats(database) if table.title == "Slow queries")
    assert slow.columns == ["calls", "total_ms", "mean_ms", "rows", "query"]
    assert any("INSERT INTO users" in row[-1] for row in slow.rows)
    assert "canary" not in str(slow.rows)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_figures_of_sqlite(database):
    (row,) = next(table for table in await stats(database) if table.title == "File").rows
    assert row[0].endswith("bpaz_lab.sqlite3")
    assert row[1] == "wal"
    assert row[2] > 0
