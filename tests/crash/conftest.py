"""What crash tests share: a witness, and worlds on each kind of database."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="module")
def witness(tmp_path_factory):
    """The world outside; see ``effects.py``."""
    from tests.support.effects import Effects

    made = Effects(tmp_path_factory.mktemp("witness") / "log.jsonl")
    yield made
    made.close()


@pytest.fixture(scope="module")
def on_sqlite(sqlite_template, witness, tmp_path_factory):
    """A world on a SQLite file of its own."""
    from tests.support.crash import World

    folder = tmp_path_factory.mktemp("world")
    shutil.copy(sqlite_template, folder / "bpaz_lab.sqlite3")
    return World({"data_folder": str(folder)}, witness)


@pytest.fixture(scope="module")
def on_postgres(postgres, postgres_template, witness, tmp_path_factory):
    """A world on a database of its own in the Postgres of these tests."""
    from tests.support.crash import World

    name = postgres.create(postgres_template)
    folder = tmp_path_factory.mktemp("world")
    yield World({"data_folder": str(folder), "database_url": postgres.url(name)}, witness)
    postgres.drop(name)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def world(request):
    """A world, once on each kind of database."""
    return request.getfixturevalue(f"on_{request.param}")
