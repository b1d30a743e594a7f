from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic_core import to_json
from sqlmodel import SQLModel, select

from bpaz_lab.errors import Conflict, Forbidden, InputError, Throttled, Unauthenticated
from bpaz_lab.services import auth, profile, users
from bpaz_lab.services.identities import authenticate, on_behalf, owner
from bpaz_lab.store.repositories import audit, personal
from bpaz_lab.store.tables import (
    AuditLog,
    AuthSession,
    ChatMessage,
    DataKey,
    ExecutionCheckpoint,
    ExecutionEvent,
    ExecutionStep,
    LoginActivity,
    LoginMethod,
    Organization,
    OrganizationUser,
    StepPart,
    User,
    UserCredential,
    ValuePart,
    Workflow,
    WorkflowExecution,
    WorkflowTemplate,
    WorkflowVersion,
)
from bpaz_lab.store.tables.columns import utcnow
from bpaz_lab.vault.vault import Place
from tests.plugins.accounts import PASSWORD

pytestmark = [pytest.mark.integration, pytest.mark.auth]

# What does not hang on the kind of database is tried on one.
sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
NEW = "another walk, in the sun"


async def signed_in(house, name, password=PASSWORD):
    body = auth.SignIn(email=f"{name}@example.org", password=password)
    token = (await auth.sign_in(house.call(), body)).value.access_token
    return await authenticate(house.lab, token)


async def change(house, caller, **changes):
    return await profile.update_profile(house.call(caller), profile.ProfileChange(**changes))


@sqlite
async def test_a_profile_says_who_one_is_and_what_one_may_do(house):
    ada = await house.person("ada", "viewer")
    place = await house.organization("Lab", (ada, "user"))
    told = await profile.read_profile(house.call(await house.again(ada)))
    assert told.email == "ada@example.org"
    assert told.permissions == ["execute_public_workflows", "view_workflows"]
    assert [(each.id, each.name) for each in told.organizations] == [(place, "Lab")]
    assert "create_workflow" in told.organizations[0].permissions


async def test_a_new_password_ends_the_other_logins_and_not_this_one(house):
    await house.person("ada")
    here, there = await signed_in(house, "ada"), await signed_in(house, "ada")
    await change(house, here, password=NEW, current_password=PASSWORD)
    logins = {row.id: row.revoked_at for row in await house.rows(AuthSession)}
    assert logins[here.session_id] is None
    assert logins[there.session_id] is not None
    with pytest.raises(Unauthenticated):
        await signed_in(house, "ada")
    assert (await signed_in(house, "ada", NEW)).user_id == here.user_id


@pytest.mark.parametrize("changes", [{"password": NEW}, {"email": "eve@example.org"}])
@sqlite
async def test_address_and_password_take_the_current_password(house, changes):
    await house.person("ada")
    caller = await signed_in(house, "ada")
    for given in ("", "not the password"):
        with pytest.raises(InputError) as caught:
            await change(house, caller, **changes, current_password=given)
        assert caught.value.path == "body.current_password"
    made = {"username": "ada@example.org", "activity_code": -2, "message": "", "attempted_at": utcnow()}
    await house.add(*[LoginActivity(**made) for _ in range(10)])
    with pytest.raises(Throttled):
        await change(house, caller, **changes, current_password=PASSWORD)
    assert (await house.rows(User))[0].email == "ada@example.org"


@sqlite
async def test_a_new_address_takes_the_attempts_along(house):
    await house.person("ada")
    await house.person("bob")
    caller = await signed_in(house, "ada")
    with pytest.raises(Conflict):
        await change(house, caller, email="bob@example.org", current_password=PASSWORD)
    told = await change(house, caller, email="Lovelace@example.org", current_password=PASSWORD)
    assert told.email == "lovelace@example.org"
    assert {row.username for row in await house.rows(LoginActivity)} == {"lovelace@example.org"}


@sqlite
async def test_a_name_is_changed_by_its_owner_alone(house):
    ada = await house.person("ada")
    assert (await change(house, ada, full_name="Ada")).full_name == "Ada"
    kernel = await on_behalf(house.lab, ada.user_id, "k1")
    assert (await profile.read_profile(house.call(kernel))).full_name == "Ada"
    with pytest.raises(Forbidden):
        await change(house, kernel, full_name="Eve")
    with pytest.raises(Forbidden):
        await profile.erase_profile(house.call(kernel), profile.Erasure(current_password=PASSWORD))


@sqlite
async def test_a_change_that_fails_leaves_no_trace_in_the_audit_log(house):
    await house.person("bob")
    await house.person("ada")
    caller = await signed_in(house, "ada")
    with pytest.raises(Conflict):
        await change(house, caller, email="bob@example.org", full_name="x", current_password=PASSWORD)
    assert not await house.rows(AuditLog, action="profile.update")
    assert (await house.rows(User, email="ada@example.org"))[0].full_name is None


