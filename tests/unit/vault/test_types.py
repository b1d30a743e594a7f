from __future__ import annotations

import importlib
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.errors import InputError, LiteralSecret
from bpaz_lab.guard import credentials
from bpaz_lab.guard.egress import EgressPolicy
from bpaz_lab.guard.mask import Masker
from bpaz_lab.guard.secret import Secret
from bpaz_lab.vault import types
from bpaz_lab.vault.asking import LONGEST, Reply, words
from bpaz_lab.vault.catalogue import credential_types, type_of
from tests.support.providers import GOOD, PROVIDERS, ProviderServer

pytestmark = pytest.mark.unit

HERE = EgressPolicy(private=True, max_seconds=5)
BAD = "bad-key-that-must-not-be-shown-9876543210"
BASES = {"openai": "/v1", "anthropic": "/v1", "google": "/v1beta", "cohere": "/v1", "wolframalpha": "/v2"}
BASES |= {"huggingface": "/api"}

every_provider = pytest.mark.parametrize("name", PROVIDERS)


def made(name, root):
    return type(type_of(name))(base=f"{root}{BASES.get(name, '')}")


def filled(kind, key, root):
    fields = {kind.main: Secret(key)}
    for field in kind.fields:
        if not field.secret:
            fields[field.name] = "engine-1"
        if field.kind == "url":
            fields[field.name] = f"{root}/v1" if kind.name == "openai_compatible" else root
    return fields


async def validated(name, key, answer="own"):
    async with ProviderServer(name, answer) as server:
        kind = made(name, server.root)
        validity = await kind.validate(filled(kind, key, server.root), HERE)
        assert len(server.requests) == 1
        if PROVIDERS[name].sent[0] == "header":
            assert key not in server.requests[0]["target"]
    return validity


def test_the_catalogue_is_the_folder():
    files = {path.stem for path in Path(types.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(credential_types()) == files
    assert len(files) == 13
    for name in files:
        importlib.import_module(f"{types.__name__}.{name}")
        assert type_of(name).name == name


def test_each_provider_of_the_environment_is_a_type():
    assert set(credentials.PROVIDERS) == {each.name for each in credential_types().values() if each.variable}
    assert set(PROVIDERS) == set(credential_types()) - {"generic"}


@pytest.mark.parametrize("kind", credential_types().values(), ids=lambda kind: kind.name)
def test_a_form_says_what_to_put_in(kind):
    assert kind.title
    assert sum(field.secret for field in kind.fields) == 1
    assert len({field.name for field in kind.fields}) == len(kind.fields)
    for field in kind.fields:
        assert field.title
        assert field.help


@pytest.mark.parametrize("kind", credential_types().values(), ids=lambda kind: kind.name)
def test_a_provider_is_asked_at_a_host_that_the_key_may_go_to(kind):
    public = {field.name: "https://own.example/v1" for field in kind.fields if field.kind == "url"}
    host = kind.asks(public)
    assert bool(host) is (kind.name != "generic")
    if host:
        assert credentials.may_go_to(host, kind.hosts(public))
        assert kind.usual_base.startswith("https://") or public


def test_a_former_name_is_the_type():
    assert type_of("wolfram") is type_of("wolframalpha")
    assert type_of("wolframalpha").fits(["wolfram"])
    with pytest.raises(InputError, match="no such type") as caught:
        type_of("'; DROP TABLE users")
    assert "openai" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "kinds", "fits"),
    [
        ("openai", ["openai"], True),
        ("openai", [], True),
        ("openai", ["anthropic"], False),
        ("openai_compatible", ["openai"], True),
        ("openai", ["openai_compatible"], False),
        ("generic", ["openai"], False),
        ("generic", [], True),
    ],
)
def test_a_type_fits_the_kinds_that_a_node_takes(name, kinds, fits):
    assert type_of(name).fits(kinds) is fits


# ---- asking


@every_provider
async def test_a_right_key_is_taken(name):
    validity = await validated(name, GOOD)
    assert validity.valid, validity.message
    assert validity.message == f"{type_of(name).title} takes it."


@every_provider
async def test_a_wrong_key_is_not_taken_and_not_shown(name):
    validity = await validated(name, BAD)
    assert not validity.valid
    assert validity.message.startswith(f"{type_of(name).title} does not take it")
    assert BAD not in validity.message
    if name != "wolframalpha":
        assert ": " in validity.message  # the provider's own words


@every_provider
async def test_a_provider_that_is_busy_says_nothing_about_the_key(name):
    validity = await validated(name, GOOD, "busy")
    assert not validity.valid
    assert validity.message.startswith("It could not be checked")
    assert GOOD not in validity.message


@every_provider
@pytest.mark.parametrize("answer", ["moved", (500, "oops {key}"), (404, "<html>{key}</html>"), (503, "")])
async def test_what_is_no_answer_of_the_provider_is_not_a_verdict(name, answer):
    validity = await validated(name, GOOD, answer)
    assert not validity.valid
    assert validity.message.startswith("It could not be checked")
    assert GOOD not in validity.message


@pytest.mark.parametrize("status", [401, 403])
@every_provider
async def test_both_refusals_count(name, status):
    validity = await validated(name, GOOD, (status, {"message": "no, {key}"}))
    assert not validity.valid
    assert "does not take it: no, •••" in validity.message


async def test_cohere_says_it_in_a_field():
    for body in ({"valid": False}, {"valid": "true"}):
        validity = await validated("cohere", GOOD, (200, body))
        assert not validity.valid
        assert "does not take it" in validity.message
    assert "could not be checked" in (await validated("cohere", GOOD, (200, "[]"))).message


