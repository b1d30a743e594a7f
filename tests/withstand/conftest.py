"""Installations to attack, on each kind of database; one for each file of tests."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request):
    """The settings that name a fresh database of each kind."""
    yield from _named(request)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def kept_mostly(request):
    """The same, on Postgres at full length alone: for what does not hang on the database."""
    yield from _named(request)


def _named(request):
    if request.param == "sqlite":
        yield {}
        return
    server = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield {"database_url": server.url(name)}
    server.drop(name)
