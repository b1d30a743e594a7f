from __future__ import annotations

import base64
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.errors import SettingsError, VaultError
from bpaz_lab.vault.key import Key, new_key, read_keys, written

pytestmark = pytest.mark.unit

ONE = bytes(range(32))
TWO = bytes(range(100, 164))


def test_keys_are_read_in_either_alphabet_with_or_without_padding():
    tricky = bytes([0xFB, 0xFF, *range(32)])
    plain, url = base64.b64encode(tricky).decode(), base64.urlsafe_b64encode(tricky).decode()
    assert plain != url
    assert {read_keys(text, "x") for text in (plain, url, url.rstrip("=")) if text} == {(tricky,)}
    assert read_keys(f" {written(ONE)} ,\n{written(TWO)} ", "x") == (ONE, TWO)


@given(st.binary(min_size=32, max_size=64).filter(lambda key: len(set(key)) >= 8))
def test_what_is_written_is_read(key):
    assert read_keys(written(key), "x") == (key,)


def test_new_keys_are_keys():
    assert len({new_key() for _ in range(100)}) == 100
    assert read_keys(written(new_key()), "x")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no key"),
        (" , ", "no key"),
        (written(ONE[:31]), "key 1 is shorter than 32 bytes"),
        (f"{written(ONE)},{written(TWO[:8])}", "key 2 is shorter than 32 bytes"),
        ("hunter2-hunter2-hunter2!", "key 1 is not base64"),
        (f"{written(ONE)}\x00", "key 1 is not base64"),
        ("é" * 44, "key 1 is not base64"),
        (written(bytes(32)), "key 1 is not random"),
        (written(b"password" * 4), "key 1 is not random"),
        (f"{written(ONE)},{written(ONE)}", "twice"),
    ],
)
def test_a_wrong_key_is_told_and_not_shown(text, what):
    with pytest.raises(SettingsError, match=what) as caught:
        read_keys(text, "encryption_keys")
    assert "BPAZ_ENCRYPTION_KEYS" in caught.value.message
    assert caught.value.path == "encryption_keys"
    for part in text.replace(",", " ").split():
        assert part not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_key_wraps_and_shows_its_id_alone():
    key, data_key = Key(ONE), new_key()
    text = key.wrap(data_key, "place")
    assert key.unwrap(text, "place") == data_key
    assert text.split(".")[1] == key.id
    for other, where in ((Key(TWO), "place"), (key, "elsewhere")):
        with pytest.raises(VaultError):
            other.unwrap(text, where)
    assert (repr(key), str(key)) == (f"Key({key.id})",) * 2
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        json.dumps(key)


def test_the_wrapping_key_is_not_the_key_itself():
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    text = Key(ONE).wrap(new_key(), "place")
    head, name, nonce, sealed = text.split(".")
    raw = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (nonce, sealed)]
    with pytest.raises(InvalidTag):
        AESGCM(ONE).decrypt(*raw, f"{head}.{name}|place".encode())
