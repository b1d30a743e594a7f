"""Executions over a real server, in real kernels."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest

pytestmark = pytest.mark.api

NODES = '''
import asyncio, os, time
from typing import Any
from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.types import Text


class WhereAmI(Node):
    """Says which process computes it.

    ```python
    wf.add("WhereAmI")
    ```
    """

    def run(self) -> int:
        return os.getpid()


class Slow(Node):
    """Streams numbers, some time between them.

    ```python
    wf.add("Slow")
    ```
    """

    count: int = 5
    wait: float = 0.02

    async def run(self, context: Context) -> Text:
        for number in range(self.count):
            context.emit(f"{number} ")
            await asyncio.sleep(self.wait)
        return " ".join(map(str, range(self.count)))


class Table(Node):
    """Gives what is no JSON.

    ```python
    wf.add("Table")
    ```
    """

    def run(self) -> Any:
        return {1, 2}


class Said(Node):
    """Tells what was said before.

    ```python
    wf.add("Said")
    ```
    """

    def run(self, text: Text, context: Context) -> Text:
        history = context.services.history
        return " | ".join(each["content"] for each in history.messages(10)) + f" > {text}"
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose kernels know a package of nodes that the server itself does not."""
    from tests.support.server import serving

    folder = tmp_path_factory.mktemp("executions")
    package = folder / "site"
    (package / "few_nodes-1.dist-info").mkdir(parents=True)
    (package / "few_nodes.py").write_text(NODES)
    (package / "few_nodes-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: few-nodes\nVersion: 1\n"
    )
    (package / "few_nodes-1.dist-info" / "entry_points.txt").write_text("[bpaz_lab.nodes]\nfew = few_nodes\n")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(package)  # kernels inherit it; this process has begun already
    try:
        with serving(folder, {"runs_per_user": 25, "heartbeat": 1.0}) as running:
            yield running
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.__setitem__("PYTHONPATH", before)


@pytest.fixture
def api(server):
    return server.client()


def document(name, *edges, **nodes):
    entries = {id: each if isinstance(each, dict) else {"type": each} for id, each in nodes.items()}
    return {"bpaz": 1, "name": name, "nodes": entries, "edges": [each.split() for each in edges]}


def slow(count=5, wait=0.02):
    return document("Slow", slow={"type": "Slow", "settings": {"count": count, "wait": wait}})


WHERE = document("Where", where="WhereAmI")


def begun(api, flow_data, **body):
    answer = api.post("workflows/execute", params={"wait": 0}, json={"flow_data": flow_data, **body})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def stream(api, path, *, method="GET", headers=None, body=None):
    """The messages of a stream: event, id, data, and when it came."""
    found, message = [], {}
    with api.stream(method, path, headers=headers, json=body) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            if not line:
                if message:
                    found.append((message["event"], message.get("id"), json.loads(message["data"])))
                message = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                message[name] = value
    return found


def until(api, id, *statuses, seconds=60):
    end = time.monotonic() + seconds
    while (row := api.get(f"executions/{id}").json())["status"] not in statuses:
        assert time.monotonic() < end, row
        time.sleep(0.05)
    return row


def where(api):
    answer = api.post("workflows/execute", json={"flow_data": WHERE})
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "completed", answer.text
    return answer.json()["output"]


def test_a_node_that_only_the_kernel_knows_runs_there_and_the_kernel_is_kept(api):
    assert api.get("nodes/WhereAmI").status_code == 404
    first, second = where(api), where(api)
    assert first == second != os.getpid()
    assert api.get("health/details").json()["components"]["kernels"]


def test_tokens_are_streamed_as_they_come(api):
    body = {"flow_data": slow(8, 0.05)}
    found = stream(api, "workflows/execute/stream", method="POST", body=body)
    assert found[0][0] == "execution"
    assert [event for event, _, _ in found].count("token") == 8
    assert [int(id) for _, id, _ in found[1:]] == list(range(len(found) - 1))
    assert found[-1][0] == "run.finished"
    row = api.get(f"executions/{found[0][2]['id']}").json()
    assert (row["status"], row["output"]) == ("completed", "0 1 2 3 4 5 6 7")
    assert row["outputs"] == {"slow.text": "0 1 2 3 4 5 6 7"}


def test_a_reader_goes_on_behind_what_it_has(api):
    id = begun(api, slow(6, 0.05))
    time.sleep(0.1)
    whole = stream(api, f"executions/{id}/events")
    rest = stream(api, f"executions/{id}/events", headers={"Last-Event-ID": "3"})
    assert rest == whole[4:]
    listed = api.get(f"executions/{id}/events", headers={"Accept": "application/json"}).json()
    assert [each["seq"] for each in listed["items"]] == [int(id) for _, id, _ in whole]


def test_cancelling_ends_a_run_long_before_its_end(api):
    id = begun(api, slow(1000, 0.05))
    until(api, id, "running")
    assert api.post(f"executions/{id}/cancel").status_code == 200
    row = until(api, id, "cancelled")
    assert row["error"]["code"] == "run_cancelled"
    events = stream(api, f"executions/{id}/events")
    assert events[-1][2]["status"] == "cancelled"
    assert [event for event, _, _ in events].count("token") < 1000


