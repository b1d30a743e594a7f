from __future__ import annotations

import copy
import json
import pickle

import pytest

from bpaz_lab.errors import JsonError
from bpaz_lab.guard.secret import Secret, is_reference, looks_like_secret
from bpaz_lab.guard.strict_json import dumps

pytestmark = pytest.mark.unit

VALUE = "correct horse battery staple"


def test_it_shows_a_mask():
    assert repr(Secret(VALUE)) == "Secret(•••)"
    assert repr([Secret(VALUE)]) == "[Secret(•••)]"
    assert Secret(VALUE).reveal() == VALUE


@pytest.mark.parametrize(
    "leak",
    [
        str,
        format,
        "{}".format,
        "{:>5}".format,
        lambda s: f"Bearer {s}",
        lambda s: "%s" % s,  # noqa: UP031
        json.dumps,
        pickle.dumps,
        lambda s: pickle.dumps(s, protocol=0),
        vars,
        lambda s: s.__getstate__(),
        bytes,
        list,
    ],
)
def test_it_refuses_to_become_text(leak):
    with pytest.raises(TypeError) as caught:
        leak(Secret(VALUE))
    assert VALUE not in str(caught.value)


def test_it_is_not_json():
    with pytest.raises(JsonError):
        dumps({"key": Secret(VALUE)})


def test_copies_are_the_secret_itself():
    secret = Secret(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"key": secret})["key"] is secret


def test_equality_is_by_value_and_only_with_secrets():
    assert Secret(VALUE) == Secret(VALUE)
    assert len({Secret(VALUE), Secret(VALUE)}) == 1
    assert Secret("é") != Secret("e")
    assert Secret(VALUE) != VALUE


def test_only_text_is_a_secret():
    with pytest.raises(TypeError, match="not a bytes"):
        Secret(b"x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"$cred": "openai"}, True),
        ({"$cred": ""}, False),
        ({"$cred": 1}, False),
        ({"$cred": "a", "b": 1}, False),
        ({}, False),
        ("openai", False),
        (None, False),
    ],
)
def test_references(value, expected):
    assert is_reference(value) is expected


# Put together here, so that no scanner takes this file for a leak.
SHAPES = [
    ("sk-", "a1B2" * 12), ("sk-proj-", "a1_B-" * 12), ("sk-ant-api03-", "Zz9" * 20), ("sk-", "abcdefgh" * 4),
    ("AIza", "Sy0" * 12), ("ghp_", "aB3" * 12), ("github_pat_", "11AB" * 12), ("xoxb-", "123456789012-abc"),
    ("hf_", "aBc" * 12), ("tvly-", "dev-" + "a1b2" * 6), ("AKIA", "ABCD1234" * 2), ("pcsk_", "a1" * 20),
    ("gsk_", "a1" * 20), ("-----BEGIN ", "PRIVATE KEY-----"), ("-----BEGIN RSA ", "PRIVATE KEY-----"),
    ("eyJhbGciOiJIUzI1", "NiJ9.eyJzdWIiOiIxMjM0.c2lnbmF0dXJlMQ"),
]  # fmt: skip


@pytest.mark.parametrize(("prefix", "rest"), SHAPES)
def test_well_known_keys_are_spotted(prefix, rest):
    assert looks_like_secret(prefix + rest)
    assert looks_like_secret(f'{{"key": "{prefix}{rest}"}}')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What is a kernel?",
        "sk-learn and sk-image are packages",
        "ask-me-anything-about-the-weather-2024",
        "a risk-based-approach-to-everything-1",
        "sk-your-own-api-key-goes-here",
        "https://github.com/owner/repo",
        "hf_hub",
        "notes/*.md",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_ordinary_texts_are_left_alone(text):
    assert not looks_like_secret(text)
