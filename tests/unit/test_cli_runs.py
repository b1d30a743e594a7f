"""The commands on durable runs, on a store of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bpaz_lab import Workflow, connect
from bpaz_lab.__main__ import main
from bpaz_lab.api.transport import local as transport_local

pytestmark = pytest.mark.unit

WAIT = 60


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path / "data"))
    lab = connect()
    yield lab
    lab.transport.close()
    transport_local._OPEN.clear()


@pytest.fixture
def bpaz(capsys, monkeypatch):
    """Calls the command line as the process would; gives its exit code and what it wrote."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False))

    def call(*arguments):
        try:
            code = main(arguments)
        except SystemExit as left:  # argparse
            code = left.code
        told = capsys.readouterr()
        return SimpleNamespace(code=code, out=told.out, err=told.err)

    return call


@pytest.fixture
def letter(tmp_path):
    wf = Workflow("Letter")
    draft = wf.add("PromptTemplate", id="draft", template="Dear {name}.")
    ask = wf.add("HumanApproval", id="ask", question="Send it?")
    wf.add("ChatInput", id="who", name="name") >> draft >> ask["value"]
    ask["approved"] >> wf.add("ChatOutput", id="out")
    return str(wf.save(tmp_path / "letter.bpaz"))


@pytest.fixture
def waiting(bpaz, letter, lab):
    """The id of a run that waits for a person."""
    assert bpaz("run", letter, "-i", "name=Ada", "--durable").code == 3
    return next(iter(lab.executions)).id


def test_a_durable_run_waits_and_says_how_to_answer(bpaz, letter, lab):
    done = bpaz("run", letter, "-i", "name=Ada", "--durable", "-q")
    id = next(iter(lab.executions)).id
    assert (done.code, done.out) == (3, "")
    assert done.err == f"ask asks: Send it?\n  Answer with: bpaz resume {id[:8]} --answer ask.approve=...\n"


def test_it_goes_on_with_the_answer(bpaz, waiting):
    done = bpaz("resume", waiting[:8], "-q", "--answer", "ask.approve=true")
    assert (done.code, done.out, done.err) == (0, "Dear Ada.\n", "")
    again = bpaz("resume", waiting[:8])
    assert again.code == 1
    assert "completed" in again.err


def test_the_latest_run_goes_on_where_none_is_named(bpaz, waiting):
    assert bpaz("resume", "-q").code == 3
    assert bpaz("resume", "-q", "-a", "ask.approve=true").out == "Dear Ada.\n"
    none = bpaz("resume")
    assert none.code == 1
    assert "no run of yours can go on" in none.err


def test_runs_are_listed_as_a_tree(bpaz, waiting, lab):
    fork = lab.executions.fork(waiting, "draft", text="better")
    fork.wait()
    done = bpaz("runs")
    assert [line[:11].rstrip() for line in done.out.splitlines()] == [waiting[:8], f"└─ {fork.id[:8]}"]
    assert done.out.splitlines()[1].endswith("at draft")
    told = json.loads(bpaz("runs", "--json").out)
    assert [each["id"] for each in told] == [waiting, fork.id]


def test_nothing_is_listed_where_nothing_is(bpaz):
    done = bpaz("runs")
    assert (done.code, done.out, done.err) == (0, "", "no runs are kept here\n")


def test_a_run_is_shown(bpaz, waiting):
    done = bpaz("runs", "show", waiting[:8])
    lines = done.out.splitlines()
    assert lines[0] == "Letter: paused"
    assert "  asks      ask: Send it?" in lines
    assert f"            bpaz resume {waiting[:8]} --answer ask.approve=..." in lines
    rows = [line.split()[:3] for line in lines[lines.index("") + 1 :]]
    assert rows == [["step", "state", "effect"], ["who", "done", "pure"], ["draft", "done", "pure"]]
    step = bpaz("runs", "show", waiting[:8], "draft")
    assert step.out == "draft: finished\n  name -> 'Ada'\n  text <- 'Dear Ada.'\n"
    assert json.loads(bpaz("runs", "show", waiting, "--json").out)["steps"][0]["address"] == "who"
    bpaz("resume", waiting[:8], "-q", "-a", "ask.approve=true")
    assert "  output    Dear Ada." in bpaz("runs", "show", waiting[:8]).out.splitlines()