def test_a_pause_is_answered_over_the_server(api):
    flow = document(
        "Letter",
        "draft.text ask.value",
        draft={"type": "TextInput", "settings": {"text": "Dear reader"}},
        ask={"type": "HumanApproval", "settings": {"question": "Send it?"}},
    )
    answer = api.post("workflows/execute", json={"flow_data": flow})
    assert answer.status_code == 202
    row = answer.json()
    assert (row["status"], row["questions"]["ask"]["text"]) == ("paused", "Send it?")
    wrong = api.post(f"executions/{row['id']}/resume", json={"answers": {"approve": "perhaps"}})
    assert wrong.status_code == 422
    again = api.post(f"executions/{row['id']}/resume", json={"answers": {"approve": True}})
    assert again.status_code == 202
    row = until(api, row["id"], "completed")
    assert row["outputs"]["ask.approved"] == "Dear reader"
    kinds = [event for event, _, _ in stream(api, f"executions/{row['id']}/events")]
    assert kinds.index("run.paused") < kinds.index("run.resumed") < kinds.index("run.finished")


def test_what_is_no_json_is_shown(api):
    row = api.post("workflows/execute", json={"flow_data": document("Table", table="Table")}).json()
    assert row["output"] == {"type": "set", "text": "{1, 2}", "why": "it is no JSON"}


def test_a_failure_is_an_outcome_and_no_error_of_the_request(api):
    bad = document("Bad", bad={"type": "TextDataLoader", "settings": {"path": "/proc/self/environ"}})
    answer = api.post("workflows/execute", json={"flow_data": bad})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["error"]["path"]) == (
        "failed",
        "/proc/self/environ",
    )
    nope = api.post("workflows/execute", json={"flow_data": document("Nope", nope="lab:Nope")}).json()
    assert (nope["status"], nope["error"]["code"]) == ("failed", "unknown_node_type")


def test_twenty_at_once_in_one_kernel(api):
    ids = [begun(api, slow(5, 0.02)) for _ in range(20)]
    rows = [until(api, id, "completed", "failed", seconds=60) for id in ids]
    assert {row["status"] for row in rows} == {"completed"}
    for id in ids:
        seqs = [each["seq"] for each in api.get(
            f"executions/{id}/events", headers={"Accept": "application/json"}
        ).json()["items"]]  # fmt: skip
        assert seqs == list(range(len(seqs)))


def test_a_conversation_is_kept_and_told_to_the_next_run(api):
    edges = ("ask.text said.text", "said.text out.text")
    flow = document("Chat", *edges, ask="ChatInput", said="Said", out="ChatOutput")
    made = api.post("workflows/", json={"name": "Chat", "flow_data": flow})
    assert made.status_code == 201, made.text
    path = f"workflows/{made.json()['id']}/execute"
    first = api.post(path, json={"inputs": {"question": "one"}, "session_id": "s"}).json()
    second = api.post(path, json={"inputs": {"question": "two"}, "session_id": "s"}).json()
    assert (first["output"], second["output"]) == (" > one", "one |  > one > two")
    other = api.post(path, json={"inputs": {"question": "three"}, "session_id": "t"}).json()
    assert other["output"] == " > three"
    assert second["workflow_version"] == 1
    assert [each["id"] for each in api.get("executions", params={"session": "s"}).json()["items"]] == [
        second["id"], first["id"],
    ]  # fmt: skip


def kill(server, pid):
    os.kill(pid, signal.SIGKILL)


def restart(server, pid):
    jupyter = server.client()
    (kernel,) = jupyter.get(f"{server.url}api/kernels").json()
    assert jupyter.post(f"{server.url}api/kernels/{kernel['id']}/restart").status_code == 200


def shut_down(server, pid):
    jupyter = server.client()
    (kernel,) = jupyter.get(f"{server.url}api/kernels").json()
    assert jupyter.delete(f"{server.url}api/kernels/{kernel['id']}").status_code == 204


@pytest.mark.parametrize("end", [kill, restart, pytest.param(shut_down, marks=pytest.mark.full)])
def test_a_lost_kernel_leaves_a_failed_run_with_its_events_and_ended_streams(server, api, end):
    pid = where(api)
    id = begun(api, slow(1000, 0.02))
    other = begun(api, slow(1000, 0.02))
    found = []
    listening = threading.Thread(target=lambda: found.extend(stream(api, f"executions/{id}/events")))
    listening.start()
    until(api, id, "running")
    until(api, other, "running")
    time.sleep(0.5)
    end(server, pid)
    listening.join(20)
    assert not listening.is_alive()
    for each in (id, other):
        row = until(api, each, "failed", seconds=20)
        assert row["error"]["code"] == "run_crashed"
    assert found[-1][0] == "run.finished"
    assert found[-1][2]["error"]["code"] == "run_crashed"
    assert [int(seq) for _, seq, _ in found] == list(range(len(found)))
    assert stream(api, f"executions/{id}/events") == found
    assert sum(event == "token" for event, _, _ in found) > 5
    assert where(api) != pid  # the next one gets a kernel of its own
