"""A kernel proves itself with the key that only it and its server know."""

from __future__ import annotations

from uuid import uuid4

import pytest

from bpaz_lab.accounts.capability import LIFETIME, MOST, PATIENCE, PREFIX, Capabilities, proof
from bpaz_lab.errors import Throttled, Unauthenticated

pytestmark = [pytest.mark.unit, pytest.mark.auth]

KEY = b"the key of the connection file"
OWNER = uuid4()


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def capabilities(clock):
    return Capabilities(clock)


def granted(capabilities, kernel="k1", key=KEY, owner=OWNER):
    nonce = capabilities.challenge(kernel)
    return capabilities.grant(kernel, nonce, proof(key, kernel, nonce), key=key, owner=owner)


def test_a_kernel_that_knows_its_key_gets_a_capability(capabilities):
    token = granted(capabilities)
    assert token.startswith(PREFIX)
    assert (capabilities.check(token).kernel_id, capabilities.check(token).owner) == ("k1", OWNER)


@pytest.mark.parametrize(
    ("kernel", "answer", "key"),
    [
        ("k1", lambda nonce: proof(b"another key", "k1", nonce), KEY),
        ("k1", lambda nonce: proof(KEY, "k2", nonce), KEY),  # of another kernel
        ("k2", lambda nonce: proof(KEY, "k2", nonce), KEY),  # the challenge was for k1
        ("k1", lambda nonce: proof(KEY, "k1", nonce + "x"), KEY),
        ("k1", lambda _nonce: "", KEY),
        ("k1", lambda _nonce: "ä" * 64, KEY),
        ("k1", lambda nonce: proof(b"", "k1", nonce), None),  # no such kernel
        ("k1", lambda nonce: proof(b"", "k1", nonce), b""),  # a kernel without a key
    ],
)
def test_one_that_does_not_gets_none(capabilities, kernel, answer, key):
    nonce = capabilities.challenge("k1")
    with pytest.raises(Unauthenticated):
        capabilities.grant(kernel, nonce, answer(nonce), key=key, owner=OWNER)


def test_a_challenge_is_answered_once(capabilities):
    nonce = capabilities.challenge("k1")
    capabilities.grant("k1", nonce, proof(KEY, "k1", nonce), key=KEY, owner=OWNER)
    with pytest.raises(Unauthenticated):
        capabilities.grant("k1", nonce, proof(KEY, "k1", nonce), key=KEY, owner=OWNER)


def test_a_wrong_answer_uses_the_challenge_up(capabilities):
    nonce = capabilities.challenge("k1")
    with pytest.raises(Unauthenticated):
        capabilities.grant("k1", nonce, "wrong", key=KEY, owner=OWNER)
    with pytest.raises(Unauthenticated):
        capabilities.grant("k1", nonce, proof(KEY, "k1", nonce), key=KEY, owner=OWNER)


def test_a_challenge_waits_half_a_minute(capabilities, clock):
    nonce = capabilities.challenge("k1")
    clock.now += PATIENCE
    with pytest.raises(Unauthenticated):
        capabilities.grant("k1", nonce, proof(KEY, "k1", nonce), key=KEY, owner=OWNER)


def test_a_kernel_of_nobody_gets_none(capabilities):
    with pytest.raises(Unauthenticated, match="nobody is known"):
        granted(capabilities, owner=None)


def test_a_capability_ends(capabilities, clock):
    token = granted(capabilities)
    clock.now += LIFETIME - 1
    assert capabilities.check(token)
    clock.now += 1
    with pytest.raises(Unauthenticated):
        capabilities.check(token)


def test_a_dead_kernel_has_none(capabilities):
    one, other = granted(capabilities), granted(capabilities, "k2")
    capabilities.revoke("k1")
    assert capabilities.check(other)
    with pytest.raises(Unauthenticated):
        capabilities.check(one)


@pytest.mark.parametrize("token", ["", PREFIX, "bpaz-kernel-made-up", "\udcff"])
def test_what_was_never_granted_is_none(capabilities, token):
    with pytest.raises(Unauthenticated):
        capabilities.check(token)


def test_nobody_fills_the_memory_with_challenges(capabilities, clock):
    for _ in range(MOST):
        capabilities.challenge("k1")
    with pytest.raises(Throttled):
        capabilities.challenge("k1")
    clock.now += PATIENCE
    assert capabilities.challenge("k1")


def test_the_tokens_themselves_are_not_kept(capabilities):
    token = granted(capabilities)
    assert token not in repr(vars(capabilities))