def test_runs_are_compared(bpaz, waiting, lab):
    fork = lab.executions.fork(waiting, "draft", text="better").wait()
    done = bpaz("runs", "diff", waiting[:8], fork.id[:8])
    assert (done.code, done.out) == (1, "~ draft\n    text  'Dear Ada.'\n       -> 'better'\n")
    same = bpaz("runs", "diff", waiting, waiting)
    assert (same.code, same.out) == (0, "no difference\n")


def test_old_runs_are_deleted_when_that_is_sure(bpaz, waiting, lab):
    bpaz("resume", waiting, "-q", "-a", "ask.approve=true")
    assert bpaz("runs", "prune").out == "deleted 0 runs that ended more than 90 days ago\n"
    asked = bpaz("runs", "prune", "--days", "0")
    assert asked.code == 1
    assert "--yes" in asked.err
    assert bpaz("runs", "prune", "--days", "0", "--yes").out.startswith("deleted 1 run ")
    assert list(lab.executions) == []
    assert bpaz("runs", "prune", "--days", "-1").code == 2


def test_a_changed_workflow_is_refused_with_what_differs(bpaz, waiting, letter):
    wf = Workflow.load(letter)
    wf["draft"].set(template="Bye {name}.")
    wf.save(letter)
    done = bpaz("resume", waiting[:8], "--workflow", letter, "-a", "ask.approve=true")
    assert done.code == 1
    assert '~ draft: template "Dear {name}." -> "Bye {name}."' in done.err
    assert bpaz("resume", waiting[:8], "-q", "-a", "ask.approve=true").out == "Dear Ada.\n"


def test_what_is_not_there(bpaz):
    for words in (
        ("resume", "abcd1234"),
        ("runs", "show", "abcd1234"),
        ("runs", "diff", "abcd1234", "abcd1234"),
    ):
        done = bpaz(*words)
        assert done.code == 1
        assert "no run of yours begins with abcd1234" in done.err


STEPS = """
import os, time
import bpaz_lab as bz

@bz.node(effect="pure")
def first_of_two(value: int) -> int:
    print("first", flush=True)
    return value + 1

@bz.node(effect="pure")
def second_of_two(value: int) -> int:
    print("second", flush=True)
    while not os.path.exists("go"):
        time.sleep(0.05)
    return value * 10
"""


def test_a_run_whose_process_was_killed_goes_on(tmp_path, lab):
    (tmp_path / "steps.py").write_text(STEPS, encoding="utf-8")
    nodes = {"one": {"type": "first_of_two"}, "two": {"type": "second_of_two"}}
    document = {"bpaz": 1, "name": "Killed", "nodes": nodes, "edges": [["one.result", "two.value"]]}
    (tmp_path / "killed.bpaz").write_text(json.dumps(document), encoding="utf-8")

    def start(*words):
        return subprocess.Popen(
            [sys.executable, "-m", "bpaz_lab", *words, "--with", "steps", "-q"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )

    run = start("run", "killed.bpaz", "-i", "value=1", "--durable")
    assert [run.stdout.readline().strip() for _ in range(2)] == ["first", "second"]
    execution = next(iter(lab.executions))
    while not list(execution.steps()):  # what may be repeated is kept a moment later
        pass
    run.send_signal(signal.SIGKILL)
    run.communicate()
    (tmp_path / "go").touch()
    out, err = start("resume", execution.id[:8]).communicate(timeout=WAIT)
    assert (out, err) == ("second\n20\n", "")
    assert execution.refresh().output == 20
