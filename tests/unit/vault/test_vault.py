from __future__ import annotations

import json
import pickle
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpaz_lab.errors import KeyMissing, VaultError
from bpaz_lab.store.repositories.data_keys import DataKeys
from bpaz_lab.store.tables import Organization, User
from bpaz_lab.vault.key import new_key
from bpaz_lab.vault.keys import KeyRing
from bpaz_lab.vault.vault import Place, Vault

pytestmark = pytest.mark.unit

sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

SECRET = "open sesame, said the canary"


def ring_of(*keys):
    return KeyRing(keys, (new_key(),), new_key())


@pytest.fixture
def key():
    return new_key()


@pytest.fixture
def vault(key):
    return Vault(ring_of(key))


async def person(session):
    user = User(identity_provider="test", subject=uuid4().hex)
    session.add(user)
    await session.flush()
    return user.id


def place(user_id, **other):
    return Place(**{"table": "user_credentials", "id": uuid4(), "kind": "openai", "user_id": user_id} | other)


async def test_what_is_locked_unlocks(database, vault):
    async with database.session() as session:
        where = place(await person(session))
        locked = await vault.lock(session, where, {"api_key": SECRET, "other": "ü"})
    async with database.session() as session:
        opened = await vault.unlock(session, where, locked)
    assert {name: secret.reveal() for name, secret in opened.items()} == {"api_key": SECRET, "other": "ü"}
    assert SECRET not in locked
    assert locked.startswith("v1.")


@sqlite
async def test_the_same_secret_is_locked_differently_each_time(database, vault):
    async with database.session() as session:
        where = place(await person(session))
        locked = [await vault.lock(session, where, {"api_key": SECRET}) for _ in range(2)]
    assert locked[0] != locked[1]
    assert locked[0].split(".")[1] == locked[1].split(".")[1]  # one data key a person


async def test_every_owner_has_a_data_key_of_its_own(database, vault):
    async with database.session() as session:
        user_id = await person(session)
        organization = Organization(name="o", admin_user_id=user_id)
        session.add(organization)
        await session.flush()
        owners = [place(user_id), place(await person(session)), place(None)]
        owners.append(place(None, table="login_method", organization_id=organization.id))
        names = set()
        for where in owners:
            locked = await vault.lock(session, where, {"a": SECRET})
            assert (await vault.unlock(session, where, locked))["a"].reveal() == SECRET
            names.add(locked.split(".")[1])
        assert len(names) == 4
        rows = [await DataKeys(session).get(UUID(name)) for name in names]
    assert len({row.wrapped for row in rows}) == 4


@sqlite
@pytest.mark.parametrize("moved", ["id", "kind", "table", "user_id", "organization_id", "nobody"])
async def test_it_unlocks_in_no_other_place(database, vault, moved):
    async with database.session() as session:
        where = place(await person(session))
        other = await person(session)
        locked = await vault.lock(session, where, {"api_key": SECRET})
        await vault.lock(session, place(other), {"api_key": SECRET})
        elsewhere = {
            "id": replace(where, id=uuid4()),
            "kind": replace(where, kind="generic"),
            "table": replace(where, table="login_method"),
            "user_id": replace(where, user_id=other),
            "organization_id": replace(where, organization_id=uuid4()),
            "nobody": replace(where, user_id=None),
        }[moved]
        with pytest.raises(VaultError) as caught:
            await vault.unlock(session, elsewhere, locked)
    assert caught.value.message == "the secret cannot be unlocked"


async def test_a_data_key_that_is_given_to_somebody_else_opens_nothing(database, vault):
    async with database.session() as session:
        where, other = place(await person(session)), await person(session)
        locked = await vault.lock(session, where, {"api_key": SECRET})
        row = await DataKeys(session).of(where.user_id, None)
        row.user_id = other
        await session.flush()
        with pytest.raises(VaultError, match="cannot be unlocked"):
            await vault.unlock(session, replace(where, user_id=other), locked)
        with pytest.raises(VaultError, match="cannot be unlocked"):  # nor does it lock what is theirs
            await vault.lock(session, place(other), {"api_key": SECRET})


async def test_swapped_secrets_of_one_person_do_not_unlock(database, vault):
    async with database.session() as session:
        user_id = await person(session)
        one, two = place(user_id), place(user_id)
        first = await vault.lock(session, one, {"api_key": "first"})
        second = await vault.lock(session, two, {"api_key": "second"})
        for where, locked in ((one, second), (two, first)):
            with pytest.raises(VaultError):
                await vault.unlock(session, where, locked)


@sqlite
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_letter_goes_unnoticed(database_settings, data):
    import asyncio

    from bpaz_lab.store.database import Database

    async def work():
        database = Database.of(database_settings)
        vault = Vault(ring_of(bytes(range(32))))
        try:
            async with database.session() as session:
                where = place(await person(session))
                locked = await vault.lock(session, where, {"api_key": SECRET})
                raw = bytearray(locked.encode())
                how = data.draw(st.sampled_from(["flip", "cut", "add"]))
                at = data.draw(st.integers(0, len(raw) - 1))
                if how == "flip":
                    raw[at] ^= 1 << data.draw(st.integers(0, 6))
                elif how == "cut":
                    del raw[at:]
                else:
                    raw[at:at] = data.draw(st.text("abAB01-_.= \n", min_size=1)).encode()
                with pytest.raises(VaultError) as caught:
                    await vault.unlock(session, where, raw.decode())
                assert type(caught.value) is VaultError
                assert SECRET not in str(caught.value)
        finally:
            await database.close()

    asyncio.run(work())


