from __future__ import annotations

import asyncio
import json
import logging
import pickle
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from bpaz_lab.errors import (
    Conflict,
    Forbidden,
    InputError,
    KeyMissing,
    LiteralSecret,
    NotFound,
    RequestError,
    Unauthenticated,
    VaultError,
)
from bpaz_lab.services.credential_views import CredentialMade, Lease
from bpaz_lab.services.dispatch import dispatch
from bpaz_lab.services.lab import Lab
from bpaz_lab.store.repositories.credentials import Credentials
from bpaz_lab.store.tables import AuditLog, UserCredential
from bpaz_lab.vault.catalogue import type_of
from tests.support.executions import Waiting, admitted, call_of, finished, person, tell
from tests.support.providers import GOOD, ProviderServer

pytestmark = pytest.mark.unit

sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
"""For what is decided before the database is asked."""

CANARY = "canary-secret-5f0c2e9ab17d"
KERNEL = "kernel-1"
OPENAI = {"name": "openai", "type": "openai", "fields": {"api_key": CANARY}}


@pytest.fixture
async def lab(database_settings):
    made = Lab.of(database_settings)
    await made.ready()
    made.runner = Waiting(made, KERNEL)
    yield made
    made.runner = None
    await made.close()


@pytest.fixture
async def ada(lab):
    return await person(lab, "ada")


async def ask(lab, caller, method, path, body=None, kernel="", **query):
    """What a route answers, as JSON."""
    parameters = {name: [str(value)] for name, value in query.items()}
    answer = await dispatch(call_of(lab, caller, kernel), method, path, parameters, body)
    value = answer.value
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


async def made(lab, caller, **other):
    return await ask(lab, caller, "POST", "credentials", OPENAI | other)


async def lease(lab, caller, name="openai", host="api.openai.com", kinds=("openai",), kernel=KERNEL, **more):
    body = {"name": name, "kinds": list(kinds), "host": host, **more}
    return await ask(lab, caller, "POST", "credentials/lease", body, kernel)


async def audited(lab):
    async with lab.database.session() as session:
        return list((await session.exec(select(AuditLog).order_by(AuditLog.created_at))).all())


async def row_of(lab, id):
    async with lab.database.session() as session:
        return (await session.exec(select(UserCredential).where(UserCredential.id == id))).one()


# ---- it is kept and not shown


async def test_a_credential_is_kept_and_its_secret_is_not_shown(lab, ada):
    answers = [await made(lab, ada)]
    id = answers[0]["id"]
    answers += [
        await ask(lab, ada, "GET", f"credentials/{id}"),
        await ask(lab, ada, "GET", "credentials"),
        await ask(lab, ada, "PUT", f"credentials/{id}", {"name": "work"}),
        await ask(lab, ada, "PUT", f"credentials/{id}", {"fields": {"api_key": f"{CANARY}2"}}),
    ]
    assert CANARY not in json.dumps(answers)
    assert set(answers[0]) == {
        "id", "name", "type", "fields", "allowed_hosts", "created_at", "updated_at", "last_used_at"
    }  # fmt: skip
    assert answers[1]["fields"] == {}
    assert answers[1]["allowed_hosts"] == ["api.openai.com"]
    assert answers[2] == {"items": [answers[1]], "next": ""}
    assert answers[3]["name"] == "work"
    row = await row_of(lab, UUID(id))
    assert CANARY not in row.model_dump_json()
    assert row.encrypted_secret.startswith("v1.")


@sqlite
async def test_answers_tell_nothing_of_the_length_of_a_secret(lab, ada):
    short = await made(lab, ada, fields={"api_key": "x"})
    long = await made(lab, ada, name="other_", fields={"api_key": "x" * 10_000})
    shapes = [{name: len(str(value)) for name, value in each.items()} for each in (short, long)]
    assert shapes[0] == shapes[1]


async def test_it_is_deleted_for_good(lab, ada):
    id = (await made(lab, ada))["id"]
    assert await ask(lab, ada, "DELETE", f"credentials/{id}") is None
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/validate")):
        with pytest.raises(NotFound):
            await ask(lab, ada, method, f"credentials/{id}{path}")
    with pytest.raises(NotFound):
        await lease(lab, ada)
    await made(lab, ada)  # the name is free again


