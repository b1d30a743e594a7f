"""The extension as Jupyter sees it: found, light, and never in its way."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

pytestmark = [pytest.mark.api, pytest.mark.integration]

ROOT = Path(__file__).parents[2]
HEAVY = ("sqlalchemy", "sqlmodel", "alembic", "langgraph", "langchain_core", "psycopg", "bcrypt", "pandas")


@pytest.fixture
def environment(tmp_path):
    """Jupyter's folders inside ``tmp_path``, and the configuration that the wheel brings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BPAZ_", "JUPYTER_"))}
    folders = {f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    shutil.copytree(ROOT / "jupyter-config", folders["JUPYTER_CONFIG_DIR"])
    return {**kept, **folders, "PYTHONPATH": str(ROOT)}


def test_jupyter_finds_it_and_says_ok(environment):
    command = [sys.executable, "-m", "jupyter", "server", "extension", "list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)
    told = re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)
    assert "bpaz_lab enabled" in told
    assert re.search(r"bpaz_lab \S+ +OK", told), told


def test_loading_it_imports_nothing_heavy(environment):
    code = f"""
import sys
from jupyter_server.serverapp import ServerApp
before = set(sys.modules)
import bpaz_lab
(point,) = bpaz_lab._jupyter_server_extension_points()
print(sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_server_of_its_own_starts_serves_and_stops(environment, tmp_path):
    """Started as by a person: what is secret is in no process that it starts, and it ends in order."""
    command = [
        sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root",
        "--port=0", "--ip=127.0.0.1",
        "--IdentityProvider.token=t", f"--ServerApp.root_dir={tmp_path}", "--BpazLab.runs_per_user=7",
    ]  # fmt: skip
    secret = {"BPAZ_PASSWORD_PEPPER": "cGVwcGVyIG9mIHRoZSB0ZXN0IG9mIHRoZSBleHRlbnNpb24hIQ=="}
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env={**environment, **secret}, stdout=out, stderr=out)
    try:
        url = address(tmp_path / "runtime", process)
        client = httpx.Client(base_url=url, headers={"Authorization": "token t"}, timeout=60)
        assert client.get("bpaz/api/v1/health").json()["status"] == "healthy"
        kernel = client.post("api/kernels", json={}).json()["id"]
        environ = environ_of(process.pid)
        assert environ["BPAZ_SERVER_URL"] == url
        assert environ["BPAZ_PROFILE"] == "local"
        assert "BPAZ_PASSWORD_PEPPER" not in environ
        assert client.delete(f"api/kernels/{kernel}").status_code == 204
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    text = log.read_text()
    assert "bpaz_lab | extension was successfully loaded." in text
    assert "bpaz_lab | error" not in text
    assert not re.search(r"Traceback(.*\n)*?.*bpaz_lab", text), text


def address(runtime, process):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for file in runtime.glob("jpserver-*.json"):
            try:
                return json.loads(file.read_text())["url"]
            except json.JSONDecodeError:
                pass  # being written
        assert process.poll() is None, "the server ended"
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def environ_of(pid):
    """The environment of a process that this one has started: of its kernel."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                raw = Path(f"/proc/{child}/environ").read_bytes()
                found = dict(line.split("=", 1) for line in raw.decode().split("\0") if "=" in line)
                if "BPAZ_SERVER_URL" in found:
                    return found
        time.sleep(0.05)
    raise AssertionError("the server started no process")


# ---- what goes wrong stays where it is ----------------------------------------------------------------


def asked(server, path):
    told = server.client().get(path)
    return told.status_code, told.json()["error"]["code"]


def jupyter_works(server):
    return server.client().get(f"{server.url}api/status").status_code == 200


def test_a_setting_that_cannot_be_is_told_by_every_route(serve):
    server = serve(runs_per_user=0)
    assert asked(server, "workflows/") == asked(server, "health") == (503, "settings")
    assert "BPAZ_RUNS_PER_USER" in server.client().get("nodes").json()["error"]["message"]
    assert jupyter_works(server)


def test_a_database_that_is_none_is_told(serve):
    server = serve(database_url="mysql://localhost/x")
    assert asked(server, "workflows/") == (503, "settings")
    assert jupyter_works(server)


def test_a_broken_database_is_told_and_left_alone(serve, tmp_path):
    file = tmp_path / "broken.sqlite3"
    file.write_bytes(b"this is no database" * 500)
    server = serve(database_url=f"sqlite:///{file}")
    status, code = asked(server, "workflows/")
    assert (status, code.partition("_")[0]) in ((503, "store"), (500, "store"), (503, "schema"))
    assert server.client().get("health").status_code == 503
    assert file.read_bytes() == b"this is no database" * 500
    assert jupyter_works(server)


def test_a_stream_ends_when_the_server_stops(serve):
    server = serve()
    client = server.client()
    document = {
        "bpaz": 1, "name": "Waits", "nodes": {"wait": {"type": "Delay", "settings": {"seconds": 600}}},
        "edges": [], "layout": {}, "notes": {}, "groups": {},
    }  # fmt: skip
    with client.stream(
        "POST", "workflows/execute/stream", json={"flow_data": document, "inputs": {"value": 1}}
    ) as stream:
        assert stream.status_code == 200, stream.read()
        chunks = stream.iter_bytes()
        assert next(chunks)
        server._clients.remove(client)
        server.stop()
        for _ in chunks:  # the rest, to its end
            pass
    client.close()
