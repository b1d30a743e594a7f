"""The laboratory opens by itself, once; and a lost key keeps nobody from anything but what it locked."""

from __future__ import annotations

import asyncio

import pytest

from bpaz_lab.errors import KeyMissing, StoreUnavailable
from bpaz_lab.services.call import Call
from bpaz_lab.services.dispatch import dispatch
from bpaz_lab.services.identities import owner
from bpaz_lab.services.lab import Lab
from bpaz_lab.settings import Settings
from bpaz_lab.store.tables import User

pytestmark = [pytest.mark.unit, pytest.mark.auth]


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=str(tmp_path / "data"))


async def asked(lab, method, path, body=None):
    caller = await owner(lab, request_id="", address="")
    return (await dispatch(Call(lab, caller), method, path, {}, body)).value


async def test_making_one_opens_nothing(settings):
    lab = Lab.of(settings)
    assert not settings.folder.exists()
    with pytest.raises(StoreUnavailable):
        _ = lab.vault
    await lab.close()


async def test_requests_that_come_at_once_open_it_once(settings):
    lab = Lab.of(settings)
    await asyncio.gather(*(lab.ready() for _ in range(5)))
    secrets = lab.secrets
    await lab.ready()
    assert lab.secrets is secrets
    await lab.close()


async def test_a_database_that_was_away_is_opened_later(settings):
    settings.folder.parent.mkdir(exist_ok=True)
    settings.folder.write_text("in the way")
    lab = Lab.of(settings)
    with pytest.raises(Exception, match=str(settings.folder)):
        await lab.ready()
    settings.folder.unlink()
    await lab.ready()
    await lab.close()


CREDENTIAL = {"name": "work", "type": "generic", "fields": {"value": "a-made-up-secret"}}


async def test_a_lost_key_disables_credentials_and_nothing_else(settings):
    lab = Lab.of(settings)
    await asked(lab, "POST", "credentials", CREDENTIAL)
    await lab.close()
    (settings.folder / "keys.json").unlink()

    lab = Lab.of(settings)
    saved = await asked(
        lab, "POST", "workflows/", {"name": "Empty", "flow_data": {"bpaz": 1, "name": "Empty"}}
    )
    assert saved.version == 1
    assert [each.name for each in (await asked(lab, "GET", "credentials")).items] == ["work"]
    with pytest.raises(KeyMissing):
        await asked(lab, "POST", "credentials", {**CREDENTIAL, "name": "other"})
    assert not (settings.folder / "keys.json").exists(), "a lost key is never made anew"
    await lab.close()


async def test_passwords_need_their_pepper_back(tmp_path):
    settings = Settings(data_folder=str(tmp_path / "data"), profile="shared", accept_shared_risk=True)
    lab = Lab.of(settings)
    await lab.ready()
    async with lab.database.session() as session:
        session.add(User(email="ada@example.org", password_hash=await lab.passwords.hash("a long password")))
    await lab.close()
    (settings.folder / "keys.json").unlink()

    lab = Lab.of(settings)
    body = {"email": "ada@example.org", "password": "a long password"}
    with pytest.raises(KeyMissing):
        await dispatch(Call(lab), "POST", "auth/signin", {}, body)
    assert not (settings.folder / "keys.json").exists(), "a lost key is never made anew"
    await lab.close()