@sqlite
async def test_types_come_as_forms(lab, ada):
    answer = await ask(lab, ada, "GET", "credentials/types")
    forms = {each["name"]: each for each in answer["items"]}
    assert len(forms) == 13
    assert forms["qdrant"]["fields"][0] == {
        "name": "url",
        "title": "Address",
        "secret": False,
        "required": True,
        "help": "Such as https://name.cloud.qdrant.io:6333.",
        "kind": "url",
    }
    assert (forms["openai"]["main"], forms["openai"]["variable"]) == ("api_key", "OPENAI_API_KEY")
    assert forms["openai"]["hosts"] == ["api.openai.com"]
    assert forms["generic"]["hosts"] == []


async def test_lists_page_sort_and_filter(lab, ada):
    for name in ("c", "a", "b"):
        await made(lab, ada, name=name)
    await made(lab, ada, name="d", type="generic", fields={"value": "x"})
    pages, cursor = [], ""
    while True:
        page = await ask(lab, ada, "GET", "credentials", limit=2, cursor=cursor)
        pages.append([each["name"] for each in page["items"]])
        cursor = page["next"]
        if not cursor:
            break
    assert pages == [["a", "b"], ["c", "d"]]
    for query, names in (
        ({"sort": "-name"}, ["d", "c", "b", "a"]),
        ({"sort": "created_at"}, ["c", "a", "b", "d"]),
        ({"name": "b"}, ["b"]),
        ({"type": "generic"}, ["d"]),
        ({"name": "' OR 1=1 --"}, []),
    ):
        page = await ask(lab, ada, "GET", "credentials", **query)
        assert [each["name"] for each in page["items"]] == names


async def test_a_name_is_taken_once_a_person(lab, ada):
    first, second = await made(lab, ada), await made(lab, ada, name="other")
    with pytest.raises(Conflict, match="of this name"):
        await made(lab, ada)
    with pytest.raises(Conflict, match="of this name"):
        await ask(lab, ada, "PUT", f"credentials/{second['id']}", {"name": "openai"})
    await ask(lab, ada, "PUT", f"credentials/{first['id']}", {"name": "openai"})  # its own
    await made(lab, await person(lab, "bob"))
    assert len((await ask(lab, ada, "GET", "credentials"))["items"]) == 2


@pytest.mark.parametrize(
    "name",
    ["'; DROP TABLE user_credentials; --", "a' OR '1'='1", "%", "_", "../x", "Ключ ✓", "x" * 98],
)
async def test_any_line_of_text_is_a_name(lab, ada, name):
    other = await made(lab, ada, name="other")
    assert (await made(lab, ada, name=f" {name} "))["name"] == name
    assert (await lease(lab, ada, name=name))["value"] == CANARY
    found = await ask(lab, ada, "GET", "credentials", name=name)
    assert [each["name"] for each in found["items"]] == [name]
    assert (await ask(lab, ada, "GET", f"credentials/{other['id']}"))["name"] == "other"


@sqlite
@pytest.mark.parametrize("name", ["  ", "a\nb", "a\x1bb", "\u202ex"])
async def test_what_is_no_line_of_text_is_no_name(lab, ada, name):
    with pytest.raises(InputError) as caught:
        await made(lab, ada, name=name)
    assert caught.value.path == "body.name"


KEY = "sk-" + "proj1234567890abcdefghij"


@sqlite
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("body.name", {"name": KEY}),
        ("body.fields.engine_id", {"type": "google_search", "fields": {"api_key": "x", "engine_id": KEY}}),
        ("body.fields.url", {"type": "qdrant", "fields": {"api_key": "x", "url": f"https://q/{KEY}"}}),
        ("body.allowed_hosts.0", {"allowed_hosts": [KEY]}),
    ],
)
async def test_a_key_in_the_wrong_field_is_refused_and_not_shown(lab, ada, path, body):
    with pytest.raises(LiteralSecret) as caught:
        await made(lab, ada, **body)
    assert caught.value.path == path
    assert KEY not in str(caught.value)
    assert (await ask(lab, ada, "GET", "credentials"))["items"] == []


