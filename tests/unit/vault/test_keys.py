from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import subprocess
import sys
import threading

import pytest

from bpaz_lab.errors import KeyMissing, SettingsError, VaultError
from bpaz_lab.settings import Settings
from bpaz_lab.vault.key import new_key, written
from bpaz_lab.vault.key_file import KeyFile
from bpaz_lab.vault.keys import KeyRing

pytestmark = pytest.mark.unit


def configured(folder, **given):
    return Settings(data_folder=str(folder), **given)


def three():
    names = ("encryption_keys", "token_keys", "password_pepper")
    return {name: written(new_key()) for name in names}


def test_the_file_is_made_once_and_for_its_owner_alone(tmp_path):
    folder = tmp_path / "deep" / "data"
    ring = KeyRing.read(configured(folder), locked=False)
    file = folder / "keys.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["keys.json"]
    before = file.read_bytes()
    for locked in (False, True):
        again = KeyRing.read(configured(folder), locked=locked)
        assert (again.first, again.tokens, again.pepper) == (ring.first, ring.tokens, ring.pepper)
    assert file.read_bytes() == before
    assert ring.problems == ()


def test_the_three_ends_have_keys_of_their_own(tmp_path):
    ring = KeyRing.read(configured(tmp_path), locked=False)
    kept = KeyFile(tmp_path).read()
    assert len({*kept.encryption, *kept.tokens, kept.pepper}) == 3
    assert all(len(key) == 32 for key in (*ring.tokens, ring.pepper))