async def test_a_provider_that_is_not_there():
    async with ProviderServer("openai") as server:
        kind = made("openai", server.root)
    validity = await kind.validate(filled(kind, GOOD, ""), HERE)
    assert (validity.valid, validity.message) == (
        False,
        "It could not be checked: 127.0.0.1 cannot be reached.",
    )


async def test_a_name_that_does_not_resolve():
    kind = made("openai", "https://nowhere.invalid")
    validity = await kind.validate(filled(kind, GOOD, ""), HERE)
    assert "nowhere.invalid cannot be reached" in validity.message


async def test_a_provider_that_is_silent():
    async with ProviderServer("openai", "silent") as server:
        kind = made("openai", server.root)
        policy = EgressPolicy(private=True, max_seconds=0.3)
        validity = await kind.validate(filled(kind, GOOD, ""), policy)
    assert not validity.valid
    assert validity.message.startswith("It could not be checked")


async def test_an_address_that_may_not_be_reached_is_not_reached():
    async with ProviderServer("qdrant") as server:
        kind = type_of("qdrant")
        validity = await kind.validate(filled(kind, GOOD, server.root), EgressPolicy())
        assert server.requests == []
    assert "may not be reached" in validity.message
    assert not validity.valid


@pytest.mark.parametrize("key", ["é" * 20, "a\nb: c" * 5, "a\r\nx: y" * 3, "\x00" * 8])
async def test_what_no_header_can_hold_is_told_and_not_sent(key):
    async with ProviderServer("openai") as server:
        kind = made("openai", server.root)
        validity = await kind.validate({"api_key": Secret(key)}, HERE)
        assert server.requests == []
    assert validity.message == "It could not be checked: it holds a character that no key holds."


async def test_nobody_is_asked_about_a_generic_secret():
    validity = await type_of("generic").validate({"value": Secret(GOOD)}, EgressPolicy())
    assert validity.valid
    assert "nobody to ask" in validity.message


@every_provider
async def test_no_log_holds_the_key(name, caplog):
    caplog.set_level(logging.DEBUG)
    await validated(name, BAD)
    assert BAD not in caplog.text


# ---- the provider's words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"error": {"message": "no"}}', "no"),
        ('[{"error": {"message": "no"}}]', "no"),
        ('{"detail": {"error": "no"}}', "no"),
        ('{"status": {"error": "no"}, "time": 1}', "no"),
        ("plain\n\twords\x1b[31m", "plain words [31m"),
        ("<html>a page</html>", ""),
        ("", ""),
        ("[" * 100_000, "[" * (LONGEST - 1) + "…"),
        ('{"error": "key sk-abcd****************wxyz is wrong"}', "key ••• is wrong"),
        ('{"error": "key sk-abcd...........wxyz is wrong"}', "key ••• is wrong"),
        ('{"error": "the-secret and dGhlLXNlY3JldA=="}', "••• and •••"),
    ],
)
def test_words(text, shown):
    assert words(Reply(400, text), Masker(["the-secret"])) == shown


@given(st.text(max_size=50), st.text(max_size=50))
def test_words_never_hold_the_secret(before, after):
    secret = "k3y-of-the-canary"
    for text in (f"{before}{secret}{after}", f'{{"message": "{secret}"}}', f'"{secret}"'):
        assert secret not in words(Reply(401, text), Masker([secret]))


# ---- the form


def test_fields_are_parted():
    public, secret = type_of("qdrant").split({"url": " https://q.example:6333/ ", "api_key": f" {GOOD}\n"})
    assert public == {"url": "https://q.example:6333"}
    assert secret["api_key"].reveal() == GOOD
    assert type_of("qdrant").hosts(public) == ["q.example"]


@pytest.mark.parametrize(
    ("name", "given", "path"),
    [
        ("openai", {}, "body.fields.api_key"),
        ("openai", {"api_key": "  "}, "body.fields.api_key"),
        ("openai", {"api_key": "x", "surprise": "y"}, "body.fields"),
        ("qdrant", {"api_key": "x"}, "body.fields.url"),
        ("google_search", {"api_key": "x"}, "body.fields.engine_id"),
        *(
            ("qdrant", {"api_key": "x", "url": url}, "body.fields.url")
            for url in (
                "q.example",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "https://",
                "https://user:pass@q.example",
                "https://q.example/?api_key=1",
                "https://q.example/#x",
                "https://[q.example",
                "https://q.example:99999",
            )
        ),
    ],
)
def test_a_form_that_is_not_filled_in_right(name, given, path):
    with pytest.raises(InputError) as caught:
        type_of(name).split(given)
    assert caught.value.path == path
    assert caught.value.hint


def test_a_key_in_a_field_that_everybody_sees_is_refused():
    key = "AIza" + "Sy0123456789abcdefghijABCDEFGHIJ012"
    for name, field in (("google_search", "engine_id"), ("qdrant", "url")):
        value = f"https://q.example/{key}" if field == "url" else key
        with pytest.raises(LiteralSecret) as caught:
            type_of(name).split({"api_key": "x", field: value})
        assert caught.value.path == f"body.fields.{field}"
        assert key not in str(caught.value)


def test_what_is_left_out_of_a_change_stays():
    assert type_of("qdrant").split({}, partly=True) == ({}, {})
    assert type_of("qdrant").split({"url": "https://q.example"}, partly=True)[1] == {}
    with pytest.raises(InputError):
        type_of("qdrant").split({"url": ""}, partly=True)