@sqlite
@pytest.mark.parametrize(
    "host", ["*", "*.com", "https://x.example", "x.example:80", "x/y", "", "a..b", "é.example"]
)
async def test_what_is_no_host_is_not_allowed(lab, ada, host):
    with pytest.raises(InputError) as caught:
        await made(lab, ada, allowed_hosts=["fine.example", host])
    assert caught.value.path == "body.allowed_hosts.1"


@sqlite
async def test_hosts_are_put_in_order(lab, ada):
    given = ["API.Example.", "*.example.org", "[::1]", "10.0.0.1", "api.example", "localhost"]
    hosts = (await made(lab, ada, allowed_hosts=given))["allowed_hosts"]
    assert hosts == ["api.example", "*.example.org", "::1", "10.0.0.1", "localhost"]


# ---- changing it


async def test_a_secret_does_not_follow_its_address_unasked(lab, ada):
    fields = {"url": "https://q.example:6333", "api_key": CANARY}
    first = await made(lab, ada, name="q", type="qdrant", fields=fields)
    assert first["allowed_hosts"] == ["q.example"]
    path = f"credentials/{first['id']}"
    for change in (
        {"fields": {"url": "https://evil.example"}},
        {"allowed_hosts": ["q.example", "evil.example"]},
        {"allowed_hosts": ["*.q.example"]},
    ):
        with pytest.raises(InputError, match="given again") as caught:
            await ask(lab, ada, "PUT", path, change)
        assert caught.value.path == "body.fields.api_key"
        assert await ask(lab, ada, "GET", path) == first
    again = {"url": "https://other.example", "api_key": "another"}
    changed = await ask(lab, ada, "PUT", path, {"fields": again})
    assert changed["allowed_hosts"] == ["other.example"]
    assert (await lease(lab, ada, "q", "other.example", ["qdrant"]))["value"] == "another"
    with pytest.raises(Forbidden):
        await lease(lab, ada, "q", "q.example", ["qdrant"])


@sqlite
async def test_fewer_hosts_need_no_secret(lab, ada):
    first = await made(lab, ada, allowed_hosts=["api.example", "*.models.example"])
    path = f"credentials/{first['id']}"
    for hosts in (["eu.models.example", "*.eu.models.example"], []):
        assert (await ask(lab, ada, "PUT", path, {"allowed_hosts": hosts}))["allowed_hosts"] == hosts
    assert (await lease(lab, ada, host=None))["value"] == CANARY


async def test_what_is_left_out_of_a_change_stays(lab, ada):
    fields = {"url": "https://q.example/a", "api_key": CANARY}
    first = await made(lab, ada, name="q", type="qdrant", fields=fields)
    path = f"credentials/{first['id']}"
    changed = await ask(lab, ada, "PUT", path, {"fields": {"url": "https://q.example/b"}})
    assert changed["fields"] == {"url": "https://q.example/b"}
    assert (await lease(lab, ada, "q", "q.example", []))["value"] == CANARY
    changed = await ask(lab, ada, "PUT", path, {"fields": {"api_key": "new"}})
    assert changed["fields"] == {"url": "https://q.example/b"}
    assert (await lease(lab, ada, "q", "q.example", []))["value"] == "new"
    assert changed["updated_at"] > first["updated_at"]
    with pytest.raises(InputError):
        await ask(lab, ada, "PUT", path, {"fields": {"api_key": " "}})


# ---- lending it


async def test_a_kernel_of_its_owner_gets_it_for_its_host(lab, ada):
    before = await made(
        lab, ada, name="g", type="google_search", fields={"api_key": CANARY, "engine_id": "e"}
    )
    lent = await lease(lab, ada, "g", "customsearch.googleapis.com", ["google_search"])
    assert lent == {
        "value": CANARY,
        "fields": {"engine_id": "e"},
        "hosts": ["customsearch.googleapis.com", "www.googleapis.com"],
    }
    after = await ask(lab, ada, "GET", f"credentials/{before['id']}")
    assert after["last_used_at"] is not None
    assert before["last_used_at"] is None
    assert after["updated_at"] == before["updated_at"]


