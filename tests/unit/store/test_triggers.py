from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import text

from bpaz_lab.errors import StoreError
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.tables import User, UserCredential

# ruff: noqa: S608 (the statements are those of the test)

pytestmark = pytest.mark.unit

OLD = "2020-01-01 00:00:00.000000"


async def run(database, statement):
    async with database.session() as session:
        return await (await session.connection()).execute(text(statement))


async def test_a_change_moves_updated_at(database):
    await run(
        database, f"INSERT INTO users (email, updated_at) VALUES ('ann@x', '{OLD}'), ('ben@x', '{OLD}')"
    )
    await run(database, "UPDATE users SET full_name = 'Ann' WHERE email = 'ann@x'")
    found = (await run(database, f"SELECT email FROM users WHERE updated_at > '{OLD}'")).scalars().all()
    assert found == ["ann@x"]


async def test_nobody_sets_updated_at_back(database):
    await run(database, "INSERT INTO users (email) VALUES ('ann@x')")
    await run(database, f"UPDATE users SET full_name = 'Ann', updated_at = '{OLD}'")
    assert (await run(database, f"SELECT count(*) FROM users WHERE updated_at > '{OLD}'")).scalar_one() == 1


async def test_to_use_a_credential_is_not_to_change_it(database):
    async with database.session() as session:
        user = User(email="ann@x")
        session.add(user)
        await session.flush()
        session.add(UserCredential(user_id=user.id, name="k", service_type="generic", encrypted_secret="x"))
    changed = "SELECT updated_at FROM user_credentials"
    before = (await run(database, changed)).scalar_one()
    await run(database, f"UPDATE user_credentials SET last_used_at = '{OLD}'")
    assert (await run(database, changed)).scalar_one() == before
    await run(database, "UPDATE user_credentials SET encrypted_secret = 'y'")
    assert (await run(database, changed)).scalar_one() > before


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_what_the_database_makes_looks_like_what_the_product_makes(database):
    """SQLite compares ids and moments as texts."""
    await run(database, "INSERT INTO users (email) VALUES ('ann@x')")
    async with database.session() as session:
        session.add(User(email="ben@x"))
    looks = await run(
        database, "SELECT typeof(id), length(id), length(created_at), length(updated_at) FROM users"
    )
    assert len(set(looks.all())) == 1


@pytest.fixture
async def entry(database):
    async with database.session() as session:
        await audit.record(
            session, Caller(uuid4(), "ann"), "workflow.delete", "workflow", "w1", details={"name": "Private"}
        )
    return "WHERE object_id = 'w1'"


FORBIDDEN = {
    "another action": "UPDATE audit_log SET action = 'workflow.read'",
    "another outcome": "UPDATE audit_log SET outcome = 'refused', actor = 'erased', user_id = NULL",
    "another actor": "UPDATE audit_log SET actor = 'ben'",
    "another time": f"UPDATE audit_log SET created_at = '{OLD}', actor = 'erased'",
    "other details": "UPDATE audit_log SET actor = 'erased', details = '{}'",
    "forgotten by half": "UPDATE audit_log SET actor = 'erased', details = NULL",
    "deleted": "DELETE FROM audit_log",
}


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN)
async def test_an_entry_of_the_audit_log_stays(database, entry, statement):
    with pytest.raises(StoreError, match="refuses"):
        await run(database, statement)
    assert (await run(database, "SELECT actor FROM audit_log")).scalars().all() == ["ann"]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_the_audit_log_cannot_be_emptied(database, entry):
    with pytest.raises(StoreError, match="refuses"):
        await run(database, "TRUNCATE audit_log")


async def test_a_person_can_be_forgotten(database, entry):
    await run(database, f"UPDATE audit_log SET actor = 'erased', user_id = NULL, details = NULL {entry}")
    kept = "SELECT actor, user_id, action, details FROM audit_log"
    assert (await run(database, kept)).all() == [("erased", None, "workflow.delete", None)]
