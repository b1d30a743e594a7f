from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from bpaz_lab.api.transport.local import Local, is_there, local
from bpaz_lab.errors import InputError, NotFound, SettingsError
from bpaz_lab.settings import Settings

pytestmark = pytest.mark.unit

GREETING = {
    "bpaz": 1,
    "name": "Greeting",
    "nodes": {"hello": {"type": "PromptTemplate", "settings": {"template": "Hello {name}!"}}},
}


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=str(tmp_path / "kept"))


@pytest.fixture
def store(settings):
    store = Local(settings)
    yield store
    store.close()


def test_nothing_is_opened_before_it_is_asked(settings):
    store = Local(settings)
    assert not is_there(settings)
    assert store.call("GET", "auth/profile")["full_name"] == "owner"
    assert is_there(settings)
    store.close()


def test_where_a_database_is_named_something_is_there(tmp_path):
    assert is_there(Settings(data_folder=str(tmp_path), database_url="postgresql://db/lab"))
    assert is_there(Settings(data_folder=str(tmp_path), postgres_host="db"))


def test_a_shared_installation_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="shared"):
        Local(Settings(data_folder=str(tmp_path), profile="shared"))


def test_the_same_place_is_opened_once(settings, tmp_path):
    one = local(settings)
    assert local(settings) is one
    assert local(Settings(data_folder=str(tmp_path / "other"))) is not one


def test_it_can_be_closed_and_asked_again(store):
    made = store.call("POST", "workflows/", body={"flow_data": GREETING})
    store.close()
    store.close()
    assert store.call("GET", f"workflows/{made['id']}")["name"] == "Greeting"


def test_answers_are_plain_json(store):
    made = store.call("POST", "workflows/", body={"flow_data": GREETING})
    assert isinstance(made["id"], str)
    assert isinstance(made["created_at"], str)
    assert store.call("DELETE", f"workflows/{made['id']}") is None
    assert store.call("GET", "metrics").startswith("# HELP")


def test_errors_are_raised_as_they_are(store):
    with pytest.raises(NotFound):
        store.call("GET", "nowhere")
    with pytest.raises(InputError, match="must be JSON"):
        store.call("POST", "workflows/", body={"flow_data": {1, 2}})


def test_a_stream_goes_on_behind_what_is_known_and_may_be_left(store):
    body = {"flow_data": GREETING, "inputs": {"name": "you"}}
    id = store.call("POST", "workflows/execute", body=body)["id"]
    told = list(store.stream(f"executions/{id}/events"))
    assert [each.event for each in told][-1] == "run.finished"
    assert list(store.stream(f"executions/{id}/events", after=told[1].id)) == told[2:]
    left = store.stream(f"executions/{id}/events")
    assert next(left) == told[0]
    left.close()
    with pytest.raises(NotFound):
        next(store.stream("executions/00000000-0000-0000-0000-000000000000/events"))


def test_many_threads_may_ask(store):
    faults = []

    def ask(number):
        try:
            store.call("POST", "workflows/", body={"flow_data": {**GREETING, "name": f"n{number}"}})
        except Exception as error:  # noqa: BLE001 (told below)
            faults.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(store.call("GET", "workflows/")["items"]) == 8


def test_what_waits_for_a_person_when_it_is_closed_goes_on_later(settings):
    store = Local(settings)
    asks = {"ask": {"type": "HumanApproval"}, "q": {"type": "ChatInput", "settings": {"name": "q"}}}
    flow_data = {"bpaz": 1, "name": "Asks", "nodes": asks, "edges": [["q.text", "ask.value"]]}
    body = {"flow_data": flow_data, "inputs": {"q": "x"}}
    told = store.call("POST", "workflows/execute", body=body)
    assert told["status"] == "paused"
    store.close()
    store = Local(settings)  # another process, a week later
    assert store.call("GET", f"executions/{told['id']}")["status"] == "paused"
    store.call("POST", f"executions/{told['id']}/resume", body={"answers": {"approve": True}})
    types = [message.data["type"] for message in store.stream(f"executions/{told['id']}/events")]
    assert [each for each in types if each.startswith("run.")] == [
        "run.started", "run.paused", "run.resumed", "run.finished",
    ]  # fmt: skip
    assert store.call("GET", f"executions/{told['id']}")["outputs"]["ask.approved"] == "x"
    store.close()


def test_a_script_ends_although_something_runs(settings):
    script = (
        "import bpaz_lab as bz; wf = bz.Workflow('Long')\n"
        "ask, delay = wf.add('ChatInput', name='q'), wf.add('Delay', seconds=600)\n"
        "wf.connect(ask['text'], delay['value'])\n"
        "print(bz.connect().start(wf, q='x').id)"
    )
    environ = {"PATH": "/usr/bin:/bin", "BPAZ_DATA_FOLDER": settings.data_folder}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    store = Local(settings)
    assert store.call("GET", f"executions/{done.stdout.strip()}")["status"] == "cancelled"
    store.close()


def test_a_fork_opens_the_store_anew(settings):
    script = (
        "import os\n"
        "from bpaz_lab.api.transport.local import local\n"
        "print(local().call('GET', 'auth/profile')['full_name'], flush=True)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    print(local().call('GET', 'auth/profile')['full_name'], flush=True)\n"
        "else:\n"
        "    print(os.waitpid(child, 0)[1], flush=True)\n"
    )
    environ = {"PATH": "/usr/bin:/bin", "BPAZ_DATA_FOLDER": settings.data_folder}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.stdout.splitlines() == ["owner", "owner", "0"], done.stderr


def test_what_was_done_is_in_the_audit_log(store):
    store.call("POST", "workflows/", body={"flow_data": GREETING})
    (row,) = store.call("GET", "admin/audit", query={"action": "workflow.create"})["items"]
    assert row["request_id"]
