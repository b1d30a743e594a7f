from __future__ import annotations

import shutil
import subprocess

import pytest

import bpaz_lab as bz
from bpaz_lab.code.python import reading_order, to_python
from bpaz_lab.graph.document import normal
from bpaz_lab.nodes.catalogue import catalogue

pytestmark = pytest.mark.unit


def written(**sections):
    return to_python(normal({"bpaz": 1, "name": "Test", **sections}), catalogue())


def node(type, **more):
    settings = more.pop("settings", {})
    return {"type": type, "version": 1, "settings": settings, **more}


def test_a_whole_workflow_reads_as_a_person_would_write_it():
    wf = bz.Workflow("Ask my notes")
    load = wf.add("TextDataLoader", id="load", path="notes/*.md")
    split = wf.add("RecursiveTextSplitter", id="split", chunk_overlap=40, chunk_size=400)
    store = wf.add("InMemoryVectorStore", id="store")
    search = wf.add("VectorRetriever", id="search")
    ask = wf.add("ChatInput")
    prompt = wf.add("PromptTemplate", template="Use this:\n\n{context}\n\nAnswer: {question}")
    chat = wf.add("OpenAICompatibleChat", id="chat", api_key=bz.credential("mine"))
    wf.add("LocalEmbeddings", id="embed") >> store
    load >> split >> store >> search
    ask >> search["query"]
    wf.connect(ask["text"], prompt["question"])
    search["documents"] >> prompt["context"]
    prompt >> chat >> wf.add("ChatOutput")
    chat.title = "The model"
    chat.set_policy(retries=3, timeout=10, on_error="port")
    with wf.add("ForEach", id="each") as body:
        item = body.add("Start", fields=[{"name": "item", "kind": "json"}])
        item["item"] >> body.add("End", fields=["item"])
    wf.note("Ask me anything", at=(10, 20))
    wf.group("Index", [load, split, store])
    wf.move("load", 40, 80.5)
    assert (
        wf.to_python()
        == '''\
import bpaz_lab as bz

wf = bz.Workflow("Ask my notes")
load = wf.add("TextDataLoader", id="load", path="notes/*.md")
split = wf.add("RecursiveTextSplitter", id="split", chunk_size=400, chunk_overlap=40)
chat_input = wf.add("ChatInput")
embed = wf.add("LocalEmbeddings", id="embed")
store = wf.add("InMemoryVectorStore", id="store")
search = wf.add("VectorRetriever", id="search")
prompt_template = wf.add(
    "PromptTemplate",
    template="""\\
Use this:

{context}

Answer: {question}""",
)
chat = wf.add("OpenAICompatibleChat", id="chat", api_key=bz.credential("mine"))
chat.title = "The model"
chat.set_policy(on_error="port", retries=3, timeout=10)
chat_output = wf.add("ChatOutput")
each = wf.add("ForEach", id="each")
with each as body:
    start = body.add("Start", fields=[{"name": "item", "kind": "json"}])
    end = body.add("End", fields=["item"])
    start >> end

load >> split >> store >> search
chat_input >> search
wf.connect(chat_input["text"], prompt_template["question"])
embed >> store
search >> prompt_template >> chat >> chat_output

wf.note("Ask me anything", at=(10, 20))
wf.group("Index", [load, split, store])

# On the canvas
wf.move(load, 40, 80.5)
'''
    )
    assert bz.Workflow.from_python(wf.to_python()).to_python() == wf.to_python()


def test_names_that_cannot_be_variables():
    told = written(
        nodes={
            "filter": node("TextInput"),
            "class": node("TextInput"),
            "wf": node("TextInput"),
            "__init__": node("TextInput"),
            "each": node("ForEach", body={"nodes": {"wf": node("Merge"), "filter": node("Merge")}}),
        }
    )
    for line in (
        'filter_node = wf.add("TextInput", id="filter")',
        'class_node = wf.add("TextInput", id="class")',
        'wf_node = wf.add("TextInput", id="wf")',
        'init_node = wf.add("TextInput", id="__init__")',
        '    each_wf = body.add("Merge", id="wf")',
        '    each_filter = body.add("Merge", id="filter")',
    ):
        assert f"{line}\n" in told