async def test_two_rotations_keep_every_secret_and_need_no_old_key(database):
    keys = [new_key() for _ in range(3)]
    async with database.session() as session:
        places = [place(await person(session)) for _ in range(5)]
        vault = Vault(ring_of(keys[0]))
        locked = [await vault.lock(session, where, {"api_key": where.id.hex}) for where in places]
    for newest in (1, 2):
        ring = ring_of(*keys[newest - 1 : newest + 1][::-1])
        async with database.session() as session:
            assert await Vault(ring).rewrap(session) == 5
            assert await Vault(ring).rewrap(session) == 0
            assert await DataKeys(session).counts() == {ring.first.id: 5}
    async with database.session() as session:
        for where, text in zip(places, locked, strict=True):
            opened = await Vault(ring_of(keys[2])).unlock(session, where, text)
            assert opened["api_key"].reveal() == where.id.hex
        with pytest.raises(KeyMissing):
            await Vault(ring_of(keys[0])).unlock(session, places[0], locked[0])


async def test_a_rotation_that_meets_a_lost_key_changes_nothing(database):
    old, new = new_key(), new_key()
    async with database.session() as session:
        where = place(await person(session))
        locked = await Vault(ring_of(old)).lock(session, where, {"api_key": SECRET})
    with pytest.raises(KeyMissing):
        async with database.session() as session:
            await Vault(ring_of(new)).rewrap(session)
    async with database.session() as session:
        assert (await Vault(ring_of(old)).unlock(session, where, locked))["api_key"].reveal() == SECRET


async def test_a_lost_key_is_named_and_nothing_new_is_locked_beside_it(database, key, vault):
    async with database.session() as session:
        where, other = place(await person(session)), place(await person(session))
        locked = await vault.lock(session, where, {"api_key": SECRET})
        lost = ring_of(key).first.id
        foreign = Vault(ring_of(new_key()))
        for attempt in (
            foreign.unlock(session, where, locked),
            foreign.lock(session, where, {"api_key": SECRET}),
            foreign.lock(session, other, {"api_key": SECRET}),
            Vault(ring_of()).lock(session, other, {"api_key": SECRET}),
        ):
            with pytest.raises(KeyMissing) as caught:
                await attempt
            assert lost in caught.value.message
            assert "BPAZ_ENCRYPTION_KEYS" in caught.value.hint
        assert await DataKeys(session).counts() == {lost: 1}


async def test_deleting_the_data_key_destroys_the_secret(database, vault):
    async with database.session() as session:
        where = place(await person(session))
        locked = await vault.lock(session, where, {"api_key": SECRET})
        await DataKeys(session).delete_of(where.user_id)
        assert not await DataKeys(session).any()
        with pytest.raises(VaultError, match="cannot be unlocked"):
            await vault.unlock(session, where, locked)
        await vault.lock(session, where, {"api_key": SECRET})  # a new data key
        with pytest.raises(VaultError, match="cannot be unlocked"):
            await vault.unlock(session, where, locked)


async def test_deleting_the_person_deletes_the_data_key(database, vault):
    async with database.session() as session:
        where = place(await person(session))
        await vault.lock(session, where, {"api_key": SECRET})
    async with database.session() as session:
        await session.delete(await session.get(User, where.user_id))
    async with database.session() as session:
        assert not await DataKeys(session).any()


@sqlite
@pytest.mark.parametrize(
    "text", ["", "v1", "v1...", "v2.a.b.c", "v1.x.AAAA.AAAA", SECRET, "v1." + "x" * 10**5]
)
async def test_what_is_no_sealed_text_is_a_typed_error(database, vault, text):
    async with database.session() as session:
        with pytest.raises(VaultError, match="cannot be unlocked"):
            await vault.unlock(session, place(await person(session)), text)


def test_a_place_cannot_spell_another():
    with pytest.raises(ValueError, match=r"without '\|'"):
        str(place(uuid4(), kind="a|b"))


@sqlite
async def test_nothing_that_holds_a_secret_becomes_text(database, vault, key):
    async with database.session() as session:
        where = place(await person(session))
        locked = await vault.lock(session, where, {"api_key": SECRET})
        opened = await vault.unlock(session, where, locked)
        row = await DataKeys(session).of(where.user_id, None)
    assert SECRET not in repr(opened)
    shown = repr([vault, vault._ring, vault._ring.first, row, vars(vault)])
    for form in (key.hex(), repr(key)[2:-1], str(key)):
        assert form not in shown
    for each in (opened, vault._ring, vault._ring.first, vault):
        with pytest.raises(TypeError):
            pickle.dumps(each)
        with pytest.raises(TypeError):
            json.dumps(each)