def test_the_mask_of_the_process_does_not_open_the_file(tmp_path):
    before = os.umask(0)
    try:
        KeyRing.read(configured(tmp_path / "data"), locked=False)
    finally:
        os.umask(before)
    assert (tmp_path / "data" / "keys.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_who_begin_at_once_get_the_same_keys(tmp_path):
    found, start = [], threading.Barrier(8)

    def work():
        start.wait()
        found.append(KeyRing.read(configured(tmp_path), locked=False).first.id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_processes_that_begin_at_once_get_the_same_keys(tmp_path):
    source = (
        "import sys; from bpaz_lab.settings import Settings; from bpaz_lab.vault.keys import KeyRing; "
        "sys.stdin.read(1); print(KeyRing.read(Settings(data_folder=sys.argv[1]), locked=False).first.id)"
    )
    command = [sys.executable, "-c", source, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
    found = {process.communicate("x")[0] for process in processes}
    assert len(found) == 1
    assert found == {f"{KeyRing.read(configured(tmp_path), locked=True).first.id}\n"}


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def link(*_):
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr(os, "link", link)
    ring = KeyRing.read(configured(tmp_path), locked=False)
    assert KeyRing.read(configured(tmp_path), locked=True).first == ring.first
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


# ---- lost


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "short", "other"])
def test_a_lost_file_is_never_made_anew(tmp_path, damage, caplog):
    first = KeyRing.read(configured(tmp_path), locked=False).first
    file = tmp_path / "keys.json"
    whole = file.read_text()
    spoiled = {
        "empty": "",
        "cut": whole[:60],
        "other": "[]",
        "short": '{"encryption": ["AAAA"], "tokens": ["AAAA"], "pepper": "AAAA"}',
    }
    file.unlink() if damage == "gone" else file.write_text(spoiled[damage])
    ring = KeyRing.read(configured(tmp_path), locked=True)
    assert file.exists() is (damage != "gone")
    assert ring.encryption == ()
    assert len(ring.problems) == 1
    assert str(file) in ring.problems[0]
    assert ring.problems[0] in caplog.text
    with pytest.raises(KeyMissing) as caught:
        _ = ring.first
    assert str(file) in caught.value.hint
    with pytest.raises(KeyMissing, match=first.id):
        ring.find(first.id)
    assert ring.tokens  # everything else works
    assert ring.pepper
    file.write_text(whole)  # and works again as soon as it is back
    assert ring.first == first
    assert ring.find(first.id) == first


def test_a_damaged_file_stays_as_it_is_even_where_nothing_is_locked(tmp_path):
    (tmp_path / "keys.json").write_text("{")
    assert KeyRing.read(configured(tmp_path), locked=False).encryption == ()
    assert (tmp_path / "keys.json").read_text() == "{"


def test_a_shared_server_without_its_pepper_checks_no_password(tmp_path):
    ring = KeyRing.read(configured(tmp_path, profile="shared"), locked=True)
    with pytest.raises(KeyMissing, match="passwords"):
        _ = ring.pepper


def test_a_folder_that_cannot_be_written_does_not_stop_anything(tmp_path):
    (tmp_path / "file").write_text("")
    ring = KeyRing.read(configured(tmp_path / "file"), locked=False)
    assert ring.tokens
    with pytest.raises(KeyMissing):
        _ = ring.first


def test_a_file_that_vanishes_while_running_locks_nothing_new(tmp_path):
    ring = KeyRing.read(configured(tmp_path), locked=False)
    first = ring.first
    (tmp_path / "keys.json").unlink()
    with pytest.raises(KeyMissing):
        _ = ring.first
    assert ring.find(first.id) == first


# ---- configured


def test_configured_keys_need_no_file(tmp_path):
    keys = three()
    for profile in ("local", "shared"):
        ring = KeyRing.read(configured(tmp_path, profile=profile, **keys), locked=True)
        assert written(ring.tokens[0]) == keys["token_keys"]
        assert written(ring.pepper) == keys["password_pepper"]
        assert ring.problems == ()
    assert list(tmp_path.iterdir()) == []


def test_the_first_configured_key_wraps_and_all_open(tmp_path):
    keys = [new_key() for _ in range(3)]
    text = ",".join(map(written, keys))
    ring = KeyRing.read(configured(tmp_path, **{**three(), "encryption_keys": text}), locked=True)
    assert ring.first == ring.encryption[0]
    assert len(ring.encryption) == 3
    assert [ring.find(key.id) for key in ring.encryption] == list(ring.encryption)
    with pytest.raises(KeyMissing, match="0123456789abcdef"):
        ring.find("0123456789abcdef")


@pytest.mark.parametrize("name", ["encryption_keys", "token_keys", "password_pepper"])
def test_what_is_not_configured_comes_from_the_file(tmp_path, name):
    keys = three()
    del keys[name]
    ring = KeyRing.read(configured(tmp_path, **keys), locked=False)
    kept = KeyFile(tmp_path).read()
    own = {"token_keys": ring.tokens[0], "password_pepper": ring.pepper}
    in_file = {"token_keys": kept.tokens[0], "password_pepper": kept.pepper}
    for other in ("token_keys", "password_pepper"):
        assert written(own[other]) == (written(in_file[other]) if other == name else keys[other])
    assert (ring.file is not None) is (name == "encryption_keys")


@pytest.mark.parametrize("name", ["encryption_keys", "token_keys", "password_pepper"])
def test_a_wrong_setting_is_told_and_not_shown(tmp_path, name):
    with pytest.raises(SettingsError, match=f"BPAZ_{name.upper()}") as caught:
        KeyRing.read(configured(tmp_path, **{**three(), name: "hunter2hunter2"}), locked=False)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("pair", [("encryption_keys", "token_keys"), ("token_keys", "password_pepper")])
def test_one_key_does_not_serve_two_ends(tmp_path, pair):
    keys = three()
    keys[pair[0]] = keys[pair[1]]
    with pytest.raises(SettingsError, match="two ends") as caught:
        KeyRing.read(configured(tmp_path, **keys), locked=False)
    assert keys[pair[0]] not in str(caught.value)


def test_a_shared_server_is_told_to_configure_its_keys(tmp_path, caplog):
    ring = KeyRing.read(configured(tmp_path, profile="shared"), locked=False)
    assert ring.first
    assert any("BPAZ_ENCRYPTION_KEYS" in problem for problem in ring.problems)
    assert "BPAZ_ENCRYPTION_KEYS" in caplog.text


def test_a_file_that_others_can_read_is_a_problem(tmp_path):
    KeyRing.read(configured(tmp_path), locked=False)
    (tmp_path / "keys.json").chmod(0o644)
    assert "chmod 600" in KeyRing.read(configured(tmp_path), locked=True).problems[0]


# ---- rotation of the file


def test_a_running_ring_sees_a_rotation(tmp_path):
    ring = KeyRing.read(configured(tmp_path), locked=False)
    old = ring.first
    fresh = new_key()

    def add(kept):
        return type(kept)((fresh, *kept.encryption), kept.tokens, kept.pepper)

    KeyFile(tmp_path).change(add)
    assert ring.first != old
    assert ring.find(old.id) == old
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert KeyRing.read(configured(tmp_path), locked=True).first == ring.first


def test_two_rotations_do_not_cross(tmp_path):
    KeyRing.read(configured(tmp_path), locked=False)
    file, before = KeyFile(tmp_path), (tmp_path / "keys.json").read_bytes()

    def within(kept):
        with pytest.raises(VaultError, match="another rotation"):
            file.change(lambda kept: kept)
        raise RuntimeError("cut off")

    with pytest.raises(RuntimeError):
        file.change(within)
    assert (tmp_path / "keys.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    file.change(lambda kept: kept)


def test_without_a_file_there_is_nothing_to_rotate(tmp_path):
    with pytest.raises(VaultError, match="is not there"):
        KeyFile(tmp_path).change(lambda kept: kept)
    assert list(tmp_path.iterdir()) == []


def test_nothing_shows_a_key(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    ring = KeyRing.read(configured(tmp_path, profile="shared"), locked=False)
    kept = KeyFile(tmp_path).read()
    shown = repr([ring, kept, vars(ring)["_keys"], str(ring)]) + caplog.text
    for key in (*kept.encryption, *kept.tokens, kept.pepper):
        for form in (written(key), key.hex(), repr(key)[2:-1]):
            assert form not in shown
    for each in (ring, kept, ring.first):
        for refused in (pickle.dumps, copy.deepcopy, json.dumps):
            with pytest.raises(TypeError):
                refused(each)