@sqlite
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "evil.example"}, "evil.example"),
        ({"host": "api.openai.com.evil.example"}, "may not be sent"),
        ({"host": ""}, "may not be sent"),
        ({"kinds": ["anthropic"]}, "anthropic"),
        ({"kinds": ["generic", "qdrant"]}, "type openai"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_unlocked(lab, ada, given, words):
    id = (await made(lab, ada))["id"]
    async with lab.database.session() as session:  # unlocking it would now be another error
        row = await Credentials(session, ada).named("openai")
        row.encrypted_secret = "v1.spoiled"
    with pytest.raises(VaultError):
        await lease(lab, ada)
    with pytest.raises(Forbidden, match=words) as caught:
        await lease(lab, ada, **given)
    assert caught.value.hint
    assert (await ask(lab, ada, "GET", f"credentials/{id}"))["last_used_at"] is None
    assert [(each.action, each.outcome) for each in (await audited(lab))[-2:]] == [
        ("credential.lease", "failed"),
        ("credential.lease", "refused"),
    ]


@sqlite
async def test_a_generic_secret_goes_where_its_owner_allows_it(lab, ada):
    await made(lab, ada, name="g", type="generic", fields={"value": CANARY})
    with pytest.raises(Forbidden, match="may not be sent") as caught:
        await lease(lab, ada, "g", "mail.example", [])
    assert "no host" in caught.value.hint
    assert (await lease(lab, ada, "g", None, []))["value"] == CANARY
    fields = {"value": CANARY}
    await made(lab, ada, name="h", type="generic", fields=fields, allowed_hosts=["mail.example"])
    assert (await lease(lab, ada, "h", "mail.example", ["generic"]))["value"] == CANARY


@sqlite
async def test_this_machine_is_ones_own_only_where_one_is_alone(lab, ada):
    await made(lab, ada)
    assert (await lease(lab, ada, host="127.0.0.1"))["value"] == CANARY
    lab.settings = lab.settings.model_copy(update={"profile": "shared"})
    for host in ("127.0.0.1", "localhost", "::1"):
        with pytest.raises(Forbidden):
            await lease(lab, ada, host=host)


@sqlite
async def test_only_a_kernel_may_lend(lab, ada):
    await made(lab, ada)
    with pytest.raises(Forbidden, match="only a kernel"):
        await lease(lab, ada, kernel="")


async def test_it_is_lent_to_the_execution_of_that_kernel_while_it_runs(lab, ada):
    await made(lab, ada)
    id = await admitted(lab, ada)
    assert (await lease(lab, ada, execution_id=str(id)))["value"] == CANARY
    with pytest.raises(NotFound):
        await lease(lab, ada, execution_id=str(id), kernel="kernel-2")
    with pytest.raises(NotFound):
        await lease(lab, ada, execution_id=str(uuid4()))
    bob = await person(lab, "bob")
    await made(lab, bob)
    with pytest.raises(NotFound):
        await lease(lab, bob, execution_id=str(id))
    outcome = {"status": "completed", "output": "x", "outputs": {}}
    await tell(lab, ada, id, [finished(0)], outcome)
    with pytest.raises(Forbidden, match="has ended"):
        await lease(lab, ada, execution_id=str(id))


# ---- other people


async def test_nobody_else_sees_that_it_exists(lab, ada):
    id = (await made(lab, ada))["id"]
    bob = replace(await person(lab, "bob"), permissions=frozenset({"all"}))
    nothing = uuid4()
    asked = [
        ("GET", "credentials/{}", None),
        ("PUT", "credentials/{}", {"name": "mine"}),
        ("PUT", "credentials/{}", {"fields": {"api_key": "x"}, "allowed_hosts": ["evil.example"]}),
        ("DELETE", "credentials/{}", None),
        ("POST", "credentials/{}/validate", None),
    ]
    for method, path, body in asked:
        told = []
        for each in (id, nothing):
            with pytest.raises(NotFound) as caught:
                await ask(lab, bob, method, path.format(each), body)
            told.append(caught.value.to_dict())
        assert told[0] == told[1]
    with pytest.raises(NotFound):
        await lease(lab, bob)
    assert (await ask(lab, bob, "GET", "credentials"))["items"] == []
    assert (await lease(lab, ada))["value"] == CANARY


async def test_a_secret_that_is_copied_to_another_row_does_not_unlock(lab, ada):
    await made(lab, ada)
    bob = await person(lab, "bob")
    await made(lab, bob, fields={"api_key": "bobs"})
    await made(lab, ada, name="second", fields={"api_key": "second"})
    async with lab.database.session() as session:
        stolen = (await Credentials(session, ada).named("openai")).encrypted_secret
        (await Credentials(session, bob).named("openai")).encrypted_secret = stolen
        (await Credentials(session, ada).named("second")).encrypted_secret = stolen
    for who, name in ((bob, "openai"), (ada, "second")):
        with pytest.raises(VaultError, match="cannot be unlocked"):
            await lease(lab, who, name)
    assert (await lease(lab, ada))["value"] == CANARY


@sqlite
async def test_who_is_not_signed_in_or_may_not_keep_credentials(lab, ada):
    nobody = replace(ada, user_id=None)
    viewer = replace(ada, permissions=frozenset({"view_workflows"}))
    for method, path, body in (
        ("GET", "credentials", None),
        ("GET", "credentials/types", None),
        ("POST", "credentials", OPENAI),
        ("POST", "credentials/validate", {"type": "openai", "fields": {"api_key": "x"}}),
    ):
        with pytest.raises(Unauthenticated):
            await ask(lab, nobody, method, path, body)
        if method == "POST":
            with pytest.raises(Forbidden):
                await ask(lab, viewer, method, path, body)


# ---- asking the provider


@sqlite
async def test_a_credential_is_validated_by_its_provider(lab, ada, monkeypatch):
    id = (await made(lab, ada, fields={"api_key": GOOD}))["id"]
    async with ProviderServer("openai") as server:
        monkeypatch.setattr(type_of("openai"), "base", f"{server.root}/v1")
        told = await ask(lab, ada, "POST", f"credentials/{id}/validate")
        assert told == {"valid": True, "message": "OpenAI takes it."}
        wrong = {"type": "openai", "fields": {"api_key": CANARY}}
        told = await ask(lab, ada, "POST", "credentials/validate", wrong)
        assert told["valid"] is False
        assert CANARY not in told["message"]
        assert "Incorrect API key provided: •••" in told["message"]
        assert len(server.requests) == 2
    assert [each.action for each in await audited(lab)].count("credential.validate") == 2


@sqlite
async def test_validating_sends_a_secret_to_no_other_host(lab, ada):
    async with ProviderServer("qdrant") as server:
        fields = {"url": server.root, "api_key": GOOD}
        body = {"name": "q", "type": "qdrant", "fields": fields, "allowed_hosts": ["q.example"]}
        lab.settings = lab.settings.model_copy(update={"profile": "shared"})
        id = (await made(lab, ada, **body))["id"]
        async with lab.database.session() as session:  # it is not even unlocked
            (await Credentials(session, ada).named("q")).encrypted_secret = "v1.spoiled"
        told = await ask(lab, ada, "POST", f"credentials/{id}/validate")
        assert told == {"valid": False, "message": "It could not be checked: it may not go to 127.0.0.1."}
        assert server.requests == []
    assert (await audited(lab))[-1].outcome == "refused"


@sqlite
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}", "http://localhost:{port}", "http://169.254.169.254"]
)
async def test_a_shared_server_reaches_nothing_within_for_a_guest(lab, ada, address):
    lab.settings = lab.settings.model_copy(update={"profile": "shared"})
    async with ProviderServer("qdrant") as server:
        url = address.format(port=server.root.rpartition(":")[2])
        body = {"type": "qdrant", "fields": {"url": url, "api_key": GOOD}}
        told = await ask(lab, ada, "POST", "credentials/validate", body)
        assert told["valid"] is False
        assert "reached" in told["message"]
        assert server.requests == []


