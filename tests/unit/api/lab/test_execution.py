from __future__ import annotations

import copy
import json
import signal
import threading

import pytest

import bpaz_lab as bz
from bpaz_lab.api.lab import execution as lab_execution
from bpaz_lab.api.lab.execution import Execution
from bpaz_lab.api.lab.lab import Lab
from bpaz_lab.api.transport.local import Local
from bpaz_lab.api.transport.remote import Bearer, Remote
from bpaz_lab.engine.events import Usage
from bpaz_lab.errors import NodeFailed, NotFound, RunCancelled, RunCrashed, ServerUnavailable, StoreError
from bpaz_lab.settings import Settings
from tests.support.told_server import told_server

pytestmark = pytest.mark.unit

SSE = {"Content-Type": "text/event-stream"}
CUT = {**SSE, "Content-Length": "100000", "Connection": "close"}
EVENTS = [
    {"type": "run.started", "seq": 0, "time": 0.0, "run": "r", "workflow": "Talk", "nodes": ["a"]},
    {"type": "node.started", "seq": 1, "time": 0.1, "node": "a", "why": ""},
    {"type": "token", "seq": 2, "time": 0.2, "node": "a", "port": "text", "text": "Hi"},
    {"type": "run.finished", "seq": 3, "time": 0.4, "status": "completed", "duration": 0.4,
     "usage": {"input_tokens": 3, "output_tokens": 5, "cost": None}},
]  # fmt: skip


def sent(*events, extra=""):
    lines = [f"id: {each['seq']}\nevent: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events]
    return ("".join(lines) + extra).encode()


def record(status, **more):
    told = {"id": "e1", "name": "Talk", "status": status, "outputs": {}, "output": None, **more}
    return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()


@pytest.fixture
def told():
    with told_server() as server:
        yield server


@pytest.fixture
def execution(told):
    remote = Remote(told.url, Bearer(), patience=2)
    yield Execution(remote, {"id": "e1", "name": "Talk", "status": "running"})
    remote.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits are short: what is tested is what happens, not when."""
    monkeypatch.setattr(lab_execution, "_LONGEST", 0.05)


def test_a_stream_that_breaks_goes_on_where_it_was(told, execution):
    told.answers = [
        (200, CUT, sent(*EVENTS[:2])),
        (502, {}, b"<html>"),
        (200, CUT, sent(EVENTS[2], extra="id: 3\nevent: run.fin")),
        (200, SSE, sent(EVENTS[3])),
    ]
    assert [event.seq for event in execution.stream()] == [0, 1, 2, 3]
    assert [headers.get("Last-Event-ID") for _, _, headers, _ in told.asked] == [None, "1", "1", "2"]
    assert [event.seq for event in execution.stream()] == [0, 1, 2, 3]
    assert len(told.asked) == 4
    assert execution.usage == Usage(3, 5, None)
    assert execution.duration == 0.4


def test_a_reader_that_was_too_slow_reads_the_rest_from_the_store(told, execution):
    resync = 'event: resync\ndata: {"type": "resync"}\n\n'
    told.answers = [
        (200, SSE, sent(EVENTS[0], extra=resync)),
        record("running"),
        (200, SSE, sent(*EVENTS[1:])),
    ]
    assert [event.type for event in execution.stream()] == [each["type"] for each in EVENTS]
    assert told.asked[2][2]["Last-Event-ID"] == "0"


def test_an_execution_that_crashed_ends_its_stream(told, execution):
    crash = RunCrashed("the run was cut off", hint="Run it again.").to_dict()
    told.answers = [(200, SSE, sent(EVENTS[0])), record("failed", error=crash)]
    assert [event.seq for event in execution.stream()] == [0]
    with pytest.raises(RunCrashed, match="cut off") as caught:
        execution.raise_for_status()
    assert caught.value.run is execution
    assert execution.duration == 0.0


def test_a_server_that_stays_away_is_told(told, execution):
    told.answers = [(200, CUT, sent(EVENTS[0])), (503, {}, b"")]
    found = []
    with pytest.raises(ServerUnavailable):
        found.extend(execution.stream())
    assert len(told.asked) == 1 + lab_execution.TRIES - 1
    assert [event.seq for event in execution.events] == [0]


def test_an_error_in_a_stream_is_raised(told, execution):
    fault = json.dumps({"error": StoreError("the database is in trouble").to_dict()})
    told.answers = [(200, SSE, sent(EVENTS[0], extra=f"event: error\ndata: {fault}\n\n"))]
    with pytest.raises(StoreError, match="in trouble"):
        list(execution.stream())


def test_an_execution_that_is_gone(told, execution):
    gone = json.dumps({"error": NotFound("there is no such execution").to_dict()}).encode()
    told.answers = [(404, {"Content-Type": "application/json"}, gone)]
    with pytest.raises(NotFound):
        next(execution.stream())


def test_waiting_reads_until_it_rests(told, execution):
    asked = {"type": "run.paused", "seq": 1, "time": 0.2, "nodes": ["ask"]}
    told.answers = [
        record("running"),
        (200, CUT, sent(EVENTS[0], asked)),
        record("paused", questions={"ask": {"text": "?"}}),
    ]
    assert execution.wait().questions == {"ask": {"text": "?"}}


def test_a_failure_of_a_node_is_one_whatever_its_code(told, execution):
    told.answers = [
        record("failed", error={"code": "model", "message": "the model said no", "path": "nodes.a"})
    ]
    with pytest.raises(NodeFailed, match="the model said no") as caught:
        execution.wait().raise_for_status()
    assert caught.value.path == "nodes.a"


def test_a_start_whose_answer_got_lost_is_not_run_twice(told):
    lost = (200, {"Content-Length": "10"}, b"")
    told.answers = [lost, record("pending")]
    lab = Lab(Remote(told.url, Bearer(), patience=0.3))
    wf = bz.Workflow("Talk")
    assert lab.start(wf).status == "pending"
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in told.asked}
    assert (len(told.asked), len(keys)) == (2, 1)
    lab.transport.close()


def test_it_can_be_copied_and_tells_what_it_has(told, execution):
    assert copy.copy(execution).id == "e1"
    assert repr(execution) == "<Execution e1 of 'Talk': running>"
    with pytest.raises(AttributeError, match="there is no 'nothing'"):
        execution.nothing  # noqa: B018 (the look-up is the test)


def test_ctrl_c_cancels(tmp_path):
    lab = Lab(Local(Settings(data_folder=str(tmp_path))))
    wf = bz.Workflow("Long")
    ask, delay = wf.add("ChatInput", name="q"), wf.add("Delay", seconds=60)
    wf.connect(ask["text"], delay["value"])
    lab.me()
    timer = threading.Timer(1.5, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lab.run(wf, q="x")
    (execution,) = lab.executions
    assert execution.status == "cancelled"
    with pytest.raises(RunCancelled):
        execution.raise_for_status()
    lab.transport.close()