@sqlite
async def test_the_owner_has_a_name_and_no_password(cottage):
    caller = await owner(cottage.lab)
    assert (await change(cottage, caller, full_name="Ada")).full_name == "Ada"
    assert (await profile.read_profile(cottage.call(await owner(cottage.lab)))).full_name == "Ada"
    with pytest.raises(Forbidden, match="no password"):
        await change(cottage, caller, password=NEW)


# ---- to take away, and to leave nothing behind -----------------------------------------------------------

CANARY = "sk-canary-1234567890"


async def full(house, caller, heir=None):
    """A row of the person in every table; gives the id of the workflow that is shared."""
    me = caller.user_id
    workflow = Workflow(user_id=me, name="mine", flow_data={})
    run = WorkflowExecution(workflow_id=workflow.id, user_id=me, inputs={"q": "mine"})
    organization = Organization(name="Lab", admin_user_id=me)
    shared = Workflow(user_id=me, name="shared", flow_data={}, organization_id=organization.id)
    await house.add(
        workflow,
        WorkflowVersion(workflow_id=workflow.id, version=1, user_id=me, name="mine", flow_data={}),
        WorkflowTemplate(user_id=me, name="mine", flow_data={}),
        run,
        ExecutionEvent(execution_id=run.id, seq=0, type="run.started", data={}),
        ExecutionCheckpoint(execution_id=run.id, checkpoint_data={}),
        ExecutionStep(
            execution_id=run.id, address="split", state="done", effect="pure", parts=["mine"], size=2,
            epoch=1, began=0.0, ended=1.0, digest="", data=b"\x00\xff",
        ),
        ValuePart(user_id=me, digest="mine", size=2, data=b"\x00\xff"),
        StepPart(execution_id=run.id, digest="mine"),
        ChatMessage(role="user", chatflow_id=workflow.id, content="mine", user_id=me),
        organization,
        shared,
        LoginMethod(organization_id=organization.id, name="oidc", config="{}", created_by=me, updated_by=me),
    )  # fmt: skip
    async with house.lab.database.session() as session:
        from bpaz_lab.store.repositories.roles import Roles

        role = (await Roles(session, caller).named("admin")).id
        made = {"organization_id": organization.id, "role_id": role, "created_by": me, "updated_by": me}
        for user_id in (me, *([heir.user_id] if heir else [])):
            session.add(OrganizationUser(user_id=user_id, **made))
            await session.flush()
        credential = UserCredential(user_id=me, name="key", service_type="openai", encrypted_secret="")
        place = Place("user_credentials", credential.id, "openai", user_id=me)
        credential.encrypted_secret = await house.lab.vault.lock(session, place, {"api_key": CANARY})
        session.add(credential)
        await audit.record(
            session, caller, "credential.create", "credential", credential.id, details={"n": 1}
        )
    return shared.id


async def exported(house, caller):
    answer = await profile.export_profile(house.call(caller))
    return answer.value.tables


async def test_an_export_has_all_that_is_kept_and_no_secret(house):
    await house.person("ada")
    ada, bob = await signed_in(house, "ada"), await house.person("bob")
    await full(house, ada)
    await full(house, bob)
    tables = await exported(house, ada)
    empty = {name for name, rows in tables.items() if not rows}
    assert not empty
    assert tables.keys() == SQLModel.metadata.tables.keys() - {"roles", "organization", "login_method"}
    told = to_json(tables).decode()
    assert str(bob.user_id) not in told
    assert "bob" not in told
    async with house.lab.database.session() as session:
        for table in SQLModel.metadata.sorted_tables:
            for column in table.columns:
                if column.name in personal.SECRET:
                    kept = (await session.exec(select(column))).all()
                    assert not [each for each in kept if each and len(each) > 2 and each in told]
    assert CANARY not in told
    assert len(tables["users"]) == 1
    assert "password_hash" not in tables["users"][0]


def test_every_table_with_a_person_in_it_is_exported():
    """A new table is found by its columns; one that names people in another way has to be looked at."""
    looked_at = {"organization", "login_method"}  # they name who made them; the person's part is not theirs
    somebody = User(email="ada@example.org")
    for table in SQLModel.metadata.sorted_tables:
        names_people = any(key.column.table.name == "users" for key in table.foreign_keys)
        if names_people and table.name not in looked_at:
            assert personal.belonging(table, somebody) is not None, table.name


