"""What becomes of the kernels of executions: they cannot start, they are culled, their server stops."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.api

SPEC = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "language": "python"}
GREETING = {
    "bpaz": 1,
    "name": "Greeting",
    "nodes": {"hello": {"type": "PromptTemplate", "settings": {"template": "Hello {name}!"}}},
}


def kernel_spec(folder, name, **more):
    place = folder / "jupyter_data_dir" / "kernels" / name
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps({**SPEC, "display_name": name, **more}))


def failed(client):
    answer = client.post("workflows/execute", json={"flow_data": GREETING, "inputs": {"name": "you"}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "failed"
    events = client.get(
        f"executions/{answer.json()['id']}/events", headers={"Accept": "application/json"}
    ).json()["items"]
    assert [event["type"] for event in events] == ["run.finished"]
    assert events[0]["error"] == answer.json()["error"]
    return answer.json()["error"]


@pytest.mark.parametrize(
    ("name", "argv", "why"),
    [
        ("absent", None, "'absent' could not be started: NoSuchKernel"),
        ("broken", ["/no/such/python"], "'broken' could not be started"),
        ("ends", [sys.executable, "-c", "pass"], "'ends' could not be started: its process ended at once"),
    ],
)
def test_a_kernel_that_cannot_start_fails_the_execution(serve, tmp_path, name, argv, why):
    if argv:
        kernel_spec(tmp_path, name, argv=argv)
    client = serve(kernel_name=name).client()
    for _ in range(2):  # the next one tries again
        error = failed(client)
        assert why in error["message"]
        assert "BPAZ_KERNEL_NAME" in error["hint"]


def test_a_kernel_without_the_package_fails_the_execution(serve, tmp_path):
    hidden = tmp_path / "hidden" / "bpaz_lab"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'bpaz_lab'\")")
    kernel_spec(tmp_path, "bare", env={"PYTHONPATH": str(hidden.parent)})
    error = failed(serve(kernel_name="bare").client())
    assert error["message"] == (
        "the kernel 'bare' cannot run workflows: ModuleNotFoundError: No module named 'bpaz_lab'"
    )
    assert "Install bpaz-lab" in error["hint"]


SCRIPT = """
import json, os, sys, time
from pathlib import Path

executed = []
sys.addaudithook(lambda event, arguments: event == "import" and executed.append(arguments[0]))

from tests.support.server import serving

DOCUMENT = {greeting}
WAITS = {{"bpaz": 1, "name": "Waits", "nodes": {{
    "text": {{"type": "TextInput", "settings": {{"text": "later"}}}},
    "wait": {{"type": "Delay", "settings": {{"seconds": 60}}}},
}}, "edges": [["text.text", "wait.value"]]}}

with serving(Path(sys.argv[1]), {{"kernel_idle_timeout": 1.5}}) as server:
    api = server.client()
    answer = api.post("workflows/execute", json={{"flow_data": DOCUMENT, "inputs": {{"name": "you"}}}})
    assert answer.json()["output"] == "Hello you!", answer.text

    def begin():
        return api.post("workflows/execute", params={{"wait": 0}}, json={{"flow_data": WAITS}}).json()["id"]

    def kernels():
        return len(api.get("../../../api/kernels").json())

    id = begin()
    for _ in range(3):
        time.sleep(1)
        assert kernels() == 1, "a kernel with a running execution was ended"
    api.post(f"executions/{{id}}/cancel")
    ended = time.monotonic()
    while kernels():
        assert time.monotonic() < ended + 60, "an idle kernel was not ended"
        time.sleep(0.1)
    begin()
    while api.get("executions").json()["items"][0]["status"] != "running":
        time.sleep(0.05)
    modules = sorted(sys.modules)
print(json.dumps({{"modules": modules, "executed": executed}}))
"""


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A whole life of a server in a process of its own: its folder, and what it imported."""
    folder = tmp_path_factory.mktemp("life")
    script = SCRIPT.format(greeting=GREETING)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert time.monotonic() - began < 110
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_the_server_process_executes_no_node(lived):
    _, told = lived
    assert "bpaz_lab.services.executions" in told["modules"]
    seen = {*told["modules"], *told["executed"]}
    never = {"langgraph", "langchain_core", "pandas", "numpy"}
    assert never & {name.partition(".")[0] for name in seen} == set()
    assert not [name for name in seen if name.startswith(("bpaz_lab.api", "xllamacpp"))]


def test_a_server_that_stops_writes_down_what_it_cut_off(lived):
    folder, _ = lived
    with sqlite3.connect(folder / "bpaz_lab" / "bpaz_lab.sqlite3") as database:
        rows = database.execute(
            "SELECT status, error FROM workflow_executions ORDER BY created_at"
        ).fetchall()
    assert [status for status, _ in rows[:2]] == ["completed", "cancelled"]
    status, error = rows[2]
    assert (status, json.loads(error)["code"]) in [("cancelled", "run_cancelled"), ("failed", "run_crashed")]


@pytest.mark.full
def test_each_person_has_a_kernel_and_runs_a_public_workflow_of_another(shared):
    door = shared.client()

    def signed_up(name):
        body = {"email": f"{name}@example.org", "password": "a long enough password", "full_name": name}
        answer = door.post("auth/signup", json=body)
        assert answer.status_code == 201, answer.text
        return shared.client(access=answer.json()["access_token"])

    ada, eve = signed_up("ada"), signed_up("eve")
    made = ada.post("workflows/", json={"name": "Hi", "flow_data": GREETING, "is_public": True})
    assert made.status_code == 201, made.text
    path = f"workflows/{made.json()['id']}/execute"
    rows = [each.post(path, json={"inputs": {"name": "you"}}).json() for each in (ada, eve)]
    assert [row["output"] for row in rows] == ["Hello you!"] * 2
    assert len(door.get(f"{shared.url}api/kernels").json()) == 2
    assert eve.get(f"executions/{rows[0]['id']}").status_code == 404
    assert [each["id"] for each in eve.get("executions").json()["items"]] == [rows[1]["id"]]
    ada.post("workflows/execute", json={"flow_data": GREETING, "inputs": {"name": "you"}})
    assert len(door.get(f"{shared.url}api/kernels").json()) == 2
