"""Organisations, their members, their login methods, and roles: who sees and changes what."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest

from bpaz_lab.errors import Conflict, Forbidden, NotFound, Unauthenticated
from bpaz_lab.services import login_methods, members, organizations, roles, users
from bpaz_lab.services.identities import on_behalf, owner
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.tables import (
    AuditLog,
    DataKey,
    LoginMethod,
    Organization,
    OrganizationUser,
    Role,
    Workflow,
)
from bpaz_lab.vault.vault import Place

pytestmark = [pytest.mark.integration, pytest.mark.auth]

# What does not hang on the kind of database is tried on one.
sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
CANARY = "oidc-canary-0987654321"


async def joined(house, caller, place, name, **given):
    body = members.MemberMade(email=f"{name}@example.org", **given)
    return await members.create_member(house.call(caller), place, body)


async def names(house, caller, *, own):
    ask = organizations.list_own_organizations if own else organizations.list_organizations
    query = organizations.OrganizationQuery(sort="name")
    return [each.name for each in (await ask(house.call(caller), query)).items]


@sqlite
async def test_an_administrator_makes_an_organization_and_is_its_first_member(house):
    root = await house.person("root", "admin")
    body = organizations.OrganizationMade(name="Lab", organization_type="university")
    made = await organizations.create_organization(house.call(root), body)
    assert (made.name, made.admin_user_id) == ("Lab", root.user_id)
    assert (await house.again(root)).organizations == {made.id: {"all"}}
    changed = await organizations.update_organization(
        house.call(root), made.id, organizations.OrganizationChange(name="New", organization_type=None)
    )
    assert (changed.name, changed.organization_type) == ("New", None)
    await organizations.delete_organization(house.call(root), made.id)
    assert not await house.rows(OrganizationUser)
    told = sorted(row.action for row in await house.rows(AuditLog))
    assert told == ["organization.create", "organization.delete", "organization.update"]


@sqlite
async def test_one_sees_ones_own_organizations(house):
    root, ada, bob = await house.person("root", "admin"), await house.person("ada"), await house.person("bob")
    await house.organization("A", (ada, "viewer"))
    await house.organization("B", (ada, "admin"), (bob, "user"))
    await house.organization("C", (bob, "user"))
    ada, bob = await house.again(ada), await house.again(bob)
    assert await names(house, ada, own=True) == await names(house, ada, own=False) == ["A", "B"]
    assert await names(house, bob, own=True) == ["B", "C"]
    assert await names(house, root, own=True) == []
    assert await names(house, root, own=False) == ["A", "B", "C"]


async def test_what_is_shared_stays_when_the_organization_goes(house):
    root, ada = await house.person("root", "admin"), await house.person("ada")
    place = await house.organization("A", (ada, "user"))
    await house.add(Workflow(user_id=ada.user_id, name="x", flow_data={}, organization_id=place))
    await organizations.delete_organization(house.call(root), place)
    assert [(row.user_id, row.organization_id) for row in await house.rows(Workflow)] == [(ada.user_id, None)]


async def test_an_administrator_of_an_organization_takes_people_in(house):
    ada, bob = await house.person("ada"), await house.person("bob")
    place = await house.organization("A", (ada, "admin"))
    ada = await house.again(ada)
    made = await joined(house, ada, place, "bob", role="viewer")
    assert (made.user_id, made.email, made.role, made.status) == (
        bob.user_id, "bob@example.org", "viewer", "ACTIVE",
    )  # fmt: skip
    assert place in (await house.again(bob)).organizations
    with pytest.raises(Conflict):
        await joined(house, ada, place, "bob")
    with pytest.raises(NotFound, match="no such user"):
        await joined(house, ada, place, "eve")
    call = house.call(ada)
    changed = await members.update_member(call, place, bob.user_id, members.MemberChange(status="INACTIVE"))
    assert changed.status == "INACTIVE"
    assert place not in (await house.again(bob)).organizations
    listed = await members.list_members(call, place, members.MemberQuery(sort="created_at"))
    assert [each.email for each in listed.items] == ["ada@example.org", "bob@example.org"]
    listed = await members.list_members(call, place, members.MemberQuery(limit=1, sort="created_at"))
    listed = await members.list_members(
        call, place, members.MemberQuery(cursor=listed.next, sort="created_at")
    )
    assert [each.email for each in listed.items] == ["bob@example.org"]
    listed = await members.list_members(call, place, members.MemberQuery(status="ACTIVE"))
    assert [each.email for each in listed.items] == ["ada@example.org"]
    await members.delete_member(call, place, bob.user_id)
    told = sorted(row.action for row in await house.rows(AuditLog, object_id=str(bob.user_id)))
    assert told == ["member.create", "member.delete", "member.update"]


async def test_the_last_administrator_of_an_organization_stays(house):
    ada, bob = await house.person("ada"), await house.person("bob")
    place = await house.organization("A", (ada, "admin"), (bob, "user"))
    call = house.call(await house.again(ada))
    for refused in (
        members.delete_member(call, place, ada.user_id),
        members.update_member(call, place, ada.user_id, members.MemberChange(role="user")),
        members.update_member(call, place, ada.user_id, members.MemberChange(status="INACTIVE")),
    ):
        with pytest.raises(Conflict, match="only administrator"):
            await refused
    await members.update_member(call, place, bob.user_id, members.MemberChange(role="admin"))
    await members.delete_member(call, place, ada.user_id)
    assert [row.user_id for row in await house.rows(OrganizationUser)] == [bob.user_id]


async def test_two_administrators_who_send_each_other_away_leave_one(house):
    ada, bob = await house.person("ada"), await house.person("bob")
    place = await house.organization("A", (ada, "admin"), (bob, "admin"))
    calls = [house.call(await house.again(each)) for each in (ada, bob)]
    ended = await asyncio.gather(
        members.delete_member(calls[0], place, bob.user_id),
        members.delete_member(calls[1], place, ada.user_id),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Conflict) for each in ended) == 1
    assert len(await house.rows(OrganizationUser)) == 1


async def method(house, caller, place, **given):
    body = login_methods.LoginMethodMade(name="oidc", **given)
    return await login_methods.create_login_method(house.call(caller), place, body)


async def opened(house, row):
    """The secret fields of a login method, as the vault gives them."""
    import json

    place = Place("login_method", row.id, "login_method", organization_id=row.organization_id)
    async with house.lab.database.session() as session:
        told = await house.lab.vault.unlock(session, place, json.loads(row.config)["locked"])
    return {name: secret.reveal() for name, secret in told.items()}


@sqlite
async def test_what_is_secret_of_a_login_method_is_locked_and_never_shown(house):
    ada = await house.person("ada")
    place = await house.organization("A", (ada, "admin"))
    ada = await house.again(ada)
    made = await method(
        house, ada, place, public={"issuer": "https://id.example.org"}, secret={"client_secret": CANARY}
    )
    assert (made.public, made.secret) == ({"issuer": "https://id.example.org"}, ["client_secret"])
    row = (await house.rows(LoginMethod))[0]
    assert CANARY not in row.model_dump_json()
    assert await opened(house, row) == {"client_secret": CANARY}
    call = house.call(ada)
    change = login_methods.LoginMethodChange
    changed = await login_methods.update_login_method(
        call, place, made.id, change(public={"issuer": "https://new.example.org"}, status="DISABLE")
    )
    assert (changed.status, changed.secret) == ("DISABLE", ["client_secret"])
    assert await opened(house, (await house.rows(LoginMethod))[0]) == {"client_secret": CANARY}
    changed = await login_methods.update_login_method(call, place, made.id, change(secret={"key": "another"}))
    assert changed.public == {"issuer": "https://new.example.org"}
    assert await opened(house, (await house.rows(LoginMethod))[0]) == {"key": "another"}
    listed = await login_methods.list_login_methods(call, place, login_methods.LoginMethodQuery())
    told = listed.model_dump_json() + changed.model_dump_json()
    told += "".join(row.model_dump_json() for row in await house.rows(AuditLog))
    assert CANARY not in told
    assert "another" not in told
    await login_methods.delete_login_method(call, place, made.id)
    with pytest.raises(NotFound):
        await login_methods.read_login_method(call, place, made.id)


async def test_the_key_goes_with_the_organization(house):
    root = await house.person("root", "admin")
    place = await house.organization("A", (root, "admin"))
    await method(house, await house.again(root), place, secret={"client_secret": CANARY})
    assert [row.organization_id for row in await house.rows(DataKey)] == [place]
    await organizations.delete_organization(house.call(root), place)
    assert not await house.rows(DataKey)
    assert not await house.rows(LoginMethod)


# ---- roles -----------------------------------------------------------------------------------------------


async def test_a_role_is_made_changed_given_and_removed(house):
    root, ada = await house.person("root", "admin"), await house.person("ada", "viewer")
    call = house.call(root)
    body = roles.RoleMade(name="auditor", permissions=["view_audit", "view_audit"])
    made = await roles.create_role(call, body)
    assert (made.permissions, made.built_in) == (["view_audit"], False)
    with pytest.raises(Conflict):
        await roles.create_role(call, body)
    place = await house.organization("A", (root, "admin"), (ada, "auditor"))
    await roles.update_role(call, made.id, roles.RoleChange(permissions=["view_audit", "view_workflows"]))
    assert (await house.again(ada)).organizations[place] == {"view_audit", "view_workflows"}
    with pytest.raises(Conflict, match="people have"):
        await roles.delete_role(call, made.id)
    await members.delete_member(house.call(await house.again(root)), place, ada.user_id)
    await roles.delete_role(call, made.id)
    listed = await roles.list_roles(house.call(ada), roles.RoleQuery())
    assert [(each.name, each.built_in) for each in listed.items] == [
        ("admin", True), ("user", True), ("viewer", True),
    ]  # fmt: skip


@sqlite
async def test_a_role_that_somebody_has_on_the_server_stays(house):
    root = await house.person("root", "admin")
    made = await roles.create_role(
        house.call(root), roles.RoleMade(name="auditor", permissions=["view_audit"])
    )
    await house.person("ada", "auditor")
    with pytest.raises(Conflict, match="people have"):
        await roles.delete_role(house.call(root), made.id)


@sqlite
async def test_the_built_in_roles_stay_as_they_are(house):
    call = house.call(await house.person("root", "admin"))
    for role in await house.rows(Role):
        with pytest.raises(Conflict, match="built in"):
            await roles.update_role(call, role.id, roles.RoleChange(permissions=[]))
        with pytest.raises(Conflict, match="built in"):
            await roles.delete_role(call, role.id)


@pytest.mark.parametrize("wrong", [{"permissions": ["fly"]}, {"name": "a,b"}, {"name": ""}, {"name": "A"}])
def test_a_role_that_cannot_be(wrong):
    with pytest.raises(ValueError, match="validation error"):
        roles.RoleMade(**({"name": "x", "permissions": []} | wrong))


# ---- who may -------------------------------------------------------------------------------------------


async def village(house):
    """Two organisations, each with an administrator, a member and a login method."""
    root = await house.person("root", "admin")
    told = {"root": root}
    for name in "ab":
        admin, member = await house.person(f"{name}-admin"), await house.person(f"{name}-member")
        place = await house.organization(name, (admin, "admin"), (member, "user"))
        admin, member = await house.again(admin), await house.again(member)
        way = await method(house, admin, place, secret={"client_secret": CANARY})
        told |= {f"{name} admin": admin, f"{name} member": member}
        told[name] = SimpleNamespace(place=place, method=way.id, member=member.user_id)
    told["stranger"] = await house.person("stranger")
    told["kernel"] = await on_behalf(house.lab, told["a admin"].user_id, "k1")
    told["nobody"] = Caller()
    return told


def everything(call, place, way, member):
    """Every route of an organisation, with the ids that are to be tried."""
    change = organizations.OrganizationChange(name="taken")
    yield "read", organizations.read_organization(call, place)
    yield "write", organizations.update_organization(call, place, change)
    yield "write", members.list_members(call, place, members.MemberQuery())
    yield "write", members.create_member(call, place, members.MemberMade(email="stranger@example.org"))
    yield "write", members.update_member(call, place, member, members.MemberChange(role="admin"))
    yield "write", members.delete_member(call, place, member)
    yield "write", login_methods.list_login_methods(call, place, login_methods.LoginMethodQuery())
    yield "write", login_methods.create_login_method(call, place, login_methods.LoginMethodMade(name="x"))
    yield "write", login_methods.read_login_method(call, place, way)
    yield (
        "write",
        login_methods.update_login_method(call, place, way, login_methods.LoginMethodChange(name="x")),
    )
    yield "write", login_methods.delete_login_method(call, place, way)
    yield "remove", organizations.delete_organization(call, place)


OUTCOMES = {
    # who: (what is answered to reading, to writing, to removing)
    "a member": (None, Forbidden, Forbidden),
    "a admin": (None, None, Forbidden),
    "b admin": (NotFound, NotFound, NotFound),
    "b member": (NotFound, NotFound, NotFound),
    "stranger": (NotFound, NotFound, NotFound),
    "kernel": (None, Forbidden, Forbidden),
    "nobody": (Unauthenticated, Unauthenticated, Unauthenticated),
}


@pytest.mark.parametrize("who", OUTCOMES)
@sqlite
async def test_who_may_do_what_with_an_organization(house, who):
    told = await village(house)
    before = {table: len(await house.rows(table)) for table in (OrganizationUser, LoginMethod, Organization)}
    expected = dict(zip(("read", "write", "remove"), OUTCOMES[who], strict=True))
    for kind, attempt in everything(
        house.call(told[who]), told["a"].place, told["a"].method, told["a"].member
    ):
        if expected[kind] is None:
            await attempt
        else:
            with pytest.raises(expected[kind]):
                await attempt
    if OUTCOMES[who][1] is not None:
        assert {table: len(await house.rows(table)) for table in before} == before
        assert not await house.rows(Organization, name="taken")


@sqlite
async def test_ids_of_another_organization_are_not_found_within_ones_own(house):
    told = await village(house)
    call = house.call(told["a admin"])
    place = told["a"].place
    for attempt in (
        members.update_member(call, place, told["b"].member, members.MemberChange(role="admin")),
        members.delete_member(call, place, told["b"].member),
        login_methods.read_login_method(call, place, told["b"].method),
        login_methods.update_login_method(
            call, place, told["b"].method, login_methods.LoginMethodChange(name="x")
        ),
        login_methods.delete_login_method(call, place, told["b"].method),
        organizations.update_organization(
            call, place, organizations.OrganizationChange(admin_user_id=told["b"].member)
        ),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert len(await house.rows(LoginMethod)) == 2


@sqlite
async def test_what_is_not_there_and_what_is_hidden_answer_alike(house):
    told = await village(house)
    for caller in ("b admin", "stranger"):
        call = house.call(told[caller])
        answers = []
        for place in (told["a"].place, uuid4()):
            for _, attempt in everything(call, place, told["a"].method, told["a"].member):
                with pytest.raises(NotFound) as caught:
                    await attempt
                answers.append(caught.value.to_dict())
        assert len({tuple(each.items()) for each in answers}) == 1


@sqlite
async def test_roles_are_for_the_servers_administrator_to_change(house):
    told = await village(house)
    role = (await house.rows(Role))[0].id
    for who in ("a admin", "stranger", "kernel", "nobody"):
        call = house.call(told[who])
        for attempt in (
            roles.create_role(call, roles.RoleMade(name="x", permissions=["all"])),
            roles.update_role(call, role, roles.RoleChange(permissions=["all"])),
            roles.delete_role(call, role),
            organizations.create_organization(call, organizations.OrganizationMade(name="x")),
        ):
            with pytest.raises(Unauthenticated if who == "nobody" else Forbidden):
                await attempt


@sqlite
async def test_an_owner_sees_at_once_that_an_organization_is_new(cottage):
    first = await owner(cottage.lab)
    body = organizations.OrganizationMade(name="Lab")
    made = await organizations.create_organization(cottage.call(first), body)
    assert made.id in (await owner(cottage.lab)).organizations


async def test_of_several_who_remove_the_same_thing_at_once_one_does(house):
    root, ada = await house.person("root", "admin"), await house.person("ada")
    place = await house.organization("A", (root, "admin"), (ada, "user"))
    call = house.call(await house.again(root))
    way = await method(house, call.caller, place)
    role = await roles.create_role(call, roles.RoleMade(name="x", permissions=[]))
    for action, remove in (
        ("login_method.delete", lambda: login_methods.delete_login_method(call, place, way.id)),
        ("member.delete", lambda: members.delete_member(call, place, ada.user_id)),
        ("role.delete", lambda: roles.delete_role(call, role.id)),
        ("organization.delete", lambda: organizations.delete_organization(call, place)),
        ("user.erase", lambda: users.erase_user(call, ada.user_id)),
    ):
        ended = await asyncio.gather(*(remove() for _ in range(4)), return_exceptions=True)
        assert sorted(type(each).__name__ for each in ended) == ["NoneType"] + ["NotFound"] * 3, action
        assert len(await house.rows(AuditLog, action=action)) == 1