@sqlite
async def test_the_clouds_own_keys_are_never_asked_for(lab, ada):
    body = {"type": "qdrant", "fields": {"url": "http://169.254.169.254/latest", "api_key": GOOD}}
    told = await ask(lab, ada, "POST", "credentials/validate", body)
    assert "never reached" in told["message"]


# ---- what is written down


async def test_every_deed_is_in_the_audit_log_and_no_secret(lab, ada, caplog):
    caplog.set_level(logging.DEBUG)
    id = (await made(lab, ada))["id"]
    await ask(lab, ada, "PUT", f"credentials/{id}", {"fields": {"api_key": f"{CANARY}2"}})
    await lease(lab, ada)
    with pytest.raises(Forbidden):
        await lease(lab, ada, host="evil.example")
    await ask(lab, ada, "DELETE", f"credentials/{id}")
    rows = await audited(lab)
    assert [(each.action, each.outcome) for each in rows] == [
        ("credential.create", "done"),
        ("credential.update", "done"),
        ("credential.lease", "done"),
        ("credential.lease", "refused"),
        ("credential.delete", "done"),
    ]
    assert {(each.object_type, each.object_id, each.user_id) for each in rows} == {
        ("credential", id, ada.user_id)
    }
    leased = rows[2].details
    assert leased == {
        "name": "openai",
        "kinds": ["openai"],
        "host": "api.openai.com",
        "execution_id": None,
        "kernel_id": KERNEL,
    }
    written = "".join(each.model_dump_json() for each in rows) + caplog.text
    assert CANARY not in written
    assert rows[1].details["secret_changed"] is True


