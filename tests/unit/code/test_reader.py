from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

import bpaz_lab as bz
from bpaz_lab.code.reader import read
from bpaz_lab.errors import CodeError, DocumentError
from bpaz_lab.nodes.catalogue import catalogue

pytestmark = pytest.mark.unit
NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
HEAD = "import bpaz_lab as bz\nwf = bz.Workflow('Test')\n"


def reads(source, **options):
    return bz.Workflow.from_python(HEAD + textwrap.dedent(source), **options)


def refused(source):
    with pytest.raises(CodeError) as caught:
        bz.Workflow.from_python(source)
    return caught.value


def test_what_a_person_writes():
    workflow = bz.Workflow.from_python('''
"""Notes about notes."""
from __future__ import annotations

from bpaz_lab import Workflow, credential

TEMPLATE = """Say {it}:
{context}"""
size = 400
flow = Workflow(name="Ask")  # a comment
who = flow.add("ChatInput", name="it")
prompt = flow.add("PromptTemplate", template=TEMPLATE).set_policy(retries=2)
flow.add("TextInput", text="a" "b", at=(3, -4)) >> prompt["context"]
out = who >> prompt >> flow.add("ChatOutput", id="out")
with flow.add("ForEach", id="each") as body:
    start = body.add("Start", fields=[{"name": "item"}])
    start["item"] >> body.add("End", fields=("text",))
flow["each"].title = "Each"
inner = flow["each"].body
inner.add("RecursiveTextSplitter", chunk_size=size, chunk_overlap=0)
chat = flow.add("OpenAICompatibleChat", api_key=credential("mine"), temperature=-0.0)
chat.set({"model": "m"}, timeout=2).rename("model")
flow.move("out", 1, 2)
flow.note("hi")
flow.group("Both", [who, out])
gone = flow.add("Merge")
flow.remove(gone)
flow.name = "Ask me"
flow
''')
    assert workflow.name == "Ask me"
    assert workflow.edges == [
        ("prompt_template.text", "out.text"),
        ("text_input.text", "prompt_template.context"),
        ("chat_input.text", "prompt_template.it"),
    ]
    assert workflow["prompt_template"].policy == {"retries": 2}
    assert workflow["prompt_template"].settings == {"template": "Say {it}:\n{context}"}
    assert workflow["model"].settings["api_key"] == {"$cred": "mine"}
    assert workflow["each"].body.edges == [("start.item", "end.text")]
    assert workflow["each"].body["recursive_text_splitter"].settings["chunk_size"] == 400
    document = workflow.history.document
    assert document["layout"] == {"text_input": [3, -4], "out": [1, 2]}
    assert document["groups"] == {"group": {"title": "Both", "nodes": ["chat_input", "out"]}}
    assert not workflow.history.can_undo


def test_a_function_of_the_notebook_stands_for_its_type(monkeypatch):
    monkeypatch.setattr(catalogue(), "_types", {cls.__name__: cls for cls in catalogue()})

    @bz.node
    def shout(text: str) -> str:
        return text.upper()

    workflow = reads("""
        @bz.node
        def shout(text: str) -> str:
            raise SystemExit("never run")

        wf.add("TextInput") >> wf.add(shout)
    """)
    assert workflow["shout"].type == "shout"
    assert shout("a") == "A"


