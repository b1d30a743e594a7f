from __future__ import annotations

from uuid import uuid4

import pytest
from sqlmodel import select

from bpaz_lab.store.caller import Caller
from bpaz_lab.store.tables import Organization, User, UserCredential, Workflow, WorkflowTemplate
from bpaz_lab.store.visible import visible

pytestmark = pytest.mark.unit


@pytest.fixture
async def people(database):
    async with database.session() as session:
        ann, ben = User(full_name="Ann"), User(full_name="Ben")
        team, other = Organization(name="Team"), Organization(name="Other")
        session.add_all([ann, ben, team, other])
        await session.flush()
        session.add_all(
            [
                Workflow(user_id=ann.id, name="own", flow_data={}),
                Workflow(user_id=ben.id, name="private", flow_data={}),
                Workflow(user_id=ben.id, name="public", is_public=True, flow_data={}),
                Workflow(user_id=ben.id, name="shared", organization_id=team.id, flow_data={}),
                Workflow(user_id=ben.id, name="elsewhere", organization_id=other.id, flow_data={}),
                WorkflowTemplate(user_id=ben.id, name="private", flow_data={}),
                WorkflowTemplate(user_id=ben.id, name="published", is_published=True, flow_data={}),
                UserCredential(user_id=ann.id, name="own", service_type="generic", encrypted_secret="x"),
                UserCredential(user_id=ben.id, name="private", service_type="generic", encrypted_secret="x"),
            ]
        )
    return ann, team


async def names(database, table, caller):
    async with database.session(read_only=True) as session:
        return set((await session.exec(select(table.name).where(visible(table, caller)))).all())


async def test_own_shared_and_public_rows_are_seen(database, people):
    ann, team = people
    member = Caller(ann.id, "ann", organizations={team.id: frozenset()})
    assert await names(database, Workflow, member) == {"own", "public", "shared"}
    assert await names(database, Workflow, Caller(ann.id, "ann")) == {"own", "public"}
    assert await names(database, Workflow, Caller(uuid4(), "carl")) == {"public"}


async def test_permissions_open_nobody_elses_rows(database, people):
    admin = Caller(uuid4(), "root", frozenset({"all"}))
    assert await names(database, Workflow, admin) == {"public"}
    assert await names(database, UserCredential, admin) == set()


async def test_what_is_neither_shared_nor_public_is_for_its_owner(database, people):
    ann, team = people
    member = Caller(ann.id, "ann", organizations={team.id: frozenset({"all"})})
    assert await names(database, UserCredential, member) == {"own"}
    assert await names(database, WorkflowTemplate, member) == {"published"}


async def test_nobody_sees_nothing(database, people):
    for table in (Workflow, WorkflowTemplate, UserCredential):
        assert await names(database, table, Caller()) == set()
