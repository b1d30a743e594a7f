from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from bpaz_lab.errors import Conflict, Forbidden, InputError, NotFound, RequestError, Unauthenticated
from bpaz_lab.services import auth, users
from bpaz_lab.services.identities import authenticate, on_behalf, owner
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.tables import AuditLog, User
from tests.plugins.accounts import PASSWORD

pytestmark = [pytest.mark.integration, pytest.mark.auth]

# What does not hang on the kind of database is tried on one.
sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


async def signed_in(house, name):
    body = auth.SignIn(email=f"{name}@example.org", password=PASSWORD)
    return (await auth.sign_in(house.call(), body)).value.access_token


async def change(house, caller, target, **changes):
    return await users.update_user(house.call(caller), target.user_id, users.UserChange(**changes))


async def listed(house, caller, **query):
    return await users.list_users(house.call(caller), users.UserQuery(**query))


@sqlite
async def test_an_administrator_makes_an_account(house):
    admin = await house.person("root", "admin")
    body = users.UserMade(email="Ada@example.org", password=PASSWORD, full_name="Ada", role="viewer")
    made = await users.create_user(house.call(admin), body)
    assert (made.email, made.role, made.status) == ("ada@example.org", "viewer", "active")
    caller = await authenticate(house.lab, await signed_in(house, "ada"))
    assert caller.permissions == {"view_workflows", "execute_public_workflows"}
    told = await house.rows(AuditLog, action="user.create")
    assert [(row.actor, row.object_id) for row in told] == [("root@example.org", str(made.id))]


@sqlite
async def test_what_cannot_be_made(house):
    admin = await house.person("root", "admin")

    def made(**given):
        return users.create_user(
            house.call(admin), users.UserMade(**{"email": "a@example.org", "password": PASSWORD} | given)
        )

    with pytest.raises(Conflict) as caught:
        await made(email="ROOT@example.org")
    assert caught.value.path == "body.email"
    with pytest.raises(NotFound, match="no role"):
        await made(role="emperor")
    with pytest.raises(InputError):
        await made(password="password12")
    for email in (
        "",
        "ada",
        "@example.org",
        "ada@",
        "a b@example.org",
        "a\u0000@example.org",
        "x" * 300 + "@y",
    ):
        with pytest.raises(ValueError, match="email"):
            await made(email=email)
    assert len(await house.rows(User)) == 1


@sqlite
async def test_a_change_of_role_counts_at_once(house):
    admin, ada = await house.person("root", "admin"), await house.person("ada")
    token = await signed_in(house, "ada")
    await change(house, admin, ada, role="viewer")
    assert not (await authenticate(house.lab, token)).has("create_workflow")
    await change(house, admin, ada, role="admin")
    assert (await authenticate(house.lab, token)).has("all")


@pytest.mark.parametrize("changes", [{"status": "disabled"}, {"password": "another walk, in the sun"}])
@sqlite
async def test_disabling_and_a_new_password_end_all_logins(house, changes):
    admin, ada = await house.person("root", "admin"), await house.person("ada")
    token = await signed_in(house, "ada")
    await change(house, admin, ada, **changes)
    with pytest.raises(Unauthenticated):
        await authenticate(house.lab, token)
    with pytest.raises(Unauthenticated):
        await signed_in(house, "ada")
    if "status" in changes:
        with pytest.raises(Unauthenticated):
            await on_behalf(house.lab, ada.user_id, "k1")


@sqlite
async def test_the_last_administrator_stays(house):
    root = await house.person("root", "admin")
    await house.person("gone", "admin", status="disabled")
    for changes in ({"role": "user"}, {"status": "disabled"}):
        with pytest.raises(Conflict, match="only administrator"):
            await change(house, root, root, **changes)
    with pytest.raises(Conflict, match="only administrator"):
        await users.erase_user(house.call(root), root.user_id)
    other = await house.person("other", "admin")
    assert (await change(house, root, other, role="user")).role == "user"
    assert (await change(house, root, root, full_name="Root")).role == "admin"


async def test_two_administrators_who_demote_each_other_leave_one(house):
    one, two = await house.person("one", "admin"), await house.person("two", "admin")
    ended = await asyncio.gather(
        change(house, one, two, role="user"), change(house, two, one, role="user"), return_exceptions=True
    )
    assert sum(isinstance(each, Conflict) for each in ended) == 1
    assert len(await house.rows(User, role="admin")) == 1