async def test_a_change_that_fails_is_not_in_the_audit_log(lab, ada):
    await made(lab, ada)
    with pytest.raises(Conflict):
        await made(lab, ada)
    assert len(await audited(lab)) == 1


async def test_a_lost_key_stops_credentials_and_nothing_else(lab, ada, tmp_path):
    id = (await made(lab, ada))["id"]
    (tmp_path / "keys.json").unlink()
    again = Lab.of(lab.settings)
    await again.ready()
    try:
        assert not (tmp_path / "keys.json").exists()
        for attempt in (lease(again, ada), made(again, ada, name="other")):
            with pytest.raises(KeyMissing) as caught:
                await attempt
            assert "keys.json" in caught.value.hint
        assert (await ask(again, ada, "GET", f"credentials/{id}"))["name"] == "openai"
        assert await ask(again, ada, "DELETE", f"credentials/{id}") is None
    finally:
        await again.close()


def test_nothing_that_holds_a_secret_becomes_text():
    body = CredentialMade(**OPENAI)
    lent = Lease(value=CANARY, fields={}, hosts=[])
    assert CANARY not in repr([body, lent])
    assert CANARY not in str(body)
    assert CANARY not in body.model_dump_json()
    public, secret = type_of("openai").split({"api_key": CANARY})
    assert CANARY not in repr([public, secret])
    for refused in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError):
            refused(secret)


@sqlite
@pytest.mark.parametrize(
    "fields",
    [
        {"api_key": 5},
        {"api_key": [CANARY]},
        {"api_key": {"x": CANARY}},
        {"api_key": CANARY * 2000},
        CANARY,
        [CANARY],
    ],
)
async def test_a_body_of_another_shape_is_refused_without_showing_it(lab, ada, fields):
    with pytest.raises(RequestError) as caught:
        await made(lab, ada, fields=fields)
    shown = f"{caught.value} {getattr(caught.value, 'problems', '')}"
    assert CANARY not in shown


async def test_of_two_who_take_a_name_at_once_one_gets_it(lab, ada):
    told = await asyncio.gather(*(made(lab, ada) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, dict) for each in told) == 1
    assert sum(isinstance(each, Conflict) for each in told) == 3
    assert (await lease(lab, ada))["value"] == CANARY
    assert [each.action for each in await audited(lab)] == ["credential.create", "credential.lease"]
