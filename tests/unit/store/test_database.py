from __future__ import annotations

import pytest
from sqlmodel import select

from bpaz_lab.store import schema
from bpaz_lab.store.tables import Role, User

pytestmark = pytest.mark.unit


async def test_what_a_session_writes_is_there_for_the_next(database):
    async with database.session() as session:
        session.add(User(email="ann@example.org"))
    async with database.session() as session:
        assert (await session.exec(select(User.email))).all() == ["ann@example.org"]
        assert len((await session.exec(select(Role))).all()) == 3


async def test_drift(database):
    assert await database.migrate(schema.drift) == []
