"""Durable runs on the local store, begun in one process or another: gone on with, forked, compared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import bpaz_lab as bz
from bpaz_lab.errors import Conflict, DocumentError, InputError, NodeFailed, NotFound, RunChanged
from bpaz_lab.nodes.catalogue import catalogue
from tests.support.letters import letter, said, say

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("own_lab")]

WAIT = 60


# ---- going on ---------------------------------------------------------------------------------------


def test_a_run_that_waits_is_answered_by_its_id(own_lab):
    run = letter().run(name="Ada", durable=True)
    assert (run.status, run.stored.is_set()) == ("paused", True)
    assert own_lab.executions.get(run.id).status == "paused"
    again = bz.resume(run.id[:8], approve=True)
    assert (again.status, again.output) == ("completed", "Dear Ada, your parcel is late.")
    assert again.id == run.id
    assert own_lab.executions.get(run.id).output == again.output


def test_without_an_answer_it_asks_again_and_without_an_id_it_is_the_latest():
    letter().run(name="Ada", durable=True)
    last = letter().run(name="Alan", durable=True)
    run = bz.resume()
    assert (run.id, run.status) == (last.id, "paused")
    assert run.questions["ask"].value == "Dear Alan, your parcel is late."
    assert run.resume(approve=True).output == "Dear Alan, your parcel is late."


def test_an_answer_that_does_not_fit_leaves_it_waiting(own_lab):
    run = letter().run(name="Ada", durable=True)
    with pytest.raises(InputError, match="approve"):
        bz.resume(run.id, {"approve": "perhaps"})
    assert own_lab.executions.get(run.id).status == "paused"
    assert bz.resume(run.id, approve=True).status == "completed"


def test_what_is_done_is_not_done_again_after_a_failure(own_lab, tmp_path):
    calls = tmp_path / "calls"

    def first(value):
        say(calls, "first")
        return value + 1

    def second(value):
        say(calls, "second")
        raise ValueError("not yet")

    wf = bz.Workflow("Fails")
    wf.add(first, id="first") >> wf.add(second, id="second")
    with pytest.raises(NodeFailed) as caught:
        wf.run(value=1, durable=True)
    run = caught.value.run
    assert own_lab.executions.get(run.id).status == "failed"
    with pytest.raises(NodeFailed, match="not yet"):
        bz.resume(run.id)

    def second(value):  # the mistake is mended
        say(calls, "mended")
        return value * 10

    bz.node(second)
    with pytest.raises(RunChanged, match="the code of second changed"):
        bz.resume(run.id, workflow=wf)
    again = bz.resume(run.id, workflow=wf, changed="continue")
    assert again.output == 20
    assert said(calls) == ["first", "second", "second", "mended"]
    events = own_lab.executions.get(run.id).events
    assert [event.seq for event in events] == [*range(len(events))]
    assert [event.type for event in events].count("run.finished") == 3


def test_inputs_and_values_are_objects_again(tmp_path):
    import pandas as pd

    good = tmp_path / "good"

    def keep(table, note):
        return table

    def fail(table):
        if not good.exists():
            raise ValueError("not yet")
        return len(table)

    wf = bz.Workflow()
    wf.add(keep, id="keep") >> wf.add(fail, id="fail")
    table = pd.DataFrame({"x": range(3)})
    run = wf.start(table=table, note=b"bytes", durable=True).wait()
    assert run.status == "failed"
    good.touch()
    again = bz.resume(run.id, workflow=wf)
    assert again.output == 3
    assert again.origin.inputs["note"] == b"bytes"
    assert again.at("keep").inputs["table"].equals(table)


def test_pins_and_targets_go_on():
    wf = letter()
    wf["draft"].pin("pinned")
    run = wf.run(durable=True, target="ask.approved")
    again = bz.resume(run.id, approve=True)
    assert again.output == "pinned"
    assert again.at("draft").status == "given"
    assert "out" not in {span.node for span in again.timeline().spans}


def test_cancelled_and_completed_runs(own_lab):
    run = letter().run(name="Ada", durable=True)
    run.cancel()
    run.wait()
    assert own_lab.executions.get(run.id).status == "cancelled"
    assert bz.resume(run.id, {}).status == "paused"
    done = bz.resume(run.id, approve=True)
    with pytest.raises(Conflict, match="completed") as caught:
        bz.resume(done.id)
    assert "ork" in caught.value.hint


# ---- what stands in the way --------------------------------------------------------------------------


def test_a_run_that_is_not_there():
    with pytest.raises(NotFound):
        bz.resume("0" * 32)
    with pytest.raises(NotFound, match="can go on"):
        bz.resume()
    with pytest.raises(InputError, match="no id"):
        bz.resume("my run")


def test_a_changed_workflow_is_refused_with_what_differs(own_lab):
    wf = letter()
    run = wf.run(name="Ada", durable=True)
    wf["draft"].set(template="Bye {name}")
    with pytest.raises(RunChanged, match=r'template "Dear') as caught:
        bz.resume(run.id, workflow=wf, approve=True)
    assert caught.value.path == "nodes.draft"
    with pytest.raises(RunChanged):
        bz.resume(run.id, workflow=wf, changed="continue", approve=True)
    assert own_lab.executions.get(run.id).status == "paused"
    assert bz.resume(run.id, approve=True).output.startswith("Dear")


def test_it_goes_on_where_only_later_steps_changed_and_that_is_asked_for():
    wf = letter()
    run = wf.run(name="Ada", durable=True)
    last = wf.add("PromptTemplate", id="last", template="{text} Yours")
    wf["ask"]["approved"] >> last
    with pytest.raises(RunChanged, match="since the run began"):
        bz.resume(run.id, workflow=wf, approve=True)
    again = bz.resume(run.id, workflow=wf, changed="continue", approve=True)
    assert again["last"]["text"] == "Dear Ada, your parcel is late. Yours"


def test_a_node_type_that_is_not_here_is_named(own_lab):
    def gone_type(text):
        return text

    wf = letter()
    node = wf.add(gone_type, id="gone")
    wf["ask"]["approved"] >> node
    run = wf.run(name="Ada", durable=True)
    del catalogue()._types[node.type]
    with pytest.raises(DocumentError, match=node.type):
        bz.resume(run.id, approve=True)
    assert own_lab.executions.get(run.id).status == "paused"


def test_a_run_that_somebody_has_is_not_taken(own_lab):
    wf = bz.Workflow()
    wf.add("Delay", id="wait", seconds=60)
    run = wf.start(value="x", durable=True)
    with pytest.raises(Conflict, match="running"):
        bz.resume(run.id)
    run.cancel()
    assert run.wait(WAIT).status == "cancelled"


# ---- other processes -----------------------------------------------------------------------------------

CHILD = """
import time
import bpaz_lab as bz