def test_bodies_are_nested_to_any_depth():
    wf = bz.Workflow("Deep")
    scope = wf
    for _ in range(14):
        scope = scope.add("SubWorkflow").body
    scope.add("TextInput", text="down here")
    source = wf.to_python()
    assert bz.Workflow.from_python(source) == wf
    cell = {}
    exec(compile(source, "cell", "exec"), cell)  # noqa: S102
    assert cell["wf"] == wf
    assert max(len(line) - len(line.lstrip()) for line in source.splitlines()) == 28


def test_what_cannot_be_made_anew_stays_as_it_stands():
    told = written(
        nodes={
            "far": node("Acme", settings={"x": 1}),
            "load": node("TextDataLoader"),
            "out": node("ChatOutput"),
        },
        edges=[["load.documents", "far.into"], ["load.documents", "out.text"], ["gone.x", "load.y"]],
    )
    assert "# As it stands in the file" in told
    assert 'wf = bz.Workflow.from_dict(\n    {\n        "bpaz": 1,\n        "name": "Test",' in told
    assert '"far": {"type": "Acme", "version": 1, "settings": {"x": 1}}' in told
    assert 'far = wf["far"]\nload = wf.add("TextDataLoader", id="load")' in told
    assert told.endswith("\nload >> out\n")


def test_the_order_of_edges_into_one_port_stays():
    wf = bz.Workflow("Order")
    merge = wf.add("Merge", mode="all")
    for id in "cab":
        wf.add("TextInput", id=id) >> merge["values"]
    assert bz.Workflow.from_python(wf.to_python()).edges == wf.edges
    assert [line for line in wf.to_python().splitlines() if ">>" in line] == [
        "c >> merge",
        "a >> merge",
        "b >> merge",
    ]


def test_nodes_stand_after_what_feeds_them_and_otherwise_as_they_were():
    nodes = dict.fromkeys("dcba", node("TextInput"))
    assert reading_order({"nodes": nodes, "edges": []}) == ["d", "c", "b", "a"]
    assert reading_order({"nodes": nodes, "edges": [["a.text", "c.text"]]}) == ["d", "b", "a", "c"]
    circle = [["a.text", "b.text"], ["b.text", "a.text"]]
    assert reading_order({"nodes": nodes, "edges": circle}) == ["d", "c", "b", "a"]


def test_long_chains_are_broken():
    wf = bz.Workflow("Long")
    last = wf.add("TextInput", id="first")
    for number in range(30):
        last = last >> wf.add("TextInput", id=f"a_rather_long_name_{number}")
    source = wf.to_python()
    assert max(map(len, source.splitlines())) <= 88
    assert bz.Workflow.from_python(source) == wf


def samples():
    wf = bz.Workflow.load("notebooks/quickstart.bpaz")
    yield wf
    wf = bz.Workflow("Texts")
    texts = [
        "short",
        "a long text " * 30,
        "x" * 200,
        "one\ntwo\nthree\n",
        "ends with a space \n" * 9,
        'it\'s "so"',
        "'",
    ]
    for text in texts:
        wf.add("TextInput", text=text).title = text
        wf.note(text, at=(3, 4))
    cases = [{"name": name, "when": "value = 'a rather long text'"} for name in "abc"]
    wf.add("Switch", cases=cases)
    wf.add("LocalChat", json_schema={"type": "object", "properties": {"a": {"type": "string"}, "b": {}}})
    wf.group("Everything in a group whose title is long", list(wf.nodes))
    yield wf


def test_it_is_formatted_as_black_does_it(tmp_path, monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    ruff = shutil.which("ruff") or str(request.config.rootpath / ".venv/bin/ruff")
    for workflow in samples():
        source = workflow.to_python()
        command = [ruff, "format", "--isolated", "--line-length", "88", "-"]
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
        assert done.stdout == source
