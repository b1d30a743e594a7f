"""Workflows in the database; ``tests/unit/services/test_workflows.py`` has who may do what with them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import event, text

from bpaz_lab.errors import NotFound
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories.versions import Versions
from bpaz_lab.store.repositories.workflows import Workflows
from bpaz_lab.store.tables import Organization, User, Workflow

pytestmark = pytest.mark.integration

INDEXES = {
    "mine": {"idx_workflows_user_updated"},
    "shared": {"idx_workflows_organization_updated"},
    "public": {"idx_workflows_public_updated"},
}
INDEXES["all"] = set().union(*INDEXES.values())


@pytest.fixture
async def caller(database):
    async with database.session() as session:
        user, team = User(full_name="Ann"), Organization(name="team")
        session.add_all([user, team])
        await session.flush()
        return Caller(user.id, "Ann", frozenset({"create_workflow"}), {team.id: frozenset()})


async def added(database, caller, **columns):
    row = Workflow(user_id=caller.user_id, name="Notes", flow_data={"bpaz": 1, "name": "Notes"}, **columns)
    async with database.session() as session:
        return await Workflows(session, caller).add(row, "begun")


async def test_the_first_version_is_kept_with_the_workflow(database, caller):
    row = await added(database, caller)
    async with database.session(read_only=True) as session:
        first = await Workflows(session, caller).version(row.id, 1)
        assert (first.message, first.flow_data, first.user_id) == ("begun", row.flow_data, caller.user_id)
        with pytest.raises(NotFound):
            await Workflows(session, caller).version(row.id, 2)
        with pytest.raises(NotFound):
            await Workflows(session, Caller(uuid4())).version(row.id, 1)


async def test_a_save_of_another_version_changes_nothing(database, caller):
    row = await added(database, caller)
    async with database.session() as session:
        assert await Workflows(session, caller).save(row.id, 2, {"name": "Other"}) is None
        assert await Workflows(session, Caller(uuid4())).save(row.id, 1, {"name": "Other"}) is None
        saved = await Workflows(session, caller).save(row.id, 1, {"name": "Mine"}, "why")
        assert (saved.name, saved.version) == ("Mine", 2)
        assert (await Versions(session, caller).saved_by(row.id, 2)).saved_by == "Ann"
    async with database.session(read_only=True) as session:
        found = await Versions(session, caller).page(row.id, sort="-version", limit=9, cursor="")
        assert [(each.version, each.message) for each in found.items] == [(2, "why"), (1, "begun")]


async def test_a_workflow_without_a_version_is_at_the_first(database, caller):
    row = await added(database, caller)
    async with database.session() as session:
        await session.exec(text("UPDATE workflows SET version = NULL"))
        assert (await Workflows(session, caller).save(row.id, 1, {"name": "Mine"})).version == 2


@pytest.mark.parametrize("scope", list(INDEXES))
async def test_every_page_is_looked_up_by_an_index(database, caller, scope):
    """Otherwise a page of 100,000 workflows takes as long as reading them all."""
    for number in range(6):
        await added(
            database,
            caller,
            is_public=True,
            organization_id=next(iter(caller.organizations)),
            description=str(number),
        )
    heard = []

    def hear(_connection, _cursor, statement, parameters, _context, _many):
        heard.append((statement, parameters))

    async with database.session() as session:
        connection = await session.connection()
        event.listen(connection.sync_connection, "before_cursor_execute", hear)
        first = await Workflows(session, caller).page(scope=scope, sort="-updated_at", limit=2, cursor="")
        heard.clear()
        await Workflows(session, caller).page(scope=scope, sort="-updated_at", limit=2, cursor=first.next)
        ((statement, parameters),) = heard
        if database.dialect == "postgresql":  # which reads a small table whole, unless it is told not to
            for kind in ("seqscan", "bitmapscan", "sort"):
                await connection.exec_driver_sql(f"SET LOCAL enable_{kind} = off")
        explain = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
        rows = (await connection.exec_driver_sql(explain + statement, parameters)).all()
    plan = "\n".join(str(row) for row in rows)
    assert all(index in plan for index in INDEXES[scope]), plan
    assert "SCAN workflows'" not in plan
    assert "Seq Scan on workflows" not in plan
