"""Health while the database is away, figures, and what the log says."""

from __future__ import annotations

import json
import logging
import threading
import time

import pytest

from bpaz_lab.server.log import NAME
from tests.support.routes import DOCUMENT

pytestmark = pytest.mark.api

CANARY = "sk-canary-4242"


@pytest.fixture
def lines():
    """The lines of the log that were written so far."""
    found = []

    class Kept(logging.Handler):
        def emit(self, record):
            found.append(json.loads(record.getMessage()))

    logger, handler = logging.getLogger(NAME), Kept()
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def among(lines, **wanted):
    """The one line with these values; it is written just after the answer."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = [line for line in list(lines) if wanted.items() <= line.items()]
        if found:
            assert len(found) == 1
            return found[0]
        time.sleep(0.01)
    raise AssertionError(f"no line with {wanted} in {lines}")


# ---- health -------------------------------------------------------------------------------------------


def test_anybody_may_ask_whether_it_is_healthy_and_learns_no_more(server):
    with server.client(jupyter=False) as client:
        told = client.get("health")
    assert (told.status_code, sorted(told.json())) == (200, ["status", "version"])


def test_the_details_are_for_those_whom_jupyter_knows(server, api):
    told = api.get("health/details").json()
    assert sorted(told["components"]) == ["database", "kernels", "node_registry", "session_manager"]
    assert {part["status"] for part in told["components"].values()} == {"healthy"}
    with server.client(jupyter=False) as client:
        assert client.get("health/details").status_code == 401


@pytest.mark.integration
def test_postgres_goes_and_comes_back(serve, postgres, postgres_template):
    name = postgres.create(postgres_template)
    server = serve(database_url=postgres.url(name), database_pool_timeout=2)
    client = server.client()
    assert client.get("health").status_code == 200
    workflow = client.post("workflows/", json={"flow_data": DOCUMENT}).json()["id"]
    stop, statuses = threading.Event(), []

    def load():
        with server.client() as own:
            while not stop.is_set():
                told = own.get(f"workflows/{workflow}")
                statuses.append((told.status_code, told.json().get("error", {}).get("code", "")))

    others = [threading.Thread(target=load) for _ in range(4)]
    for each in others:
        each.start()
    try:
        postgres.kill()
        away = client.get("health")
        assert (away.status_code, away.json()["status"]) == (503, "unavailable")
        details = client.get("health/details")
        assert details.status_code == 503
        assert details.json()["components"]["database"]["code"] == "store_unavailable"
        refused = client.get("workflows/")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
        assert refused.headers["Retry-After"]
        assert client.get("openapi.json").status_code == 200
    finally:
        postgres.start()
        stop.set()
        for each in others:
            each.join()
    assert client.get("health").status_code == 200
    assert client.get(f"workflows/{workflow}").json()["id"] == workflow
    assert (503, "store_unavailable") in statuses
    assert {each for each in statuses if each[0] != 200} == {(503, "store_unavailable")}
    server.stop()
    postgres.drop(name)


# ---- figures ------------------------------------------------------------------------------------------


def test_the_figures_stand_on_jupyters_own_page_too(server, api):
    assert api.get("nope").status_code == 404
    for text in (api.get("metrics").text, api.get(f"{server.url}metrics").text):
        assert (
            'bpaz_request_seconds_count{method="GET",route="get_health"' in text
            or "bpaz_request_seconds" in text
        )
        assert 'bpaz_request_errors_total{code="not_found",route="unknown"}' in text
        assert "bpaz_active_runs" in text
        assert "process_resident_memory_bytes" in text


def test_routes_are_counted_by_name_so_that_there_is_an_end_to_them(api):
    for path in ("nodes/PromptTemplate", "nodes/Start", "some/thing", "another/thing"):
        api.get(path)
    text = api.get("metrics").text
    assert 'route="get_node"' in text
    counted = [line for line in text.splitlines() if "route=" in line]
    assert counted
    assert not [line for line in counted if "PromptTemplate" in line or "another" in line]


# ---- the log ------------------------------------------------------------------------------------------


def test_a_request_is_one_line_with_ids(api, lines):
    api.get("nodes/PromptTemplate", headers={"X-Request-Id": "r-77"})
    line = among(lines, request_id="r-77")
    assert (line["event"], line["method"], line["route"], line["status"]) == (
        "request",
        "GET",
        "get_node",
        200,
    )
    assert line["seconds"] >= 0
    assert len(line["user_id"]) == 36


def test_a_run_is_named(api, lines):
    id = "0b5b2f0e-6a4e-4f0c-9c43-5a3f7f8f2a11"
    api.get(f"executions/{id}")
    assert among(lines, run_id=id)["route"] == "get_execution"


def test_nothing_that_was_sent_is_in_the_log(server, api, lines, capfd):
    api.post("credentials", json={"name": "canary", "type": "generic", "fields": {"value": CANARY}})
    api.post("credentials", json={"name": "canary", "type": "nope", "fields": {"value": CANARY}})
    api.post(
        "credentials",
        content=f'{{"fields": "{CANARY}"'.encode(),
        headers={"Content-Type": "application/json"},
    )
    api.get("nodes", params={"search": CANARY, "nope": CANARY})
    api.get("nodes", headers={"X-Bpaz-Authorization": f"Bearer {CANARY}", "Cookie": f"a={CANARY}"})
    api.get("nope", headers={"Referer": f"http://127.0.0.1/?key={CANARY}", "User-Agent": CANARY})
    api.post("nodes/OpenAICompatibleChat/ports", json={"settings": {"api_key": CANARY}})
    among(lines, route="compute_ports")
    assert len(lines) == 7
    assert CANARY not in json.dumps(lines)
    written = "".join(capfd.readouterr())
    assert CANARY not in written
    assert CANARY.encode() not in b"".join(
        path.read_bytes() for path in server.folder.rglob("*") if path.is_file()
    )


def test_a_fault_of_ours_is_in_the_log_and_not_in_the_answer(server, api, lines, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError(f"cannot connect with {CANARY}")

    monkeypatch.setattr(server.lab.database, "session", broken)
    told = api.get("workflows/", headers={"X-Request-Id": "r-500"})
    monkeypatch.undo()
    assert told.status_code == 500
    assert told.json()["error"]["message"] == "the server failed"
    assert CANARY not in told.text
    fault = among(lines, event="unexpected")
    assert (fault["error"], fault["request_id"]) == ("RuntimeError", "r-500")
    assert any("test_operations.py" in place for place in fault["where"])
    assert CANARY not in json.dumps(lines)