@pytest.mark.parametrize(
    ("source", "line", "column", "piece", "message"),
    [
        ("import os", 1, 1, "import os", "os is not needed"),
        ("from os import system", 1, 1, "from os import system", "does not just build"),
        ("from bpaz_lab import Node", 1, 1, "from bpaz_lab import Node", "Node is not needed"),
        ("x = open('f')", 1, 5, "open", "nothing is called but"),
        (HEAD + "wf.run(question='x')", 3, 1, "wf.run(question='x')", "run() does not build"),
        (HEAD + "wf.save('x')", 3, 1, "wf.save('x')", "save() does not build"),
        (HEAD + "for i in [1]:\n    wf.add('Merge')", 3, 1, "for i in [1]:", "does not just build"),
        (HEAD + "wf.note(f'{wf}')", 3, 9, "f'{wf}'", "f-string"),
        (HEAD + "wf.add('Merge', **{})", 3, 1, "wf.add('Merge', **{})", "** is not"),
        (HEAD + "a = 1 + 1", 3, 5, "1 + 1", "no literal"),
        (HEAD + "a, b = 1, 2", 3, 1, "a, b = 1, 2", "does not just build"),
        (HEAD + "wf.types = 1", 3, 1, "wf.types", "nothing is assigned to .types"),
        (HEAD + "wf.add.__globals__", 3, 1, "wf.add", ".add is not read"),
        (HEAD + "wf.add('Merge').workflow", 3, 1, "wf.add('Merge').workflow", ".workflow is not read"),
        (HEAD + "wf2 = bz.Workflow('x')", 3, 7, "bz.Workflow('x')", "second workflow"),
        (HEAD + "wf.note(bz)", 3, 9, "bz", "neither a literal nor a node"),
        (HEAD + "wf.note(bz.Workflow)", 3, 9, "bz.Workflow", "neither a literal nor a node"),
        (HEAD + "wf >> wf", 3, 1, "wf >> wf", ">> joins nodes or ports"),
        (HEAD + "a = [lambda: 1]", 3, 6, "lambda: 1", "no literal"),
        (HEAD + "a = b'x'", 3, 5, "b'x'", "no literal"),
        (HEAD + "wf.add('Merge').title = 3", 3, 1, "wf.add('Merge').title", "a title is a text"),
        (HEAD + "with wf as body:\n    pass", 3, 6, "wf", "only a container has a body"),
        (HEAD + "load", 3, 1, "load", "nothing is called 'load'"),
        ("wf = 1 +", 1, 9, "wf = 1 +", "no Python"),
        ("wf = bz.Workflow('x')", 1, 6, "bz", "nothing is called 'bz'"),
    ],
)
def test_everything_else_is_refused_with_its_line(source, line, column, piece, message):
    error = refused(source)
    assert (error.line, error.column) == (line, column)
    assert error.source.startswith(piece)
    assert message in error.message
    assert error.path == f"line {line}, column {column}"
    assert isinstance(error, DocumentError)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("wf.add('Nope')", "node type 'Nope'"),
        ("wf.add('TextInput', text=3)", "nodes.text_input.settings.text: "),
        ("wf.add('TextInput', text='sk-proj-' 'aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD')", "looks like a secret"),
        ("wf.add('TextInput', at=(1,))", "the arguments do not fit"),
        ("wf.add()", "the arguments do not fit"),
        ("wf.add('TextInput') >> wf.add('ChatInput')", "nothing that text_input gives fits"),
        ("wf['gone']", "no node 'gone'"),
        ("wf.add('Merge')['gone']", "no port 'gone'"),
        ("wf.add('Merge').body", "no body"),
        ("wf.move('gone', 1, 2)", "no node 'gone'"),
    ],
)
def test_what_a_cell_would_refuse_is_refused_too(line, message):
    error = refused(HEAD + line)
    assert error.line == 3
    assert message in error.message
    assert error.__cause__ is not None


def test_no_workflow_and_no_python():
    assert "no workflow" in refused("x = 1").message
    assert "no Python" in refused("a\0b").message
    assert "nested" in refused(HEAD + " >> ".join(["wf"] * 3000)).message


def test_nothing_is_run(tmp_path):
    seen = []
    watching = True

    def watch(event, arguments):
        if watching and event not in ("compile", "object.__getattr__"):
            seen.append((event, arguments))

    source = bz.Workflow.load(NOTEBOOKS / "quickstart.bpaz").to_python()
    bz.Workflow.from_python(source)  # what is imported once is imported now
    sys.addaudithook(watch)
    try:
        bz.Workflow.from_python(source)
        seen_by_good = [event for event, _ in seen if event in ("exec", "import", "open", "os.system")]
        refused(HEAD + f"wf.note(__import__('pathlib').Path({str(tmp_path / 'x')!r}).touch())")
        refused(HEAD + f"exec({f'open({str(tmp_path)!r})'!r})")
    finally:
        watching = False
    assert seen_by_good == []
    assert [each for each in seen if each[0] in ("exec", "import", "open", "subprocess.Popen")] == []
    assert list(tmp_path.iterdir()) == []


def test_reading_needs_no_more_than_something_to_edit():
    made = []

    class Scope:
        def add(self, type, **settings):
            made.append((type, settings))
            return self

    read(HEAD + "wf.add('Anything', x=[1, {'a': None}])", lambda told: Scope())
    assert made == [("Anything", {"x": [1, {"a": None}]})]