async def test_a_list_pages_filters_and_sorts(house):
    admin = await house.person("root", "admin")
    for n in range(5):
        await house.person(f"p{n}", "viewer" if n % 2 else "user", full_name=f"Person {n}")
    names, cursor = [], ""
    while True:
        page = await listed(house, admin, limit=2, cursor=cursor, sort="created_at")
        names += [item.email.partition("@")[0] for item in page.items]
        cursor = page.next
        if not cursor:
            break
    assert names == ["root", "p0", "p1", "p2", "p3", "p4"]
    assert {item.email for item in (await listed(house, admin, role="viewer")).items} == {
        "p1@example.org",
        "p3@example.org",
    }
    assert [item.full_name for item in (await listed(house, admin, search="PERSON 4")).items] == ["Person 4"]
    assert not (await listed(house, admin, status="disabled")).items


HOSTILE = [
    "' OR 1=1 --",
    "%",
    "_",
    "\\",
    '"; DROP TABLE users; --',
    "' UNION SELECT password_hash FROM users --",
]


async def test_a_search_is_a_text_and_nothing_else(house):
    admin = await house.person("root", "admin")
    for text in HOSTILE:
        assert not (await listed(house, admin, search=text)).items
        assert not (await listed(house, admin, role=text)).items
        for query in ({"sort": text}, {"cursor": text}, {"sort": "password_hash"}):
            with pytest.raises(RequestError):
                await listed(house, admin, **query)
    assert len((await listed(house, admin)).items) == 1


@sqlite
async def test_no_answer_holds_a_hash(house):
    admin = await house.person("root", "admin")
    page = await listed(house, admin)
    told = (
        page.model_dump_json() + (await users.read_user(house.call(admin), admin.user_id)).model_dump_json()
    )
    assert "$2b$" not in told
    assert "password" not in page.items[0].model_dump()


@pytest.mark.parametrize("who", ["user", "viewer", "kernel", "nobody"])
@sqlite
async def test_nobody_else_manages_accounts(house, who):
    admin = await house.person("root", "admin")
    caller = {
        "user": await house.person("ada"),
        "viewer": await house.person("bob", "viewer"),
        "kernel": await on_behalf(house.lab, admin.user_id, "k1"),
        "nobody": Caller(),
    }[who]
    call, target = house.call(caller), admin.user_id
    for refused in (
        users.list_users(call, users.UserQuery()),
        users.create_user(call, users.UserMade(email="x@example.org", password=PASSWORD)),
        users.read_user(call, target),
        users.read_user(call, uuid4()),
        users.update_user(call, target, users.UserChange(role="user")),
        users.erase_user(call, target),
        users.export_user(call, target),
    ):
        with pytest.raises(Unauthenticated if who == "nobody" else Forbidden):
            await refused
    assert len(await house.rows(AuditLog)) == 0


@sqlite
async def test_what_is_not_there_is_not_found(house):
    call = house.call(await house.person("root", "admin"))
    for missing in (
        users.read_user(call, uuid4()),
        users.update_user(call, uuid4(), users.UserChange(role="user")),
        users.erase_user(call, uuid4()),
        users.export_user(call, uuid4()),
    ):
        with pytest.raises(NotFound, match="no such user"):
            await missing


# ---- one owner -------------------------------------------------------------------------------------------


async def test_the_owner_is_made_at_first_use_and_once(cottage):
    found = await asyncio.gather(*(owner(cottage.lab, request_id=f"r{n}", address="") for n in range(5)))
    assert len({each.user_id for each in found}) == 1
    assert found[3].request_id == "r3"
    assert found[0].has("all")
    assert [(row.identity_provider, row.subject, row.role) for row in await cottage.rows(User)] == [
        ("local", "owner", "admin")
    ]


@sqlite
async def test_an_owner_makes_no_accounts(cottage):
    caller = await owner(cottage.lab)
    with pytest.raises(Forbidden, match="no accounts"):
        await users.create_user(
            cottage.call(caller), users.UserMade(email="x@example.org", password=PASSWORD)
        )
    with pytest.raises(Forbidden):
        await users.update_user(
            cottage.call(caller), caller.user_id, users.UserChange(password="a long walk in the rain")
        )


@sqlite
async def test_an_access_token_is_nothing_where_there_are_no_accounts(cottage):
    caller = await owner(cottage.lab)
    with pytest.raises(Forbidden):
        await authenticate(cottage.lab, cottage.lab.tokens.issue(caller.user_id, uuid4()))


@sqlite
async def test_a_token_of_another_login_or_person_is_refused(house):
    ada, bob = await house.person("ada"), await house.person("bob")
    caller = await authenticate(house.lab, await signed_in(house, "ada"))
    for user_id, login in ((bob.user_id, caller.session_id), (ada.user_id, uuid4()), (uuid4(), uuid4())):
        with pytest.raises(Unauthenticated, match="the login has ended"):
            await authenticate(house.lab, house.lab.tokens.issue(user_id, login))
