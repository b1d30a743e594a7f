from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.errors import VaultError
from bpaz_lab.vault.sealing import key_name, seal, unseal

pytestmark = pytest.mark.unit

KEY = bytes(range(32))
names = st.text("abcdef0123456789-", min_size=1, max_size=36)


@given(names, st.binary(max_size=200), st.text(max_size=50))
def test_what_is_sealed_opens(name, content, place):
    text = seal(KEY, name, content, place)
    assert unseal(KEY, text, place) == content
    assert key_name(text) == name


def test_every_nonce_is_new():
    assert len({seal(KEY, "k", b"", "").split(".")[2] for _ in range(1000)}) == 1000


@given(st.data())
def test_every_bit_counts(data):
    content = b"content"[: data.draw(st.integers(0, 3))]  # so that base64 has bits to spare, or none
    text = seal(KEY, "0a-f", content, "place")
    raw = bytearray(text.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 6))
    with pytest.raises(VaultError):
        unseal(KEY, raw.decode(), "place")


@given(st.data())
def test_nothing_may_be_cut_off(data):
    text = seal(KEY, "k", b"the content", "place")
    with pytest.raises(VaultError):
        unseal(KEY, text[: data.draw(st.integers(0, len(text) - 1))], "place")


@given(st.text(max_size=200))
def test_any_text_is_a_typed_error(text):
    with pytest.raises(VaultError):
        unseal(KEY, text, "place")


@pytest.mark.parametrize("name", ["K", "k ", "", "k.k"])
def test_the_name_is_sealed_too(name):
    version, _, *rest = seal(KEY, "k", b"x", "place").split(".")
    with pytest.raises(VaultError):
        unseal(KEY, ".".join([version, name, *rest]), "place")


def test_two_places_that_read_alike_are_two():
    text = seal(KEY, "k", b"x", "a|b")
    with pytest.raises(VaultError):
        unseal(KEY, text, "b")
    with pytest.raises(VaultError):
        unseal(bytes(32), text, "a|b")
