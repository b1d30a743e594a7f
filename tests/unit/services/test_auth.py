from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bpaz_lab.accounts.throttle import Activity
from bpaz_lab.accounts.tokens import hashed
from bpaz_lab.errors import Conflict, Forbidden, InputError, Throttled, Unauthenticated
from bpaz_lab.services import auth
from bpaz_lab.services.identities import authenticate
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories.login_activity import LoginActivities
from bpaz_lab.store.tables import AuditLog, AuthSession, LoginActivity, User
from bpaz_lab.store.tables.columns import utcnow
from tests.plugins.accounts import PASSWORD

pytestmark = [pytest.mark.integration, pytest.mark.auth]

# What does not hang on the kind of database is tried on one.
sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

HERE = Caller(address="192.0.2.1")


def form(name="ada", password=PASSWORD):
    return auth.SignIn(email=f"{name}@example.org", password=password)


async def sign_up(house, name="ada", password=PASSWORD, **more):
    body = auth.SignUp(email=f"{name}@example.org", password=password, **more)
    return await auth.sign_up(house.call(HERE), body)


async def sign_in(house, *given, caller=HERE):
    return await auth.sign_in(house.call(caller), form(*given))


async def refresh(house, token):
    return await auth.refresh(house.call(HERE, cookies={auth.COOKIE: token}))


def cookie(answer):
    return answer.cookies[auth.COOKIE][0]


async def who(house, answer):
    return await authenticate(house.lab, answer.value.access_token)


@sqlite
async def test_the_first_account_is_the_administrator_and_the_next_is_not(house):
    first, second = await sign_up(house, "ada"), await sign_up(house, "bob")
    assert first.status == 201
    assert (first.value.user.role, second.value.user.role) == ("admin", "user")
    assert (await who(house, first)).has("all")
    assert not (await who(house, second)).has("all")


async def test_of_many_who_sign_up_first_one_is_the_administrator(house):
    answers = await asyncio.gather(*(sign_up(house, f"p{n}") for n in range(8)))
    assert sorted(each.value.user.role for each in answers) == ["admin"] + ["user"] * 7


@sqlite
async def test_signing_in_gives_a_token_for_half_an_hour_and_a_cookie_for_a_week(house):
    await sign_up(house)
    answer = await sign_in(house)
    token, attributes = answer.cookies[auth.COOKIE]
    assert answer.value.expires_in == 1800
    assert attributes == {
        "path": "auth/refresh",
        "httponly": True,
        "samesite": "Strict",
        "max_age": 7 * 86400,
    }
    assert answer.headers["Cache-Control"] == "no-store"
    caller = await who(house, answer)
    assert caller.name == "ada@example.org"
    login = (await house.rows(AuthSession, id=caller.session_id))[0]
    assert login.refresh_hash == hashed(token)
    assert login.family_expires_at - login.expires_at == timedelta(days=23)


@sqlite
async def test_an_address_is_one_account_however_it_is_written(house):
    await sign_up(house)
    with pytest.raises(Conflict):
        await auth.sign_up(house.call(HERE), auth.SignUp(email=" ADA@Example.org", password=PASSWORD))
    answer = await auth.sign_in(house.call(HERE), auth.SignIn(email="Ada@EXAMPLE.ORG", password=PASSWORD))
    assert answer.value.user.email == "ada@example.org"


@sqlite
async def test_no_table_holds_a_password_or_a_token(house):
    answer = await sign_up(house)
    secrets = [PASSWORD, cookie(answer), answer.value.access_token]
    for table in (User, AuthSession, LoginActivity, AuditLog):
        for row in await house.rows(table):
            assert not [each for each in secrets if each in row.model_dump_json()]


@sqlite
@pytest.mark.parametrize("case", ["unknown", "wrong", "disabled", "injected", "passwordless"])
async def test_whatever_is_wrong_the_answer_is_the_same(house, case):
    await house.person("ada")
    await house.person("bob", status="disabled")
    await house.add(User(email="jup@example.org", identity_provider="local", subject="owner"))
    given = {
        "unknown": ("eve",),
        "wrong": ("ada", "not the password of ada"),
        "disabled": ("bob",),
        "injected": ("' OR 1=1 --", "' OR '1'='1"),
        "passwordless": ("jup",),
    }[case]
    if case == "injected":
        body = auth.SignIn(email="'or/**/1=1;--@example.org", password=given[1])
        with pytest.raises(Unauthenticated) as caught:
            await auth.sign_in(house.call(HERE), body)
    else:
        with pytest.raises(Unauthenticated) as caught:
            await sign_in(house, *given)
    assert caught.value.to_dict() == {
        "code": "unauthenticated",
        "message": "the address or the password is not right",
        "hint": "Check both, and try again.",
        "path": "",
    }
    assert not await house.rows(AuthSession)


