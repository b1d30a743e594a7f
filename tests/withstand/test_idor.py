"""Ids of others: every route that takes one, asked by everybody whom it does not belong to.

The routes are those of the table. A new one without a line in `ENTRIES` (ids in its path) or in `FIELDS`
(ids in its query or body) fails. What one may not know of answers, to the byte, as what does not exist.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID, uuid4

import pytest

from bpaz_lab.services.table import ROUTES
from tests.withstand.town import GREETING, execution, plain, rows, stored, town_in

pytestmark = [pytest.mark.integration, pytest.mark.auth]

STRANGERS = ("bob", "vic", "mia", "root")
"""A user, a viewer, a member of ada's organisation, and the server's administrator."""


@dataclass(frozen=True)
class Entry:
    """What a route's ids name, and what else it takes."""

    things: tuple[str, ...]
    body: dict | bytes | None = None
    query: str = ""
    headers: tuple = ()


NOBODY = "0b5b2f0e-6a4e-4f0c-9c43-5a3f7f8f2a11"
DIGEST = blake2b(b"a piece", digest_size=16).hexdigest()
KEPT = ("1", DIGEST)
"""What is the same everywhere."""
WORKFLOW = Entry(("workflow",))
ENTRIES = {
    # workflows, and what hangs on them
    "get_workflow": WORKFLOW,
    "update_workflow": Entry(("workflow",), {"name": "mine now", "version": 2}),
    "delete_workflow": WORKFLOW,
    "list_versions": WORKFLOW,
    "get_version": Entry(("workflow", "1")),
    "diff_versions": Entry(("workflow",), query="?from=1&to=2"),
    "restore_version": Entry(("workflow", "1"), {}),
    "execute_workflow": Entry(("workflow",), {"inputs": {"name": "x"}}, "?wait=0"),
    "stream_workflow": Entry(("workflow",), {"inputs": {"name": "x"}}),
    "list_messages": WORKFLOW,
    "create_message": Entry(("workflow",), {"content": "I was here"}),
    "delete_messages": WORKFLOW,
    "list_sessions": WORKFLOW,
    # what is one person's alone
    "get_execution": Entry(("execution",), query="?document=true"),
    "listen_to_execution": Entry(("execution",), headers=(("accept", "application/json"),)),
    "cancel_execution": Entry(("paused",)),
    "resume_execution": Entry(("paused",), {"answers": {"approve": True}}),
    "delete_execution": Entry(("execution",)),
    "fork_execution": Entry(("execution",), {"node": "hello"}),
    "diff_executions": Entry(("execution",), query=f"?with={NOBODY}"),
    "list_steps": Entry(("execution",)),
    "read_ledger": Entry(("execution",)),
    "read_part": Entry(("execution", DIGEST)),
    "read_credential": Entry(("credential",)),
    "update_credential": Entry(("credential",), {"name": "mine now", "allowed_hosts": ["evil.example"]}),
    "delete_credential": Entry(("credential",)),
    "validate_credential": Entry(("credential",)),
    "get_template": Entry(("template",)),
    "delete_template": Entry(("template",)),
    "publish_template": Entry(("template",), {}),
    "instantiate_template": Entry(("template",), {}),
    # what administrators manage
    "read_organization": Entry(("organization",)),
    "update_organization": Entry(("organization",), {"name": "ours now"}),
    "delete_organization": Entry(("organization",)),
    "list_members": Entry(("organization",)),
    "create_member": Entry(("organization",), {"email": "bob@example.org", "role": "admin"}),
    "update_member": Entry(("organization", "user"), {"role": "viewer"}),
    "delete_member": Entry(("organization", "user")),
    "list_login_methods": Entry(("organization",)),
    "create_login_method": Entry(("organization",), {"name": "ours"}),
    "read_login_method": Entry(("organization", "method")),
    "update_login_method": Entry(("organization", "method"), {"name": "ours"}),
    "delete_login_method": Entry(("organization", "method")),
    "read_user": Entry(("user",)),
    "update_user": Entry(("user",), {"role": "viewer", "status": "disabled"}),
    "erase_user": Entry(("user",)),
    "export_user": Entry(("user",)),
    "update_role": Entry(("role",), {"permissions": ["all"]}),
    "delete_role": Entry(("role",)),
    # what kernels ask
    "claim_execution": Entry(("pending",)),
    "tell_events": Entry(("pending",), {"epoch": 0, "events": []}),
    "take_execution": Entry(("pending",), {}),
    "write_ledger": Entry(("pending",), b"", "?epoch=0"),
    "keep_part": Entry(("pending", DIGEST), b"a piece"),
    "lacking_parts": Entry(("pending",), {"digests": [DIGEST]}),
}
OPEN = {"read_role": "roles are no secret", "get_node": "node types are no secret", "compute_ports": "same"}
ADMINISTRATED = ("organization", "user", "role")
READS = ("get_workflow", "list_versions", "get_version", "diff_versions", "list_messages", "list_sessions")
OF_THE_OWNER = ("take_execution",)
"""What any kernel of the same person may do."""
OWN = ("create_message", "delete_messages")
"""Conversations with somebody else's workflow are one's own."""
WRITES = ("update_workflow", "delete_workflow", "restore_version")

