from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest
from sqlmodel import select

from bpaz_lab.__main__ import main
from bpaz_lab.errors import VaultError
from bpaz_lab.settings import Settings
from bpaz_lab.store.database import Database
from bpaz_lab.store.tables import AuditLog, User
from bpaz_lab.vault.key import new_key, read_keys, written
from bpaz_lab.vault.keys import KeyRing
from bpaz_lab.vault.vault import Place, Vault

pytestmark = pytest.mark.unit

SECRET = "a canary that nobody may see"


@pytest.fixture
def installation(database_settings, monkeypatch):
    """An installation that the command line finds, with its secrets."""
    monkeypatch.setenv("BPAZ_DATA_FOLDER", database_settings.data_folder)
    monkeypatch.setenv("BPAZ_DATABASE_URL", database_settings.database_url.get_secret_value())
    return Installation()


class Installation:
    def __init__(self):
        self.locked = []

    def within(self, work):
        """Runs work(session, vault) in a transaction, as a server that starts now would."""

        async def run():
            settings = Settings.read()
            database = Database.of(settings)
            try:
                async with database.session() as session:
                    return await work(session, Vault(KeyRing.read(settings, locked=bool(self.locked))))
            finally:
                await database.close()

        return asyncio.run(run())

    def lock(self, count=1):
        async def work(session, vault):
            for _ in range(count):
                user = User(identity_provider="test", subject=uuid4().hex)
                session.add(user)
                await session.flush()
                place = Place("user_credentials", uuid4(), "openai", user_id=user.id)
                self.locked.append((place, await vault.lock(session, place, {"api_key": SECRET})))

        self.within(work)

    def unlock(self):
        """The secrets that still unlock."""

        async def work(session, vault):
            return [(await vault.unlock(session, *each))["api_key"].reveal() for each in self.locked]

        return self.within(work)

    def audited(self):
        async def work(session, _vault):
            return [(each.actor, each.action) for each in (await session.exec(select(AuditLog))).all()]

        return self.within(work)


def told(capsys, *words):
    code = main(["vault", *words])
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    return code, out + err


def ids(folder):
    kept = json.loads((folder / "keys.json").read_text())["encryption"]
    return [KeyRing(read_keys(text, "x"), (), None).first.id for text in kept]


def test_two_rotations(installation, tmp_path, capsys):
    installation.lock(3)
    first = ids(tmp_path)
    assert told(capsys, "status") == (
        0,
        f"keys from {tmp_path}/keys.json\n  {first[0]}     3 data keys  locks what is new\n",
    )
    for _ in range(2):
        code, out = told(capsys, "rotate")
        assert code == 0
        assert out.startswith("3 data keys wrapped anew")
        assert "bpaz vault rotate --prune" in out
        assert installation.unlock() == [SECRET] * 3
    three = ids(tmp_path)
    assert three[2:] == first
    code, out = told(capsys, "status")
    assert out.count("old, not needed") == 2
    code, out = told(capsys, "rotate", "--prune")
    assert code == 0
    assert (
        out
        == f"0 data keys wrapped anew; {three[0]} locks what is new\nremoved: "
        + ", ".join(sorted(three[1:]))
        + "\n"
    )
    assert ids(tmp_path) == three[:1]
    assert installation.unlock() == [SECRET] * 3
    assert installation.audited() == [("bpaz vault", "vault.rotate")] * 2


def test_nothing_is_removed_while_a_key_is_missing(installation, tmp_path, capsys):
    installation.lock()
    old = (tmp_path / "keys.json").read_text()
    main(["vault", "rotate"])
    both = ids(tmp_path)
    capsys.readouterr()
    (tmp_path / "keys.json").write_text(old)  # a server that had not seen the new key yet
    with pytest.raises(VaultError):
        installation.unlock()
    assert told(capsys, "rotate", "--prune")[0] == 1
    assert ids(tmp_path) == both[1:]


def test_a_rotation_that_misses_a_key_changes_nothing(installation, tmp_path, capsys):
    installation.lock()
    before = (tmp_path / "keys.json").read_bytes()
    lost = ids(tmp_path)[0]
    (tmp_path / "keys.json").unlink()
    for words in (["rotate"], ["rotate", "--prune"], ["status"]):
        code, out = told(capsys, *words)
        assert code == 1
        assert lost in out
        assert "backup" in out
        assert not (tmp_path / "keys.json").exists()
    (tmp_path / "keys.json").write_bytes(before)
    assert installation.unlock() == [SECRET]
    assert told(capsys, "status")[0] == 0


def test_keys_of_the_environment(installation, tmp_path, capsys, monkeypatch):
    keys = [new_key() for _ in range(3)]
    monkeypatch.setenv("BPAZ_TOKEN_KEYS", written(keys[1]))
    monkeypatch.setenv("BPAZ_PASSWORD_PEPPER", written(keys[2]))
    monkeypatch.setenv("BPAZ_ENCRYPTION_KEYS", written(keys[0]))
    installation.lock(2)
    code, out = told(capsys, "rotate")
    assert code == 0
    assert "put a new key" in out
    code, new = told(capsys, "key")
    assert len(read_keys(new.strip(), "x")[0]) == 32
    monkeypatch.setenv("BPAZ_ENCRYPTION_KEYS", f"{new.strip()},{written(keys[0])}")
    code, out = told(capsys, "rotate")
    assert out.startswith("2 data keys wrapped anew")
    assert "Take them out of BPAZ_ENCRYPTION_KEYS" in out
    monkeypatch.setenv("BPAZ_ENCRYPTION_KEYS", new.strip())
    assert installation.unlock() == [SECRET] * 2
    code, out = told(capsys, "status")
    assert "keys from BPAZ_ENCRYPTION_KEYS" in out
    assert not (tmp_path / "keys.json").exists()
    for text in (new.strip(), *map(written, keys)):
        assert text not in out


@pytest.mark.parametrize("how", ["gone", "damaged", "foreign"])
def test_what_is_lost_for_good_can_be_given_up(installation, tmp_path, capsys, how):
    installation.lock(2)
    lost = ids(tmp_path)[0]
    file = tmp_path / "keys.json"
    file.unlink()
    if how == "damaged":
        file.write_text("{")
    if how == "foreign":
        KeyRing.read(Settings.read(), locked=False)
    code, out = told(capsys, "reset")
    assert code == 1
    assert "2 data keys" in out
    assert lost in out
    assert told(capsys, "reset")[0] == 1  # it has changed nothing
    code, out = told(capsys, "reset", "--yes")
    assert code == 0
    assert (tmp_path / "keys.json.damaged").exists() is (how == "damaged")
    with pytest.raises(VaultError, match="cannot be unlocked"):
        installation.unlock()
    installation.locked = []
    installation.lock()
    assert installation.unlock() == [SECRET]
    assert told(capsys, "status")[0] == 0
    assert told(capsys, "reset", "--yes") == (0, "no key is lost; there is nothing to give up\n")
    assert ("bpaz vault", "vault.reset") in installation.audited()


def test_a_wrong_setting_is_told_and_not_shown(installation, capsys, monkeypatch):
    monkeypatch.setenv("BPAZ_ENCRYPTION_KEYS", "hunter2")
    code, out = told(capsys, "status")
    assert code == 1
    assert "BPAZ_ENCRYPTION_KEYS" in out
    assert "hunter2" not in out