@bz.node(effect="pure")
def first(value: int) -> int:
    print("first", flush=True)
    return value + 1

@bz.node(effect="pure")
def second(value: int, wait: float = 0) -> int:
    print("second", flush=True)
    time.sleep(wait)
    return value * 10

def workflow(wait):
    wf = bz.Workflow("Killed")
    wf.add(first, id="first") >> wf.add(second, id="second", wait=wait)
    return wf
"""


def killed(tmp_path, monkeypatch, lab):
    """A run whose process is killed in its second step; gives its id."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "killed_nodes.py").write_text(CHILD, encoding="utf-8")
    script = (
        "from killed_nodes import *\n"
        "run = workflow(600).start(value=1, durable=True)\n"
        "print(run.id, flush=True)\n"
        "run.wait()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    lines = []
    while "second" not in lines:
        lines.append(process.stdout.readline().strip())
    id = next(line for line in lines if len(line) == 32)
    while not list(lab.executions.get(id).steps()):  # what may be repeated is kept a moment later
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return id


def test_a_killed_run_goes_on_in_this_process(own_lab, tmp_path, monkeypatch, capsys):
    id = killed(tmp_path, monkeypatch, own_lab)
    from killed_nodes import workflow

    wf = workflow(600)
    wf["second"].set(wait=0)
    run = bz.resume(workflow=wf, changed="continue")  # the latest that can go on
    assert run.id == id
    assert run.output == 20
    assert capsys.readouterr().out.split() == ["second"]