FIELDS = {
    ("create_workflow", "organization_id"): ("organization", {"flow_data": GREETING}),
    ("update_workflow", "organization_id"): ("organization", {"version": 1}),
    ("list_workflows", "organization"): ("organization", None),
    ("list_executions", "workflow"): ("workflow", None),
    ("list_audit", "user_id"): ("user", None),
    ("update_organization", "admin_user_id"): ("user", {}),
    ("lease_credential", "execution_id"): ("pending", {"name": "openai", "kinds": ["openai"]}),
}


@pytest.fixture(scope="module")
def town(kept_mostly, tmp_path_factory):
    """Five people, and what ada keeps."""
    names = ("root", "ada", "bob", "vic", "mia")
    # Nobody is at the executions here, and nobody shall find them abandoned.
    with town_in(tmp_path_factory.mktemp("town"), *names, lease=3600, **kept_mostly) as made:
        root, ada = made["root"], made["ada"]

        def got(answer):
            assert answer.status_code in (200, 201), answer.text
            return answer.json()

        got(root.put(f"admin/users/{made.people['vic'].id}", json={"role": "viewer"}))
        things = made.things
        things["organization"] = got(root.post("admin/organizations", json={"name": "Lab"}))["id"]
        members = f"admin/organizations/{things['organization']}/members"
        got(root.post(members, json={"email": "ada@example.org", "role": "admin"}))
        got(root.post(members, json={"email": "mia@example.org", "role": "viewer"}))
        root.delete(f"{members}/{made.people['root'].id}")  # manages the server, and is no member
        things["user"] = made.people["ada"].id
        methods = f"admin/organizations/{things['organization']}/login-methods"
        things["method"] = got(ada.post(methods, json={"name": "oidc", "secret": {"client": "geheim"}}))["id"]
        role = {"name": "editor", "permissions": ["create_workflow"]}
        things["role"] = got(root.post("admin/roles", json=role))["id"]

        shared = {"organization_id": things["organization"]}
        for name, more in (("workflow", {}), ("public", {"is_public": True}), ("shared", shared)):
            things[name] = stored(ada, **more)
            change = {"description": "second", "version": 1}
            got(ada.put(f"workflows/{things[name]}", json=change))
            got(ada.post(f"workflows/{things[name]}/chat", json={"content": "ada was here", "session": "s"}))
        fields = {"api_key": "sk-of-ada-0123456789abcdef"}
        made_one = ada.post("credentials", json={"name": "openai", "type": "openai", "fields": fields})
        things["credential"] = got(made_one)["id"]
        things["template"] = got(ada.post("templates", json={"flow_data": GREETING}))["id"]
        form = [{"name": "approve", "title": "Approve", "kind": "boolean", "required": True}]
        questions = {"hello": {"text": "Send it?", "form": form}}
        things["execution"] = execution(made, "ada", status="completed", outputs={"output": "of ada"})
        things["paused"] = execution(made, "ada", status="paused", questions=questions)
        things["pending"] = execution(made, "ada", status="pending", kernel_id="kernel-of-ada")
        yield made


def ask(client, route, entry, ids):
    """One request of a route, with these ids in its path."""
    path = route.path
    for name, id in zip(route.parameters, ids, strict=True):
        path = path.replace(f"{{{name}}}", str(id))
    body, headers = {} if entry.body is None else {"json": entry.body}, dict(entry.headers)
    if isinstance(entry.body, bytes):
        body, headers["Content-Type"] = {"content": entry.body}, "application/octet-stream"
    return client.request(route.method, path + entry.query, headers=headers, **body)


def named(name):
    return next(route for route in ROUTES if route.name == name)


def ids_of(town, entry, **other):
    return [other.get(thing) or town.things.get(thing, thing) for thing in entry.things]


def guarded(town):
    """What must not change; that something was refused may be written down."""
    kept = rows(town.server)
    kept["audit_log"] = [row for row in kept["audit_log"] if "'done'" in row]
    return kept


@pytest.fixture
def unchanged(town):
    """Fails where a test has changed anything in the database."""
    before = town.state or guarded(town)
    yield
    town.state = guarded(town)
    assert town.state == before


def test_every_route_with_an_id_is_in_the_matrix():
    with_ids = {route.name for route in ROUTES if route.parameters}
    assert with_ids == {*ENTRIES, *OPEN}


def test_every_id_in_a_query_or_body_is_in_the_matrix():
    found = {
        (route.name, name)
        for route in ROUTES
        for model in (route.query, route.body)
        for one in (typing.get_args(model) or (model,) if model is not None else ())
        for name, each in getattr(one, "model_fields", {}).items()
        if UUID in (each.annotation, *typing.get_args(each.annotation))
    }
    assert found == {*FIELDS, ("diff_executions", "other")}


