"""Scripts run where no bpaz_lab is, and give what the workflow gives."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import bpaz_lab as bz
from tests.support.openai_server import OpenAIServer

pytestmark = [pytest.mark.workflows, pytest.mark.integration]
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python with everything that this one has but bpaz_lab."""
    home = tmp_path_factory.mktemp("without") / "venv"
    venv.create(home, symlinks=True)
    found = home / "bin" / "python"
    there = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if "bpaz_lab" not in each.name and each.suffix != ".pth" and not (there / each.name).exists():
            (there / each.name).symlink_to(each)
    done = subprocess.run(
        [found, "-c", "import bpaz_lab"], capture_output=True, text=True, check=False, cwd=home
    )
    assert "No module named 'bpaz_lab'" in done.stderr
    return found


@pytest.fixture
def run(python, tmp_path):
    """Runs the script of a workflow; gives what it prints, read as JSON where it is JSON."""

    def go(workflow, *arguments, stdin="", cwd=tmp_path, **environment):
        source = workflow.to_script()
        assert "import bpaz_lab" not in source
        assert "from bpaz_lab" not in source
        file = tmp_path / "script.py"
        file.write_text(source, encoding="utf-8")
        done = subprocess.run(
            [python, file, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": "", **environment},
        )
        assert done.returncode == 0, done.stderr + source
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout.removesuffix("\n")

    return go


def test_texts_and_inputs(run):
    wf = bz.Workflow('Hostile """ \\ name\n"')
    start = wf.add("Start", fields=[{"name": "filter"}, {"name": "n", "kind": "number", "default": 3}])
    hostile = '"); import os #\n\'"""\\ {filter} {n} \u202e 🎉 '
    prompt = wf.add("PromptTemplate", id="print", template=hostile.replace("{", "{").replace("}", "}"))
    start["filter"] >> prompt["filter"]
    start["n"] >> prompt["n"]
    style = wf.add("TextInput", id="match", text="a\nb\nc '''")
    end = wf.add("End", fields=["text", "style", "n"])
    prompt >> end["text"]
    style >> end["style"]
    start["n"] >> end["n"]
    assert run(wf, "--filter", "{n}") == wf.run(filter="{n}").output
    assert run(wf, "--filter", "x", "--n", "7.5") == wf.run(filter="x", n=7.5).output


def test_ids_that_functions_of_the_script_have(run):
    wf = bz.Workflow("Names")
    text = wf.add("TextInput", id="text_input", text="some words")
    check = wf.add("Condition", id="truth", expression="length(value) > 3")
    text >> check
    wf.connect(check["true"], wf.add("Merge", id="step")["values"])
    load = wf.add("TextInput", id="text_to_documents", text="a b")
    other = wf.add("RecursiveTextSplitter", id="_length")
    wf.connect(load["text"], other["documents"])
    prompt = wf.add("PromptTemplate", id="way", template="{documents_to_text} {main}")
    wf.connect(other["documents"], prompt["documents_to_text"])
    wf.add("TextInput", id="MISSING", text="m") >> prompt["main"]
    end = wf.add("End", id="reached", fields=["credential"])
    prompt >> end
    assert run(wf) == wf.run().output == {"credential": "a b m"}


def branching():
    wf = bz.Workflow("Branches")
    ask = wf.add("Start", fields=[{"name": "text"}, {"name": "score", "kind": "number"}])
    check = wf.add("Condition", id="check", operator="contains", operand="refund", ignore_case=True)
    route = wf.add(
        "Switch",
        id="route",
        cases=[
            {"name": "low", "when": "score < 0.5 and not (value starts with 'x')"},
            {"name": "high", "when": "1 >= score > 0.9 or length(upper(value)) * 2 = 8"},
        ],
    )
    ask["text"] >> check
    ask["text"] >> route["value"]
    ask["score"] >> route["score"]
    end = wf.add("End", id="end", fields=["check", "route", "both", "refund"])
    merge, both = wf.add("Merge", id="merge"), wf.add("Merge", id="both", mode="all")
    for port in ("low", "high", "otherwise"):
        each = wf.add("PromptTemplate", id=port, template=f"{port} {{it}}")
        route[port] >> each
        each >> merge
    ask["text"] >> both["values"]
    yes = wf.add("PromptTemplate", id="yes", template="yes {it}")
    check["true"] >> yes >> both
    check["true"] >> end["refund"]
    merge >> end["route"]
    both >> end["both"]
    check["false"] >> end["check"]
    return wf


@pytest.mark.parametrize(
    ("text", "score"), [("REFUND me", 0.1), ("abcd", 2), ("x", 0.95), ("x", 0.2), ("none", 0.7), ("", 3)]
)
def test_branches_that_are_not_taken(run, text, score):
    wf = branching()
    assert run(wf, "--text", text, "--score", str(score)) == wf.run(text=text, score=score).output


def test_bodies_in_bodies(run):
    wf = bz.Workflow("Bodies")
    start = wf.add("Start", fields=[{"name": "items", "kind": "json"}, {"name": "word"}])
    each = wf.add("ForEach", id="each", at_once=2)
    with each as body:
        inside = body.add(
            "Start", fields=[{"name": name, "kind": "json"} for name in ("item", "index", "word")]
        )
        careful = body.add("Try", id="careful")
        with careful as inner:
            checked = inner.add("Condition", operator="greater than", operand=2)
            begin = inner.add("Start", fields=[{"name": "number", "kind": "json"}])
            begin["number"] >> checked
            out = inner.add("End", fields=["big", "small"])
            checked["true"] >> out["big"]
            checked["false"] >> out["small"]
        inside["item"] >> careful["number"]
        grow = body.add("Loop", id="grow", condition="length(word) >= 6", limit=20)
        with grow as inner:
            more = inner.add("PromptTemplate", template="{word}{word}")
            inner.add("Start", fields=[{"name": "word"}]) >> more >> inner.add("End", fields=["word"])
        inside["word"] >> grow["word"]
        ends = body.add("End", fields=["big", "small", "error", "word", "index"])
        for port in ("big", "small", "error"):
            careful[port] >> ends[port]
        grow["word"] >> ends["word"]
        inside["index"] >> ends["index"]
    start["items"] >> each["items"]
    start["word"] >> each["word"]
    part = wf.add("SubWorkflow", id="part")
    with part as body:
        (
            body.add("Start", fields=[{"name": "step"}])
            >> body.add("PromptTemplate", template="<{x}>")
            >> body.add("End", fields=["text"])
        )
    start["word"] >> part["step"]
    end = wf.add("End", fields=["big", "small", "error", "word", "index", "part"])
    for port in ("big", "small", "error", "word", "index"):
        each[port] >> end[port]
    part >> end["part"]
    told = run(wf, "--items", '[1, 5, "no number", 3.5]', "--word", "ab")
    known = wf.run(items=[1, 5, "no number", 3.5], word="ab").output
    for errors in (told["error"], known["error"]):
        assert [each and each.pop("path") is not None for each in errors] == [None, None, True, None]
    assert told == known
    assert run(wf, "--items", "[]", "--word", "ab") == wf.run(items=[], word="ab").output


def test_policies(run):
    wf = bz.Workflow("Policies")
    ask = wf.add("Start", fields=[{"name": "value", "kind": "json"}])
    end = wf.add("End", fields=["way", "error", "instead", "passed", "slow"])
    port = wf.add("Condition", id="port", operator="less than", operand=5).set_policy(
        on_error="port", retries=1, wait=0
    )
    default = wf.add("Condition", id="default", operator="less than", operand=5)
    default.set_policy(on_error="default", default={"no": "number"}, timeout=30)
    passed = wf.add("TextInput", id="passed").set_policy(disabled=True)
    slow = wf.add("Delay", id="slow", seconds=1).set_policy(timeout=0.05, on_error="port")
    text = wf.add("TextInput", id="text", text="t")
    text >> passed
    text >> slow["value"]
    ask["value"] >> port
    ask["value"] >> default
    port["true"] >> end["way"]
    port["error"] >> end["error"]
    default["true"] >> end["instead"]
    passed >> end["passed"]
    slow["value"] >> end["slow"]
    for value in (3, "none"):
        told, known = run(wf, "--value", json.dumps(value)), wf.run(value=value).output
        for each in (told, known):
            each.get("error", {}).pop("path", None)
        assert told == known
    assert set(known) == {"error", "instead", "passed"}


def test_a_person_at_the_keyboard(run):
    wf = bz.Workflow("Ask")
    draft = wf.add("ChatInput", id="draft")
    ask = wf.add("HumanApproval", id="ask", edit=True, fields=[{"name": "grade", "kind": "integer"}])
    end = wf.add("End", fields=["yes", "no", "grade"])
    draft >> ask
    ask["approved"] >> end["yes"]
    ask["rejected"] >> end["no"]
    ask["answer"] >> end["grade"]
    source = run(wf, "--question", "Dear you", stdin="y\nDear me\nfine\n3\n")
    first = wf.run(question="Dear you")
    first.resume(approve=True, value="Dear me", comment="fine", grade=3)
    assert json.loads(source[source.index("{") :]) == first.wait().output


def test_a_local_model_over_notes(run, monkeypatch):
    monkeypatch.chdir(NOTEBOOKS)
    wf = bz.Workflow.load(NOTEBOOKS / "quickstart.bpaz")
    # What a model says is its own affair, and differs from one process to the next.
    assert len(run(wf, "--question", "What is a kernel?", cwd=NOTEBOOKS).split()) > 3


def test_the_documents_of_a_search(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.md").write_text("Cats purr.\n\n" * 30, encoding="utf-8")
    (tmp_path / "b.md").write_text("Stars shine.\n\n" * 30, encoding="utf-8")
    wf = bz.Workflow("Search")
    load = wf.add("TextDataLoader", id="load", path=f"{tmp_path}/*.md")
    split = wf.add("RecursiveTextSplitter", id="split", chunk_size=60, chunk_overlap=0)
    store, embed = wf.add("InMemoryVectorStore", id="store"), wf.add("LocalEmbeddings", id="embed")
    search = wf.add("VectorRetriever", id="search", k=3, search_type="mmr")
    wf.add("TextInput", id="what", text="night sky") >> search["query"]
    load >> split >> store >> search >> wf.add("ChatOutput")
    embed >> store
    assert run(wf) == wf.run().output.rstrip("\n")


async def test_a_model_in_the_cloud(run, monkeypatch):
    async with OpenAIServer() as server:
        wf = bz.Workflow("Cloud")
        chat = wf.add("OpenAICompatibleChat", id="chat", model="gpt-test", base_url=server.url, temperature=0)
        chain = wf.add("LLMChain", id="chain", system_prompt="Be brief.")
        ask = wf.add("ChatInput", id="ask")
        ask >> chain["prompt"]
        chat["model"] >> chain["model"]
        short = wf.add(
            "OpenAICompatibleChat", id="short", model="gpt-test", base_url=server.url, api_key=None
        )
        ask >> short
        end = wf.add("End", fields=["long", "short"])
        chain["text"] >> end["long"]
        short["text"] >> end["short"]
        monkeypatch.setenv("OPENAI_API_KEY", "test-key")
        known = (await wf.arun(question="What is a kernel?")).output
        before = [(each["headers"]["authorization"], each["body"]["messages"]) for each in server.requests]
        server.requests.clear()
        told = await asyncio.to_thread(run, wf, "--question", "What is a kernel?", OPENAI_API_KEY="test-key")
        after = [(each["headers"]["authorization"], each["body"]["messages"]) for each in server.requests]
    assert told == known == {"long": "A kernel runs code.", "short": "A kernel runs code."}
    assert sorted(after, key=str) == sorted(before, key=str)
    assert ("Bearer test-key", [{"role": "system", "content": "Be brief."}, before[0][1][-1]]) in after


def test_a_key_that_is_not_there_is_asked_for(python, tmp_path):
    wf = bz.Workflow("Cloud")
    wf.add("ChatInput") >> wf.add("OpenAICompatibleChat", api_key=bz.credential("my-key"))
    file = tmp_path / "script.py"
    file.write_text(wf.to_script(), encoding="utf-8")
    done = subprocess.run([python, file, "--question", "x"], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set the environment variable BPAZ_CREDENTIAL_MY_KEY"
    assert sys.executable != str(python)
