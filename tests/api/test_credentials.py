"""Credentials over a real server: kept by HTTP, lent to a real kernel, and to be found nowhere afterwards."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from tests.support.openai_server import ERRORS, OpenAIServer

pytestmark = pytest.mark.api

CANARY = "canary/5f0c2e9ab17d+key"


@contextmanager
def provider(**options):
    """An OpenAI-compatible server on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made = OpenAIServer(**options)
    asyncio.run_coroutine_threadsafe(made.__aenter__(), loop).result(10)
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(made.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def chat(url):
    settings = {"base_url": url, "model": "gpt-test", "api_key": {"$cred": "work"}, "max_retries": 0}
    return {
        "bpaz": 1,
        "name": "Chat",
        "nodes": {
            "ask": {"type": "TextInput", "settings": {"text": "What is a kernel?"}},
            "chat": {"type": "OpenAICompatibleChat", "settings": settings},
        },
        "edges": [["ask.text", "chat.prompt"]],
    }


def forms(secret):
    """Texts that a secret could be found as."""
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        raw.hex(),
        base64.b64encode(raw).decode(),
        json.dumps(secret)[1:-1],
    }


def test_a_key_is_lent_to_a_kernel_and_left_nowhere(server, api, caplog, monkeypatch):
    echo = f"Incorrect API key provided: {CANARY}.", "invalid_request_error", "invalid_api_key"
    monkeypatch.setitem(ERRORS, 401, echo)
    answers = []

    def ask(method, path, body=None, expect=200):
        answer = api.request(method, path, json=body)
        answers.append(answer.text)
        assert answer.status_code == expect, answer.text
        return answer.json() if "json" in answer.headers.get("content-type", "") else None

    with provider() as model:
        fields = {"base_url": model.url, "api_key": CANARY}
        body = {"name": "work", "type": "openai_compatible", "fields": fields}
        kept = ask("POST", "credentials", body, 201)
        done = ask("POST", "workflows/execute", {"flow_data": chat(model.url)})
        assert (done["status"], done["output"]) == ("completed", "A kernel runs code.")
        assert model.requests[-1]["headers"]["authorization"] == f"Bearer {CANARY}"
        ask("GET", f"executions/{done['id']}/events")
        model.fails += [401]
        failed = ask("POST", "workflows/execute", {"flow_data": chat(model.url)})
        assert failed["status"] == "failed"
        assert "Incorrect API key provided: •••" in failed["error"]["message"]
        count = len(model.requests)
        with provider() as elsewhere:  # this machine too, but by a name that the credential does not list
            url = elsewhere.url.replace("127.0.0.1", "127.0.0.1.invalid")
            refused = ask("POST", "workflows/execute", {"flow_data": chat(url)})
            assert refused["status"] == "failed"
            assert "may not be sent to" in refused["error"]["message"]
            assert elsewhere.requests == []
        assert len(model.requests) == count
    ask("GET", "credentials")
    ask("GET", "admin/audit")
    ask("GET", f"credentials/{kept['id']}")
    ask("POST", "credentials", body, 409)
    ask("POST", "credentials", {**body, "name": "x", "surprise": CANARY}, 422)
    ask("POST", "credentials/lease", {"name": "work", "host": None}, 403)  # only a kernel may
    assert [each["outcome"] for each in leases(api)] == ["refused", "done", "done"]

    shown = [*answers, caplog.text]
    shown += [file.read_bytes().decode("latin-1") for file in server.folder.rglob("*") if file.is_file()]
    assert len(shown) > 12
    for form in forms(CANARY):
        assert not [text for text in shown if form in text]


def leases(api):
    rows = api.get("admin/audit", params={"action": "credential.lease"}).json()["items"]
    assert {row["object_type"] for row in rows} == {"credential"}
    return rows