def test_nothing_is_compared_with_what_is_anothers(town):
    own = execution(town, "bob", status="completed")
    ids = town.things["execution"], str(uuid4())
    told = [plain(town["bob"].get(f"executions/{own}/diff", params={"with": id}), id) for id in ids]
    assert told[0] == told[1]
    assert told[0][0] == 404
    town.state = None


@pytest.mark.parametrize("name", [name for name in ENTRIES if named(name).access == "user"])
def test_what_is_hidden_is_as_what_does_not_exist(town, unchanged, name):
    route, entry = named(name), ENTRIES[name]
    for who in STRANGERS:
        first = entry.things[0]
        if first in ADMINISTRATED and (who == "root" or (who == "mia" and first == "organization")):
            continue  # may know of it
        real, none = ids_of(town, entry), [each if each in KEPT else str(uuid4()) for each in entry.things]
        answer = ask(town[who], route, entry, real)
        unknown = ask(town[who], route, entry, none)
        refused = (403,) if first in ("user", "role") else (404,)
        if first == "workflow" and "execute" in route.path and who == "vic":
            refused = (403, 404)  # a viewer may run what is public alone
        assert answer.status_code in refused, (who, answer.text)
        assert plain(answer, *real) == plain(unknown, *none), who
        assert {*answer.headers} - {"set-cookie"} == {*unknown.headers} - {"set-cookie"}


@pytest.mark.parametrize("name", READS + OWN)
def test_a_conversation_with_what_is_shared_is_ones_own(town, name):
    town.state = None
    route, entry = named(name), ENTRIES[name]
    before = [row for row in rows(town.server)["chat_message"] if "ada was here" in row]
    assert len(before) == 3
    for who, thing in (("mia", "shared"), ("bob", "public"), ("vic", "public")):
        answer = ask(town[who], route, entry, ids_of(town, entry, workflow=town.things[thing]))
        assert answer.status_code in (200, 201), (who, answer.text)
        assert "ada was here" not in answer.text
    assert [row for row in rows(town.server)["chat_message"] if "ada was here" in row] == before


@pytest.mark.parametrize("name", WRITES)
def test_what_is_readable_only_is_forbidden_to_write(town, unchanged, name):
    route, entry = named(name), ENTRIES[name]
    for who, thing in (("mia", "shared"), ("bob", "public"), ("vic", "public")):
        answer = ask(town[who], route, entry, ids_of(town, entry, workflow=town.things[thing]))
        assert answer.status_code == 403, (who, answer.text)


@pytest.mark.parametrize(
    "name", [n for n, e in ENTRIES.items() if e.things[0] == "organization" and n != "read_organization"]
)
def test_a_plain_member_manages_nothing(town, unchanged, name):
    route, entry = named(name), ENTRIES[name]
    answer = ask(town["mia"], route, entry, ids_of(town, entry))
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize("name", [name for name in ENTRIES if named(name).access == "kernel"])
def test_a_kernel_sees_its_own_executions_alone(town, unchanged, name):
    route, entry = named(name), ENTRIES[name]
    clients = [town.kernel("bob"), town.kernel("bob", "kernel-of-ada")]
    clients += [] if name in OF_THE_OWNER else [town.kernel("ada", "another")]
    for client in clients:
        real, none = ids_of(town, entry), [str(uuid4()), *entry.things[1:]]
        answer, unknown = ask(client, route, entry, real), ask(client, route, entry, none)
        assert answer.status_code == 404, answer.text
        assert plain(answer, *real) == plain(unknown, *none)
    for who in ("ada", "root"):  # a person is no kernel
        assert ask(town[who], route, entry, ids_of(town, entry)).status_code in (401, 403)


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_ids_in_queries_and_bodies(town, name, field):
    town.state = None
    route, (thing, body) = named(name), FIELDS[name, field]
    clients = {"bob": town["bob"], "vic": town["vic"]}
    if name == "update_organization":
        clients = {"ada": town["ada"]}  # who administers the organisation names one who is no member
    if route.access == "kernel":
        clients = {"bob": town.kernel("bob")}
    for who, client in clients.items():
        path = route.path
        if name == "update_workflow":
            if who == "vic":
                continue  # keeps none
            path = path.replace("{id}", stored(client))
        if name == "update_organization":
            path = path.replace("{id}", town.things["organization"])
        real = town.people["bob"].id if name == "update_organization" else town.things[thing]
        told = []
        before = guarded(town)
        for id in (real, str(uuid4())):
            if body is None:
                answer = client.request(route.method, path, params={field: id})
                if name == "list_audit":
                    assert answer.status_code == 403
                else:
                    assert (answer.status_code, answer.json()["items"]) == (200, [])
            else:
                answer = client.request(route.method, path, json={**body, field: id})
                assert answer.status_code in (403, 404), answer.text
            told.append(plain(answer, id))
        assert told[0] == told[1]
        assert guarded(town) == before
