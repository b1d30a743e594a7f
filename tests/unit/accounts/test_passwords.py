from __future__ import annotations

import base64
import hashlib
import hmac

import bcrypt
import pytest

from bpaz_lab.accounts.passwords import COMMON, Passwords, accept
from bpaz_lab.errors import InputError

pytestmark = [pytest.mark.unit, pytest.mark.auth]

PEPPER = b"p" * 32


@pytest.fixture
def passwords():
    return Passwords(PEPPER, 4)


async def test_a_password_is_right_and_no_other_is(passwords):
    kept = await passwords.hash("a long walk in the rain")
    assert await passwords.check("a long walk in the rain", kept)
    for wrong in ("a long walk in the rain ", "A long walk in the rain", "", "a long walk in the rai"):
        assert not await passwords.check(wrong, kept)


async def test_the_same_password_is_kept_in_different_ways(passwords):
    assert await passwords.hash("a long walk") != await passwords.hash("a long walk")


async def test_what_is_hashed_is_the_hmac_with_the_pepper(passwords):
    kept = await passwords.hash("a long walk")
    digest = hmac.new(PEPPER, b"a long walk", hashlib.sha384).digest()
    assert bcrypt.checkpw(base64.b64encode(digest), kept.encode())
    assert not await Passwords(b"q" * 32, 4).check("a long walk", kept)


async def test_all_of_a_long_password_counts(passwords):
    kept = await passwords.hash("x" * 200 + "a")
    assert await passwords.check("x" * 200 + "a", kept)
    assert not await passwords.check("x" * 200 + "b", kept)


async def test_one_letter_may_be_written_in_two_ways(passwords):
    kept = await passwords.hash("ein sch\u00f6ner Tag")
    assert await passwords.check("ein scho\u0308ner Tag", kept)


async def test_a_zero_byte_does_not_end_a_password(passwords):
    kept = await passwords.hash("before\0behind")
    assert not await passwords.check("before\0other", kept)


async def test_nobody_has_no_password(passwords):
    assert not await passwords.check("", None)
    assert not await passwords.check("a long walk", None)


async def test_a_hash_of_another_cost_is_outdated(passwords):
    kept = await passwords.hash("a long walk")
    assert not passwords.outdated(kept)
    assert Passwords(PEPPER).outdated(kept)
    assert kept.startswith("$2b$04$")


def test_the_cost_is_twelve():
    assert not Passwords(PEPPER).outdated("$2b$12$" + "x" * 53)


@pytest.mark.parametrize(
    "password",
    [
        "a long walk in the rain",
        "84920174638",
        "Ünïcödé ist auch gut",
        "qwertyuiop and more",
        "x" * 250 + "abcdef",
        "the password is swordfish",
    ],
)
def test_a_password_that_is_taken(password):
    accept(password, ("ada@example.org", "Ada Lovelace", ""))


@pytest.mark.parametrize(
    "password",
    [
        "", "ninechars", "x" * 257, "aaaaaaaaaaaa", "abababababab", "1234567890", "0987654321", "2345678901",
        "123456789012", "qwertyuiop", "QWERTYUIOP", "abcdefghijkl", "zyxwvutsrqp", "password12",
        "Password2026", "12password34", "ada@example.org", "Ada Lovelace", "adalovelace1",
        "Correct Horse Battery Staple", "P.a.s.s.w.o.r.d",
    ],
)  # fmt: skip
def test_a_password_that_is_refused(password):
    with pytest.raises(InputError) as caught:
        accept(password, ("ada@example.org", "Ada Lovelace"))
    assert caught.value.path == "body.password"
    assert password == "" or password not in str(caught.value)


def test_the_common_ones_are_written_as_they_are_compared():
    assert all(word == word.casefold() and word.isalnum() for word in COMMON)
