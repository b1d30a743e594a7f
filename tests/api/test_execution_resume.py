"""Executions that stop in the middle and go on: real kernels that are killed, stopped or gone."""

from __future__ import annotations

import os
import threading
import time

import pytest

pytestmark = pytest.mark.api

NODES = '''
import asyncio, os, signal
from pathlib import Path
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.types import Text


class Send(Node):
    """Writes a line into a file, and dies then if it is told to.

    ```python
    wf.add("Send", file="log")
    ```
    """

    effect = "once"
    file: str = ""
    dies: bool = False

    def run(self, text: Text) -> Text:
        with open(self.file, "a") as log:
            log.write(f"{text}\\n")
        if self.dies and len(Path(self.file).read_text().splitlines()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return f"sent {text}"


class Trouble(Node):
    """Sends its process a signal, the first time; afterwards it gives what it got.

    ```python
    wf.add("Trouble", signal="SIGKILL", mark="there")
    ```
    """

    signal: str = "SIGKILL"
    mark: str = ""

    async def run(self, text: Text) -> Text:
        mark = Path(self.mark)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), getattr(signal, self.signal))
            await asyncio.sleep(0.2)
        return text
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a short lease, whose kernels know nodes that make trouble."""
    from tests.support.server import serving

    folder = tmp_path_factory.mktemp("resume")
    package = folder / "site"
    (package / "trouble-1.dist-info").mkdir(parents=True)
    (package / "trouble_nodes.py").write_text(NODES)
    (package / "trouble-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: trouble\nVersion: 1\n"
    )
    (package / "trouble-1.dist-info" / "entry_points.txt").write_text(
        "[bpaz_lab.nodes]\ntrouble = trouble_nodes\n"
    )
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(package)
    try:
        with serving(folder, {"lease": 4}) as running:
            yield running
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.__setitem__("PYTHONPATH", before)


@pytest.fixture
def api(server):
    return server.client()


def document(name, *edges, **nodes):
    entries = {id: {"type": kind, "settings": settings} for id, (kind, settings) in nodes.items()}
    return {"bpaz": 1, "name": name, "nodes": entries, "edges": [each.split() for each in edges]}


def begin(api, flow, **inputs):
    answer = api.post("workflows/execute", params={"wait": 0}, json={"flow_data": flow, "inputs": inputs})
    assert answer.status_code in (200, 202), answer.text
    return answer.json()["id"]


def until(api, id, *statuses):
    end = time.monotonic() + 90
    while (told := api.get(f"executions/{id}").json())["status"] not in statuses:
        assert time.monotonic() < end, told
        time.sleep(0.05)
    return told


def resume(api, id, **body):
    answer = api.post(f"executions/{id}/resume", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def events(api, id):
    found = api.get(f"executions/{id}/events", headers={"Accept": "application/json"}).json()["items"]
    assert [event["seq"] for event in found] == list(range(len(found)))
    return found


def kinds(found):
    return [event["type"] for event in found if event["type"].startswith("run.")]


def test_a_killed_kernel_loses_nothing(api, tmp_path):
    log = tmp_path / "log"
    flow = document(
        "Killed", "text.text send.text", "send.text bad.text", "bad.text last.text",
        text=("TextInput", {"text": "a letter"}),
        send=("Send", {"file": str(log)}),
        bad=("Trouble", {"mark": str(tmp_path / "mark")}),
        last=("Send", {"file": str(log)}),
    )  # fmt: skip
    id = begin(api, flow)
    row = until(api, id, "failed")
    assert (row["error"]["code"], row["resumable"], row["in_doubt"]) == ("run_crashed", True, [])
    steps = {each["address"]: each for each in api.get(f"executions/{id}/steps").json()["items"]}
    assert (steps["send"]["state"], steps["send"]["effect"], steps["send"]["epoch"]) == ("done", "once", 1)
    answers = []
    both = [
        threading.Thread(target=lambda: answers.append(api.post(f"executions/{id}/resume", json={})))
        for _ in range(2)
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    row = until(api, id, "completed")
    assert row["output"] == "sent sent a letter"
    assert log.read_text() == "a letter\nsent a letter\n"
    told = events(api, id)
    assert kinds(told) == ["run.started", "run.finished", "run.resumed", "run.finished"]
    with api.stream("GET", f"executions/{id}/events") as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("id: ")]
    assert len(lines) == len(told)  # the first run.finished does not end it
    assert api.post(f"executions/{id}/resume", json={}).status_code == 409  # it is completed


def test_a_step_that_may_have_happened_is_asked_for(api, tmp_path):
    log = tmp_path / "log"
    flow = document(
        "Doubt", "text.text send.text", "send.text bad.text",
        text=("TextInput", {"text": "a letter"}),
        send=("Send", {"file": str(log), "dies": True}),
        bad=("Trouble", {"mark": str(tmp_path)}),
    )  # fmt: skip
    id = begin(api, flow)
    assert until(api, id, "failed")["in_doubt"] == ["send"]
    resume(api, id)
    row = until(api, id, "paused")
    assert list(row["questions"]) == ["send"]
    answer = {"happened": "done", "result": {"text": "sent by somebody"}}
    resume(api, id, answers={"send": answer})
    row = until(api, id, "completed", "failed")
    assert (row["status"], row["output"]) == ("completed", "sent by somebody"), row["error"]
    assert log.read_text() == "a letter\n"
    events(api, id)


def test_a_pause_outlives_its_kernel_and_a_damaged_row_is_repaired(server, api, tmp_path):
    log = tmp_path / "log"
    flow = document(
        "Approval", "text.text count.text", "count.text ask.value", "ask.approved send.text",
        text=("TextInput", {"text": "a letter"}),
        count=("PromptTemplate", {"template": "Dear {text}"}),
        ask=("HumanApproval", {}),
        send=("Send", {"file": str(log)}),
    )  # fmt: skip
    id = begin(api, flow)
    until(api, id, "paused")
    for kernel in api.get(f"{server.url}api/kernels").json():
        assert api.delete(f"{server.url}api/kernels/{kernel['id']}").status_code == 204
    time.sleep(2)  # the server has seen it
    row = api.get(f"executions/{id}").json()
    assert (row["status"], list(row["questions"])) == ("paused", ["ask"])
    damage(server, id, "count")
    resume(api, id, answers={"approve": True})
    row = until(api, id, "failed")
    assert (row["error"]["code"], "count" in row["error"]["message"]) == ("integrity", True)
    resume(api, id, repair=True)
    row = until(api, id, "completed", "failed")
    assert (row["status"], row["outputs"]["send.text"]) == ("completed", "sent Dear a letter"), row["error"]
    assert log.read_text() == "Dear a letter\n"
    assert kinds(events(api, id)) == [
        "run.started", "run.paused", "run.finished", "run.resumed", "run.finished",
    ]  # fmt: skip


def damage(server, id, address):
    from sqlalchemy import text

    lab = server.lab

    async def work():
        statement = "UPDATE execution_steps SET data = x'80' WHERE execution_id = :id AND address = :address"
        async with lab.database.session() as session:
            given = {"id": id.replace("-", ""), "address": address}
            assert (await (await session.connection()).execute(text(statement), given)).rowcount == 1

    server.run(work())


def test_a_kernel_that_stands_still_is_replaced(api, tmp_path):
    log = tmp_path / "log"
    flow = document(
        "Still", "text.text send.text", "send.text bad.text",
        text=("TextInput", {"text": "a letter"}),
        send=("Send", {"file": str(log)}),
        bad=("Trouble", {"mark": str(tmp_path / "mark"), "signal": "SIGSTOP"}),
    )  # fmt: skip
    id = begin(api, flow)
    row = until(api, id, "failed")
    assert "no sign of life for 4 s" in row["error"]["message"]
    resume(api, id)
    assert until(api, id, "completed", "failed")["status"] == "completed"
    assert log.read_text() == "a letter\n"


def rounds():
    """A ForEach whose body puts each item into two kinds of brackets, and a text of all of them."""
    from bpaz_lab import Workflow

    flow = Workflow("Rounds")
    with flow.add("ForEach", id="each") as body:
        start = body.add("Start", id="start", fields=[{"name": "item", "kind": "any"}])
        one = body.add("PromptTemplate", id="one", template="<{item}>")
        two = body.add("PromptTemplate", id="two", template="[{text}]")
        body.connect(start["item"], one["item"])
        body.connect(one["text"], two["text"])
        two >> body.add("End", id="end", fields=["line"])
    return flow.to_dict()


def test_a_fork_inside_the_rounds_of_a_body(api):
    answer = api.post("workflows/execute", json={"flow_data": rounds(), "inputs": {"items": ["a", "b", "c"]}})
    row = answer.json()
    assert (row["status"], row["output"]) == ("completed", ["[<a>]", "[<b>]", "[<c>]"]), row["error"]
    body = {"node": "each[1]/one", "outputs": {"text": "other"}}
    answer = api.post(f"executions/{row['id']}/fork", json=body)
    assert answer.status_code == 201, answer.text
    forked = until(api, answer.json()["id"], "completed", "failed")
    assert (forked["status"], forked["output"]) == ("completed", ["[<a>]", "[other]", "[<c>]"]), forked[
        "error"
    ]
    assert (forked["parent_id"], forked["forked_at"]) == (row["id"], "each[1]/one")
    assert answer.headers["location"].endswith(f"executions/{forked['id']}")
    before = {each["address"]: each for each in api.get(f"executions/{row['id']}/steps").json()["items"]}
    after = {each["address"]: each for each in api.get(f"executions/{forked['id']}/steps").json()["items"]}
    assert after["each[1]/one"]["state"] == "given"
    kept = [name for name in before if after[name]["began"] == before[name]["began"]]
    assert {"each[0]/one", "each[0]/two", "each[2]/one", "each[2]/two"} <= set(kept)
    assert not {"each", "each[1]/one", "each[1]/two"} & set(kept)
    told = api.get(f"executions/{row['id']}/diff", params={"with": forked["id"]}).json()
    kinds = {each["place"]: each["kind"] for each in told["nodes"]}
    assert (kinds["each/one"], kinds["each/two"], kinds["each"]) == ("changed", "changed", "changed")
    assert kinds["each/start"] == "same"
    wrong = api.post(f"executions/{row['id']}/fork", json={"node": "each[7]/one"})
    assert (wrong.status_code, wrong.json()["error"]["path"]) == (422, "body.node")
