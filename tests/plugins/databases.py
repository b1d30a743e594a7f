"""Databases for tests: fresh and migrated, on SQLite and on a real Postgres.

``database`` runs a test once on each. ``database_settings`` gives just the settings that name it, for tests
that open it themselves. Mark a test with ``@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)``
to have it on one.
"""

from __future__ import annotations

import asyncio
import shutil

import pytest

# The product is imported when a test asks for it: a plugin is loaded before coverage looks.


@pytest.fixture(scope="session")
def postgres():
    """A real Postgres; the first test that asks starts it."""
    from tests.support.postgres import Postgres

    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_template(postgres):
    """The name of a migrated database to clone."""
    name = postgres.create()
    _migrate(postgres.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A migrated file to copy."""
    file = tmp_path_factory.mktemp("template") / "bpaz_lab.sqlite3"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request):
    """The kind of database."""
    return request.param


@pytest.fixture
def database_settings(dialect, request, tmp_path):
    """The settings of an installation whose database is fresh and migrated; its folder is ``tmp_path``."""
    from bpaz_lab.settings import Settings

    if dialect == "sqlite":
        file = tmp_path / "bpaz_lab.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield Settings(data_folder=str(tmp_path))
        return
    server = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield Settings(data_folder=str(tmp_path), database_url=server.url(name))
    server.drop(name)


@pytest.fixture
async def database(database_settings):
    """A database that is fresh, migrated and open."""
    from bpaz_lab.store.database import Database

    made = Database.of(database_settings)
    await made.start()
    yield made
    await made.close()


def _migrate(url):
    from bpaz_lab.settings import Settings
    from bpaz_lab.store import schema
    from bpaz_lab.store.database import Database

    async def work():
        made = Database.of(Settings(database_url=url))
        await made.migrate(schema.upgrade)
        await made.close()

    asyncio.run(work())
