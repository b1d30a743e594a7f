"""A secret goes through everything that uses it, and stands in nothing that is left behind, in no encoding.

It is kept over HTTP, validated, and used by executions in a real kernel against a provider that succeeds,
fails with the key in its message, streams the key in pieces and in encodings, is silent, and is cancelled.
Then every table, file, log, stream, answer and output is searched.
"""

from __future__ import annotations

import base64
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bpaz_lab.guard.mask import forms_of
from bpaz_lab.services.route import Raw
from bpaz_lab.services.table import ROUTES
from tests.support.openai_server import OpenAIServer
from tests.support.routes import path_of
from tests.support.server import serving
from tests.withstand.town import rows, stored

pytestmark = [pytest.mark.integration, pytest.mark.api]

CANARY = 'sk-canary0123456789abcdefghij/+="&<>%~'


class Talker(OpenAIServer):
    """A provider that tells the key to whoever asks."""

    def _fail(self, writer, status):
        error = {"message": f"Incorrect API key provided: {self._key()}.", "code": "invalid_api_key"}
        self._json(writer, status, {"error": {**error, "type": self._key(), "param": self._key()}})

    def _key(self):
        return self.requests[-1]["headers"]["authorization"].removeprefix("Bearer ")


def document(url, **settings):
    chat = {"model": "gpt-test", "base_url": url, "api_key": {"$cred": "canary"}, "max_retries": 0}
    return {
        "bpaz": 1,
        "name": "Asks",
        "nodes": {
            "ask": {"type": "PromptTemplate", "settings": {"template": "{question}"}},
            "chat": {"type": "OpenAICompatibleChat", "settings": {**chat, **settings}},
        },
        "edges": [["ask.text", "chat.prompt"]],
    }


class Gate:
    """What is left behind, by name, and what of it holds a form of a secret."""

    def __init__(self, *secrets):
        self.forms = {form.encode() for secret in secrets for form in forms_of(secret)}
        self.forms |= {base64.b64encode(form) for form in self.forms}
        self.left = {}

    def add(self, name, content):
        content = content if isinstance(content, bytes) else str(content).encode("utf-8", "replace")
        self.left[name] = self.left.get(name, b"") + content

    def folder(self, folder, *but):
        for file in Path(folder).rglob("*"):
            if file.is_file() and file.name not in but:
                self.add(f"file {file.relative_to(folder)}", file.read_bytes())

    def found(self):
        return [(name, form) for name, content in self.left.items() for form in self.forms if form in content]


class Listening:
    """What an execution's kernel says on its public channel."""

    def __init__(self, folder, gate):
        from jupyter_client import BlockingKernelClient

        self.gate, self.over = gate, threading.Event()
        self.clients = []
        for file in Path(folder).rglob("kernel-*.json"):
            client = BlockingKernelClient(connection_file=str(file))
            client.load_connection_file()
            client.start_channels(shell=False, stdin=False, hb=False, control=False)
            self.clients.append(client)
        assert self.clients
        self.thread = threading.Thread(target=self._go)
        self.thread.start()

    def _go(self):
        from queue import Empty

        while not self.over.is_set():
            for client in self.clients:
                with suppress(Empty):
                    self.gate.add("kernel's outputs", repr(client.get_iopub_msg(timeout=0.1)))

    def stop(self):
        self.over.set()
        self.thread.join()
        for client in self.clients:
            client.stop_channels()