@sqlite
async def test_an_unknown_address_costs_a_hash_as_a_known_one_does(house, monkeypatch):
    import bcrypt

    looked, real = [], bcrypt.checkpw

    def checkpw(given, kept):
        looked.append(kept[:7])
        return real(given, kept)

    monkeypatch.setattr("bcrypt.checkpw", checkpw)
    await house.person("ada")
    for name in ("ada", "eve"):
        with pytest.raises(Unauthenticated):
            await sign_in(house, name, "not the password of anybody")
    assert looked == [b"$2b$04$", b"$2b$04$"]


async def guessed(house, name, caller=HERE):
    """Ten wrong guesses have just been made, so that the next is half a minute away."""
    code = Activity.WRONG_PASSWORD
    async with house.lab.database.session() as session:
        for _ in range(10):
            await LoginActivities(session, caller).record(f"{name}@example.org", code, "", utcnow())


@sqlite
async def test_every_attempt_is_written_down(house):
    await house.person("ada")
    await house.person("bob", status="disabled")
    answer = await sign_in(house)
    for given in (("ada", "wrong password"), ("eve",), ("bob",)):
        with pytest.raises(Unauthenticated):
            await sign_in(house, *given)
    caller = await who(house, answer)
    await auth.sign_out(house.call(caller))
    told = {(row.username, row.activity_code, row.address) for row in await house.rows(LoginActivity)}
    assert told == {
        ("ada@example.org", Activity.SIGNED_IN, "192.0.2.1"),
        ("ada@example.org", Activity.WRONG_PASSWORD, "192.0.2.1"),
        ("eve@example.org", Activity.UNKNOWN_USER, "192.0.2.1"),
        ("bob@example.org", Activity.DISABLED, "192.0.2.1"),
        ("ada@example.org", Activity.SIGNED_OUT, None),
    }


@sqlite
async def test_guessing_gets_slower_and_the_right_password_does_not_help(house):
    await house.person("ada")
    with pytest.raises(Unauthenticated):
        await sign_in(house, "ada", "not the password")
    await guessed(house, "ada")
    with pytest.raises(Throttled) as caught:
        await sign_in(house, "ada")
    assert caught.value.retry_after >= 1
    assert [row.activity_code for row in await house.rows(LoginActivity)].count(Activity.THROTTLED) == 1


async def test_guesses_at_the_same_moment_are_counted_one_by_one(house):
    await house.person("ada")
    tries = [sign_in(house, "ada", f"guess number {n}") for n in range(12)]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(each) for each in ended].count(Unauthenticated) == 5
    assert [type(each) for each in ended].count(Throttled) == 7


@sqlite
async def test_an_account_that_does_not_exist_is_throttled_alike(house):
    await guessed(house, "eve")
    with pytest.raises(Throttled):
        await sign_in(house, "eve")


@sqlite
async def test_who_guesses_from_elsewhere_does_not_keep_the_person_out(house):
    await house.person("ada")
    await sign_in(house)
    elsewhere = Caller(address="198.51.100.7")
    await guessed(house, "ada", elsewhere)
    with pytest.raises(Throttled):
        await sign_in(house, "ada", caller=elsewhere)
    assert (await sign_in(house)).status == 200


@sqlite
async def test_a_hash_of_another_cost_is_made_anew(house):
    from bpaz_lab.accounts.passwords import Passwords

    caller = await house.person("ada")
    old = await Passwords(house.lab.ring.pepper, 5).hash(PASSWORD)
    async with house.lab.database.session() as session:
        (await session.get(User, caller.user_id)).password_hash = old
    await sign_in(house)
    assert (await house.rows(User, id=caller.user_id))[0].password_hash.startswith("$2b$04$")


@sqlite
@pytest.mark.parametrize("password", ["short", "password123", "ada@example.org", "x" * 11])
async def test_a_password_that_is_guessed_at_once_is_refused(house, password):
    with pytest.raises(InputError) as caught:
        await sign_up(house, password=password)
    assert caught.value.path == "body.password"
    assert not await house.rows(User)


@sqlite
async def test_nobody_signs_up_where_it_is_off_but_the_first(house):
    house.lab.settings = house.lab.settings.model_copy(update={"sign_up": False})
    await sign_up(house, "ada")
    with pytest.raises(Forbidden):
        await sign_up(house, "bob")
    assert len(await house.rows(User)) == 1


# ---- refresh ---------------------------------------------------------------------------------------------


async def test_a_refresh_token_gives_the_next_one(house):
    first = await sign_up(house)
    second = await refresh(house, cookie(first))
    third = await refresh(house, cookie(second))
    assert len({cookie(each) for each in (first, second, third)}) == 3
    assert (await who(house, third)).session_id == (await who(house, first)).session_id


async def test_a_token_that_comes_again_at_once_gets_the_same_answer(house):
    first = await sign_up(house)
    one, two = await refresh(house, cookie(first)), await refresh(house, cookie(first))
    assert cookie(one) == cookie(two) != cookie(first)
    assert (await refresh(house, cookie(two))).status == 200