async def traces(house, *needles):
    """Where in the whole database one of these texts stands, as table.column."""
    found = set()
    async with house.lab.database.session(read_only=True) as session:
        for table in SQLModel.metadata.sorted_tables:
            for row in (await (await session.connection()).execute(select(table))).mappings():
                for name, value in row.items():
                    text = to_json(value, bytes_mode="base64").decode()
                    if any(needle in text for needle in needles):
                        found.add(f"{table.name}.{name}")
    return found


@pytest.mark.parametrize("by", ["oneself", "administrator"])
async def test_who_is_erased_leaves_no_trace(house, by):
    root = await house.person("root", "admin")
    await house.person("ada")
    ada = await signed_in(house, "ada")
    await full(house, ada)
    assert len(await traces(house, str(ada.user_id), "ada@example.org", "mine")) > 20
    if by == "oneself":
        erasure = profile.Erasure(current_password=PASSWORD)
        await profile.erase_profile(house.call(ada), erasure)
    else:
        await users.erase_user(house.call(root), ada.user_id)
    # The log keeps what was done to what; nobody can tell any more whose id that was.
    assert await traces(house, str(ada.user_id), "ada@example.org", "mine") == {"audit_log.object_id"}
    assert not await house.rows(DataKey)
    told = {(row.action, row.actor, row.user_id, row.details) for row in await house.rows(AuditLog)}
    doer = ("erased", None) if by == "oneself" else ("root@example.org", root.user_id)
    assert told == {
        ("session.open", "erased", None, None),
        ("credential.create", "erased", None, None),
        ("user.erase", *doer, None),
    }
    assert await house.again(ada) is None
    with pytest.raises(Unauthenticated):
        await signed_in(house, "ada")
    assert [row.name for row in await house.rows(Organization)] == ["Lab"]
    assert [row.admin_user_id for row in await house.rows(Organization)] == [None]


async def test_an_organization_goes_on_under_its_next_administrator(house):
    await house.person("root", "admin")
    ada, bob = await house.person("ada"), await house.person("bob")
    shared = await full(house, ada, heir=bob)
    await profile.erase_profile(house.call(ada), profile.Erasure(current_password=PASSWORD))
    assert [row.admin_user_id for row in await house.rows(Organization)] == [bob.user_id]
    assert [(row.id, row.user_id) for row in await house.rows(Workflow)] == [(shared, bob.user_id)]
    member = (await house.rows(OrganizationUser))[0]
    assert (member.user_id, member.created_by, member.updated_by) == (bob.user_id, bob.user_id, bob.user_id)


async def test_what_others_have_stays(house):
    await house.person("root", "admin")
    ada, bob = await house.person("ada"), await house.person("bob")
    await full(house, bob)
    before = await counts(house)
    await full(house, ada)
    await profile.erase_profile(house.call(ada), profile.Erasure(current_password=PASSWORD))
    # Added is what is kept of the two things that ada did; taken away is ada.
    # Nobody administers ada's organization any more; it is there still, with its way in.
    changed = {"users": before["users"] - 1, "audit_log": before["audit_log"] + 2}
    changed |= {name: before[name] + 1 for name in ("organization", "login_method")}
    assert await counts(house) == before | changed
    assert before["workflows"] == 2


async def counts(house):
    """How many rows each table has."""
    async with house.lab.database.session(read_only=True) as session:
        connection = await session.connection()
        return {
            table.name: len((await connection.execute(select(table))).all())
            for table in SQLModel.metadata.sorted_tables
        }


@sqlite
async def test_erasing_oneself_takes_the_password_and_is_not_for_the_last_administrator(house):
    root = await house.person("root", "admin")
    with pytest.raises(InputError):
        await profile.erase_profile(house.call(root), profile.Erasure())
    with pytest.raises(Conflict, match="only administrator"):
        await profile.erase_profile(house.call(root), profile.Erasure(current_password=PASSWORD))
    assert await house.again(root) is not None


@sqlite
async def test_an_owner_who_is_erased_begins_anew(cottage):
    first = await owner(cottage.lab)
    await full(cottage, first)
    await profile.erase_profile(cottage.call(first), profile.Erasure())
    second = await owner(cottage.lab)
    assert second.user_id != first.user_id
    assert not await cottage.rows(UserCredential)


@sqlite
async def test_attempts_of_the_future_do_not_lock_out(house):
    """A server whose clock ran ahead must not throttle for ever."""
    await house.person("ada")
    await house.add(
        *[
            LoginActivity(
                username="ada@example.org",
                activity_code=-2,
                message="",
                attempted_at=utcnow() + timedelta(hours=3),
            )
            for _ in range(9)
        ]
    )
    with pytest.raises(Throttled) as caught:
        await signed_in(house, "ada")
    assert caught.value.retry_after == 16