def test_no_artefact_holds_the_secret(kept_mostly, tmp_path, capfd, caplog):
    caplog.set_level("DEBUG")
    gate, loud = Gate(CANARY), not kept_mostly  # SQLite's server says all that it can say
    settings = {**kept_mostly, **({"debug": True, "log_level": "debug"} if loud else {})}
    with serving(tmp_path, settings, {"log_level": 10 if loud else 30}) as server:
        ids = scenario(server, tmp_path, gate)
        walk(server, gate, ids)
        for name, lines in rows(server).items():
            gate.add(f"table {name}", "\n".join(lines))
        ring = server.lab.ring
        keys = Gate(*(base64.b64encode(key).decode() for key in (*ring.tokens, ring.pepper)))
        for process in Path("/proc").glob("[0-9]*"):
            if _parent(process) == os.getpid():
                gate.add(
                    "environment", (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
                )
    told = capfd.readouterr()
    gate.add("log", told.out + told.err + caplog.text)
    gate.folder(tmp_path)
    assert "request" in told.err
    assert gate.found() == []
    keys.left = {name: content for name, content in gate.left.items() if not name.endswith("keys.json")}
    assert any(name.endswith("keys.json") for name in gate.left)
    assert keys.found() == []


def _parent(process):
    try:
        return int((process / "stat").read_text().rpartition(") ")[2].split()[1])
    except OSError:
        return 0


def scenario(server, folder, gate):
    """Everything that uses the secret; gives the ids of what there is then."""
    client, talker = server.client(), Talker()
    server.run(talker.__aenter__())
    made = client.post(
        "credentials",
        json={
            "name": "canary",
            "type": "openai_compatible",
            "fields": {"base_url": talker.url, "api_key": CANARY},
        },
    )
    assert made.status_code == 201, made.text
    gate.add("answer of create_credential", made.content)
    credential = made.json()["id"]
    again = {"fields": {"api_key": CANARY}}
    gate.add("answer of update_credential", client.put(f"credentials/{credential}", json=again).content)
    for path in (f"credentials/{credential}/validate", "credentials/validate"):
        talker.fails = [401]
        tried = {"type": "openai_compatible", "fields": {"base_url": talker.url, "api_key": CANARY}}
        told = client.post(path, json=tried) if path == "credentials/validate" else client.post(path)
        assert (told.status_code, told.json()["valid"]) == (200, False), told.text
        gate.add("answer of validate", told.content)
    assert talker._key() == CANARY
    for bad in (
        {"type": CANARY, "fields": {}},
        {"name": 1, "type": "openai", "fields": {"api_key": [CANARY]}},
    ):
        refused = client.post("credentials", json=bad)
        assert refused.status_code == 422
        gate.add("refusal", refused.content)
    organization = client.post("admin/organizations", json={"name": "Lab"}).json()["id"]
    method = {"name": "oidc", "secret": {"client_secret": CANARY}}
    path = f"admin/organizations/{organization}/login-methods"
    gate.add("answer of create_login_method", client.post(path, json=method).content)
    literal = document(talker.url, api_key=CANARY)
    refused = client.post("workflows/", json={"flow_data": literal})
    assert refused.status_code == 422, refused.text
    gate.add("refusal", refused.content)
    workflow = stored(client, document(talker.url))
    executions = list(runs(client, folder, gate, talker, workflow))
    server.run(talker.__aexit__())
    return {
        "workflows.id": workflow,
        "credentials.id": credential,
        "admin/organizations.id": organization,
        "executions": executions,
    }


def runs(client, folder, gate, talker, workflow):
    """The executions; gives the id of each."""

    def run(status, **change):
        body = {"inputs": {"question": "Tell me"}, "session_id": "s"}
        path = f"workflows/{workflow}/execute/stream"
        if change:
            path, body = "workflows/execute/stream", {**body, "flow_data": document(talker.url, **change)}
        with client.stream("POST", path, json=body) as answer:
            assert answer.status_code == 200
            told = answer.read()
        gate.add("stream", told)
        id = answer.headers["Location"].rpartition("/")[2]
        assert client.get(f"executions/{id}").json()["status"] == status, told
        return id

    yield run("completed")
    listening = Listening(folder, gate)
    key = CANARY.encode()
    for text in (CANARY, base64.b64encode(b"me:" + key).decode(), key.hex(), forms(CANARY)):
        talker.pieces = [text[start : start + 3] for start in range(0, len(text), 3)]
        yield run("completed")
    talker.pieces, talker.fails = ["never"], [401]
    yield run("failed")
    talker.fails = [500]
    yield run("failed")
    talker.broken_after, talker.pieces = 4, list(CANARY)
    yield run("failed")
    talker.broken_after, talker.silent = None, True
    yield run("failed", timeout=0.5)
    yield cancelled(client, gate, talker)
    talker.silent = False
    time.sleep(0.3)
    listening.stop()


def forms(secret):
    return " ".join(sorted(forms_of(secret)))


def cancelled(client, gate, talker):
    body = {"flow_data": document(talker.url), "inputs": {"question": "Tell me"}}
    before = len(talker.requests)
    id = client.post("workflows/execute?wait=0", json=body).json()["id"]
    end = time.monotonic() + 30
    while len(talker.requests) == before:  # until it has asked the provider
        assert time.monotonic() < end
        time.sleep(0.05)
    gate.add("answer of cancel", client.post(f"executions/{id}/cancel").content)
    while client.get(f"executions/{id}").json()["status"] != "cancelled":
        assert time.monotonic() < end
        time.sleep(0.05)
    return id


def walk(server, gate, ids):
    """Every GET there is, of everything that there is."""
    client, visited = server.client(), 0
    for route in ROUTES:
        if route.method != "GET":
            continue
        some = ids["executions"] if route.path.startswith("executions/{id}") else [""]
        for id in some:
            named = {**ids, "executions.id": id}
            path = path_of(route, named)
            for query in ("", "?document=true", "?check=true", "?format=csv", "?limit=200"):
                answer = client.get(path + query)
                visited += answer.status_code == 200
                gate.add(f"answer of {route.name}", answer.content)
                if Raw in route.kinds and answer.status_code == 200:
                    assert answer.content
    assert visited > 40
    gate.add("metrics", client.get(f"{server.url}metrics").content)
    exported = client.get("auth/profile/export")
    assert "user_credentials" in exported.json()["tables"]
    assert "credential.lease" in client.get("admin/audit?format=csv&limit=200").text


@pytest.mark.parametrize("secret", [CANARY, "no key looks like this"])
def test_a_literal_is_refused(serve, secret):
    server, gate = serve(), Gate(secret)
    client, literal = server.client(), document("http://127.0.0.1:9/v1", api_key=secret)
    for answer in (
        client.post("workflows/", json={"flow_data": literal}),
        client.post("workflows/execute", json={"flow_data": literal, "inputs": {"question": "?"}}),
        client.post("templates", json={"flow_data": literal}),
    ):
        assert answer.status_code == 422, answer.text
        gate.add("refusal", answer.content)
    assert not rows(server)["workflows"]
    assert not gate.found()


@pytest.mark.parametrize("form", sorted(forms_of(CANARY)))
def test_the_gate_finds_what_is_planted(form, tmp_path):
    gate = Gate(CANARY)
    (tmp_path / "quiet").write_text("nothing")
    (tmp_path / "kernel.log").write_bytes(b"\0\1" + form.encode() + b"\0")
    gate.folder(tmp_path)
    assert {name for name, _ in gate.found()} == {"file kernel.log"}


def test_the_gate_finds_what_stands_in_a_table(serve):
    server, gate = serve(), Gate(CANARY)
    stored(server.client(), description=f"my key is {CANARY}")
    for name, lines in rows(server).items():
        gate.add(name, "\n".join(lines))
    assert {name for name, _ in gate.found()} == {"workflows", "workflow_versions"}
    server.stop()
    gate = Gate(CANARY)
    gate.folder(server.folder)
    assert any("sqlite3" in name for name, _ in gate.found())
