from __future__ import annotations

import asyncio
import sqlite3

import pytest
from sqlalchemy import text
from sqlmodel import select

from bpaz_lab.errors import SchemaOutdated, StoreError
from bpaz_lab.settings import Settings
from bpaz_lab.store import schema, sqlite_copy
from bpaz_lab.store.database import Database
from bpaz_lab.store.tables import User, Workflow
from tests.support.people import add, emails

pytestmark = pytest.mark.unit

only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)

NEXT = """
import sqlalchemy as sa
from alembic import op
from bpaz_lab.store.migrations import updated_at

revision, down_revision = "next", "0001"

def upgrade():
    with op.batch_alter_table("users") as users:  # which rebuilds the table in SQLite
        users.add_column(sa.Column("nickname", sa.String(50)))
        users.alter_column("full_name", new_column_name="name")
    if op.get_context().dialect.name == "sqlite":
        updated_at.add("users")
    {}

def downgrade():
    pass
"""


LEFT_SQLITE = "SELECT name FROM sqlite_master WHERE name NOT LIKE '%alembic_version%'"
LEFT_POSTGRES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ '^alembic_version'
    UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture
def later(tmp_path, monkeypatch):
    """A version of bpaz_lab that knows one migration more."""
    places = list(schema.PLACES)

    def comes(ending="pass"):
        folder = tmp_path / "later"
        folder.mkdir(exist_ok=True)
        (folder / "next.py").write_text(NEXT.format(ending))
        monkeypatch.setattr(schema, "PLACES", [*places, str(folder)])

    def goes():
        monkeypatch.setattr(schema, "PLACES", places)

    comes.goes = goes
    return comes


async def run(database, statement):
    async with database.session() as session:
        return await (await session.connection()).execute(text(statement))


async def columns(database):
    return set((await run(database, "SELECT * FROM users")).keys())


# ---- drift -----------------------------------------------------------------------------------------


async def test_tables_of_code_and_database_do_not_differ(database):
    assert await database.migrate(schema.drift) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE TABLE lonely (id INTEGER PRIMARY KEY)", "lonely"),
        ("ALTER TABLE users ADD COLUMN lonely TEXT", "lonely"),
        ("DROP INDEX idx_users_email", "idx_users_email"),
        ("ALTER TABLE chat_message DROP COLUMN sources", "sources"),
    ],
)
async def test_what_differs_is_told(database, statement, said):
    await run(database, statement)
    (found,) = await database.migrate(schema.drift)
    assert said in found


@only_postgres
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE users ALTER COLUMN email TYPE VARCHAR(100)",
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        "ALTER TABLE users ALTER COLUMN status SET DEFAULT 'asleep'",
        "ALTER TABLE users ALTER COLUMN status DROP DEFAULT",
        "ALTER TABLE workflows DROP CONSTRAINT workflows_user_id_fkey",
        "DROP INDEX idx_workflows_flow_data_gin",
    ],
)
async def test_finer_differences_are_told_too(database, statement):
    await run(database, statement)
    assert len(await database.migrate(schema.drift)) == 1


# ---- versions --------------------------------------------------------------------------------------


async def test_down_to_nothing_and_up_again(database):
    await database.migrate(lambda connection: schema.downgrade(connection, "base"))
    assert await database.migrate(schema.state) == "empty"
    left = LEFT_SQLITE if database.dialect == "sqlite" else LEFT_POSTGRES
    assert (await run(database, left)).all() == []
    await database.migrate(schema.upgrade)
    assert await database.migrate(schema.state) == "current"
    assert await database.migrate(schema.drift) == []


async def test_a_version_that_is_none_is_named(database):
    with pytest.raises(StoreError, match="nowhere"):
        await database.migrate(lambda connection: schema.upgrade(connection, "nowhere"))


@only_sqlite
async def test_sqlite_backs_itself_up_and_upgrades_itself(database, later, tmp_path):
    async with database.session() as session:
        user = User(email="ann@x")
        session.add(user)
        await session.flush()
        session.add(Workflow(user_id=user.id, name="kept", flow_data={"a": 1}))
    await database.close()
    later()
    again = Database.of(database.settings)
    await again.start()
    assert {"nickname", "name"} <= await columns(again)
    async with again.session() as session:  # rebuilding users takes nothing along that hangs on it
        assert (await session.exec(select(Workflow.name))).all() == ["kept"]
    await again.close()
    (saved,) = (tmp_path / "backups").iterdir()
    assert saved.stat().st_mode & 0o777 == 0o600
    old = tmp_path / "old.db"
    old.touch()
    sqlite_copy.unpack(saved, old)
    connection = sqlite3.connect(old)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    assert connection.execute("SELECT email, full_name FROM users").fetchall() == [("ann@x", None)]
    connection.close()


@only_sqlite
async def test_no_backup_where_nothing_is_changed(database, tmp_path):
    await database.close()
    await database.start()
    assert not (tmp_path / "backups").exists()


async def test_a_migration_that_fails_changes_nothing(database, later):
    await add(database, "ann@x")
    before = await columns(database)
    later("op.execute('SELECT * FROM nowhere')")
    with pytest.raises(StoreError):
        await database.migrate(schema.upgrade)
    assert await columns(database) == before
    assert await database.migrate(schema.current) == "0001"
    assert await emails(database) == ["ann@x"]


@only_sqlite
async def test_a_migration_that_loses_references_changes_nothing(database, later):
    async with database.session() as session:
        user = User(email="ann@x")
        session.add(user)
        await session.flush()
        session.add(Workflow(user_id=user.id, name="kept", flow_data={}))
    later("op.execute('DELETE FROM users')")
    with pytest.raises(StoreError, match="rows that are gone"):
        await database.migrate(schema.upgrade)
    assert await emails(database) == ["ann@x"]


async def test_a_newer_database_is_refused(database, later):
    later()
    await database.migrate(schema.upgrade)
    await database.close()
    later.goes()
    old = Database.of(database.settings)
    for work in (
        old.start,
        old.ping,
        lambda: old.migrate(schema.upgrade),
        lambda: old.migrate(schema.downgrade),
    ):
        with pytest.raises(SchemaOutdated, match="newer") as caught:
            await work()
        assert "pip install --upgrade" in caught.value.hint
    await old.close()


@only_postgres
async def test_an_older_postgres_is_refused_until_it_is_upgraded(database, later):
    await database.close()
    later()
    again = Database.of(database.settings)
    with pytest.raises(SchemaOutdated, match="older") as caught:
        await again.start()
    assert "bpaz db upgrade" in caught.value.hint
    with pytest.raises(SchemaOutdated):
        await again.ping()
    await again.migrate(schema.upgrade)
    await again.ping()
    assert "nickname" in await columns(again)
    await again.close()


async def test_an_empty_postgres_is_refused(postgres):
    name = postgres.create()
    database = Database.of(Settings(database_url=postgres.url(name)))
    with pytest.raises(SchemaOutdated, match="no tables yet"):
        await database.start()
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == [(0,)]
    await database.close()
    postgres.drop(name)


async def test_two_that_upgrade_at_once_do_not_meet(postgres):
    name = postgres.create()
    both = [Database.of(Settings(database_url=postgres.url(name))) for _ in range(2)]
    await asyncio.gather(*(each.migrate(schema.upgrade) for each in both))
    for each in both:
        await each.ping()
        await each.close()
    postgres.drop(name)


def test_versions_follow_each_other():
    numbers = [version for version, _ in schema.history()]
    assert numbers == sorted(numbers, reverse=True)
    assert schema.head() == numbers[0]
    assert all(brings.strip() for _, brings in schema.history())