async def age(house, seconds):
    async with house.lab.database.session() as session:
        for row in await house.rows(AuthSession):
            found = await session.get(AuthSession, row.id)
            found.rotated_at = utcnow() - timedelta(seconds=seconds)


@sqlite
async def test_a_token_that_comes_again_later_ends_the_login(house):
    first = await sign_up(house)
    second = await refresh(house, cookie(first))
    await age(house, 11)
    with pytest.raises(Unauthenticated):
        await refresh(house, cookie(first))
    with pytest.raises(Unauthenticated):
        await refresh(house, cookie(second))
    with pytest.raises(Unauthenticated):
        await who(house, second)
    assert Activity.TOKEN_REUSED in [row.activity_code for row in await house.rows(LoginActivity)]
    assert [row.outcome for row in await house.rows(AuditLog, action="session.close")] == ["refused"]


@sqlite
async def test_a_token_from_before_the_last_ends_the_login_too(house):
    first = await sign_up(house)
    second = await refresh(house, cookie(first))
    third = await refresh(house, cookie(second))
    with pytest.raises(Unauthenticated):
        await refresh(house, cookie(first))
    with pytest.raises(Unauthenticated):
        await refresh(house, cookie(third))


@sqlite
async def test_other_logins_of_the_person_go_on(house):
    first = await sign_up(house)
    other = await sign_in(house)
    await refresh(house, cookie(await refresh(house, cookie(first))))
    with pytest.raises(Unauthenticated):
        await refresh(house, cookie(first))
    assert (await refresh(house, cookie(other))).status == 200


@sqlite
@pytest.mark.parametrize("token", ["", "x", "." * 80, f"{'0' * 32}.{'A' * 43}", "ä" * 32 + "." + "b" * 43])
async def test_what_is_no_refresh_token_is_refused(house, token):
    await sign_up(house)
    with pytest.raises(Unauthenticated):
        await refresh(house, token)


@sqlite
@pytest.mark.parametrize("column", ["expires_at", "family_expires_at"])
async def test_a_token_ends(house, column):
    first = await sign_up(house)
    async with house.lab.database.session() as session:
        for row in await house.rows(AuthSession):
            setattr(await session.get(AuthSession, row.id), column, utcnow() - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        await refresh(house, cookie(first))


@sqlite
async def test_a_family_does_not_outlive_its_days(house):
    first = await sign_up(house)
    async with house.lab.database.session() as session:
        for row in await house.rows(AuthSession):
            found = await session.get(AuthSession, row.id)
            found.family_expires_at = utcnow() + timedelta(hours=1)
    again = await refresh(house, cookie(first))
    assert 3590 <= again.cookies[auth.COOKIE][1]["max_age"] <= 3600


@sqlite
async def test_who_is_disabled_gets_no_new_token(house):
    first = await sign_up(house)
    async with house.lab.database.session() as session:
        (await session.get(User, first.value.user.id)).status = "disabled"
    with pytest.raises(Unauthenticated):
        await refresh(house, cookie(first))
    with pytest.raises(Unauthenticated):
        await who(house, first)


@pytest.mark.timeout(600)
async def test_of_many_refreshes_at_once_one_token_lives(house, full):
    """A thousand in all at full length, not more at a time than a pool of connections has patience for."""
    answer = await sign_up(house)
    for _ in range(20 if full else 1):
        before = cookie(answer)
        ended = await asyncio.gather(*(refresh(house, before) for _ in range(50)))
        assert len({cookie(each) for each in ended}) == 1
        answer = ended[0]
        login = (await house.rows(AuthSession))[0]
        assert login.refresh_hash == hashed(cookie(answer))
        assert login.previous_hash == hashed(before)
        assert login.revoked_at is None


@sqlite
async def test_signing_out_ends_the_login_and_no_other(house):
    first = await sign_up(house)
    other = await sign_in(house)
    answer = await auth.sign_out(house.call(await who(house, first)))
    assert answer.status == 204
    assert answer.cookies[auth.COOKIE][0] is None
    for attempt in (who(house, first), refresh(house, cookie(first))):
        with pytest.raises(Unauthenticated):
            await attempt
    assert (await who(house, other)).name == "ada@example.org"


# ---- profiles --------------------------------------------------------------------------------------------


@sqlite
@pytest.mark.parametrize("doing", ["up", "in", "refresh"])
async def test_one_owner_has_no_accounts(cottage, doing):
    with pytest.raises(Forbidden, match="no accounts"):
        await {"up": lambda: sign_up(cottage), "in": lambda: sign_in(cottage),
               "refresh": lambda: refresh(cottage, "x")}[doing]()  # fmt: skip


@sqlite
async def test_accounts_wait_until_somebody_has_read_what_they_do_not_protect(house):
    house.lab.settings = house.lab.settings.model_copy(update={"accept_shared_risk": False})
    with pytest.raises(Forbidden, match="accounts are off"):
        await sign_up(house)


def test_a_form_shows_no_password():
    assert PASSWORD not in repr(form())
    assert isinstance(form().password, SecretStr)
