"""The command line on real files; what a process does at its end takes a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from bpaz_lab import Workflow
from bpaz_lab.__main__ import main

pytestmark = pytest.mark.unit

WAIT = 60


@pytest.fixture
def bpaz(capsys, monkeypatch):
    """Calls the command line as the process would; gives its exit code and what it wrote."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def call(*arguments, cwd=None):
        if cwd:
            monkeypatch.chdir(cwd)
        try:
            code = main(arguments)
        except SystemExit as left:  # argparse
            code = left.code
        told = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=told.out, stderr=told.err)

    return call


@pytest.fixture
def greeting(tmp_path):
    wf = Workflow("Greeting")
    ask = wf.add("ChatInput", id="ask", name="who")
    hello = wf.add("PromptTemplate", id="hello", template="Hello {someone}!")
    ask >> hello
    hello >> wf.add("ChatOutput", id="out")
    return wf.save(tmp_path / "greeting.bpaz")


def test_run_prints_the_output_and_tells_progress_apart(bpaz, greeting):
    done = bpaz("run", str(greeting), "--input", "who=you")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Hello you!\n"
    assert "hello" in done.stderr
    assert "completed" in done.stderr
    quiet = bpaz("run", str(greeting), "-i", "who=you", "--quiet")
    assert (quiet.stdout, quiet.stderr) == ("Hello you!\n", "")


def test_inputs_from_files_and_a_target(bpaz, greeting, tmp_path):
    (tmp_path / "name.txt").write_text("file")
    done = bpaz("run", str(greeting), "-i", f"who=@{tmp_path / 'name.txt'}", "--target", "hello", "-q")
    assert done.stdout == "Hello file!\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-i", "nonsense"), "--input NAME=VALUE"),
        (("-i", "who=@no_such_file"), "cannot be read"),
        (("-i", "whom=x"), "who"),
        ((), "the run needs who"),
        (("-i", "who=x", "--with", "no_such_module"), "Check --with"),
        (("-i", "who=x", "--target", "ghost"), "ghost"),
    ],
)
def test_bad_input_is_told_without_a_traceback(bpaz, greeting, arguments, said):
    done = bpaz("run", str(greeting), *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_file_that_is_not_there(bpaz, tmp_path):
    for command in ("run", "check"):
        done = bpaz(command, str(tmp_path / "missing.bpaz"))
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "missing.bpaz" in done.stdout + done.stderr


def test_with_brings_objects_and_a_failure_is_told(bpaz, tmp_path):
    (tmp_path / "mine_of_this_test.py").write_text(
        "def double(value):\n    return {'twice': 2 * value}\n\n"
        "def bad(value):\n    raise ValueError('no good')\n"
    )
    for name in ("double", "bad"):
        wf = Workflow()
        wf.add("PythonFunction", id="f", name=name)
        wf.save(tmp_path / f"{name}.bpaz")
    done = bpaz("run", "double.bpaz", "--with", "mine_of_this_test", "-i", "value=4", cwd=tmp_path)
    assert json.loads(done.stdout) == {"twice": 8}
    done = bpaz("run", "bad.bpaz", "--with", "mine_of_this_test", "-i", "value=4", cwd=tmp_path)
    assert done.returncode == 1
    assert "f failed: ValueError: no good" in done.stderr


def test_check_lists_all_problems_of_all_files(bpaz, greeting, tmp_path):
    bad = tmp_path / "bad.bpaz"
    nodes = {"a": {"type": "Nope"}, "b": {"type": "RecursiveTextSplitter", "settings": {"chunk_size": -1}}}
    bad.write_text(json.dumps({"bpaz": 1, "name": "x", "nodes": nodes, "edges": [["z.x", "b.documents"]]}))
    done = bpaz("check", str(greeting), str(bad))
    assert done.returncode == 1
    for said in (
        "no problems",
        "nodes.a.type",
        "nodes.b.settings.chunk_size",
        "edges.0",
        "[unknown_node_type]",
    ):
        assert said in done.stdout
    assert bpaz("check", str(greeting)).returncode == 0


def test_nodes(bpaz):
    listed = bpaz("nodes").stdout
    assert "PromptTemplate" in listed
    assert {each["type"] for each in json.loads(bpaz("nodes", "--json").stdout)["nodes"]} >= {
        "ChatInput",
        "End",
    }
    explained = bpaz("nodes", "PromptTemplate").stdout
    assert "Inputs" in explained
    assert "template" in explained
    assert json.loads(bpaz("nodes", "PromptTemplate", "--json").stdout)["type"] == "PromptTemplate"
    wrong = bpaz("nodes", "PromptTemplat")
    assert wrong.returncode == 1
    assert "PromptTemplate" in wrong.stderr


def test_a_wrong_call_is_exit_code_two(bpaz):
    assert bpaz().returncode == 2
    assert bpaz("explode").returncode == 2
    assert bpaz("--version").stdout.startswith("bpaz_lab ")


def test_ctrl_c_is_exit_code_130(tmp_path):
    (tmp_path / "slow_of_this_test.py").write_text(
        "import sys, threading\n\ndef block():\n    print('blocking', file=sys.stderr, flush=True)\n"
        "    threading.Event().wait()\n"
    )
    wf = Workflow()
    wf.add("PythonFunction", id="f", name="block", inputs=[])
    wf.save(tmp_path / "slow.bpaz")
    command = [sys.executable, "-m", "bpaz_lab", "run", "slow.bpaz", "--with", "slow_of_this_test", "-q"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline() == "blocking\n"
        os.kill(process.pid, signal.SIGINT)
        _, rest = process.communicate(timeout=WAIT)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "stopped" in rest


def test_the_exit_code_of_a_process():
    command = [sys.executable, "-m", "bpaz_lab", "nodes", "PromptTemplate"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    wrong = subprocess.run([*command[:-1], "Nope"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 1
    assert "Nope" in wrong.stderr


def test_code_and_script_print_python(bpaz, greeting):
    workflow = Workflow.load(greeting)
    code = bpaz("code", str(greeting))
    assert (code.returncode, code.stdout) == (0, workflow.to_python())
    assert Workflow.from_python(code.stdout) == workflow
    bare = bpaz("code", str(greeting), "--no-layout").stdout
    assert "arrange" in code.stdout
    assert "arrange" not in bare
    script = bpaz("script", str(greeting))
    assert (script.returncode, script.stdout) == (0, workflow.to_script())


def test_a_script_that_cannot_be_says_why(bpaz, tmp_path):
    wf = Workflow("Live")
    wf.add("Variable", name="df")
    done = bpaz("script", str(wf.save(tmp_path / "live.bpaz")))
    assert done.returncode == 1
    assert "variable (Variable) cannot be in a script" in done.stderr
