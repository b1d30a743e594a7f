"""What a script looks like and what cannot become one; tests/workflows/test_script.py runs them."""

from __future__ import annotations

import ast

import pytest

import bpaz_lab as bz
from bpaz_lab.errors import DocumentError, ScriptError
from bpaz_lab.nodes.catalogue import catalogue

pytestmark = pytest.mark.unit


def test_the_workflow_reads_as_plain_python():
    wf = bz.Workflow("Ask")
    ask = wf.add("ChatInput", id="ask", name="topic")
    load = wf.add("TextDataLoader", id="load", path="*.md")
    split = wf.add("RecursiveTextSplitter", id="split", chunk_size=400, chunk_overlap=40)
    prompt = wf.add("PromptTemplate", id="prompt", template="{topic}: {context}")
    prompt.title = "The  prompt\n"
    ask >> prompt["topic"]
    load >> split
    split["documents"] >> prompt["context"]
    prompt >> wf.add("ChatOutput")
    source = wf.to_script()
    tree = ast.parse(source)
    assert ast.get_docstring(tree).splitlines()[:3] == [
        "Ask",
        "",
        "Needs: pip install langchain-core langchain-text-splitters",
    ]
    start = source.index("def workflow")
    assert (
        source[start : source.index("\n\n\n", start)]
        == '''\
def workflow(topic):
    """The whole workflow."""
    load = text_data_loader(path="*.md")
    split = recursive_text_splitter(documents=load, chunk_size=400, chunk_overlap=40)
    # The prompt
    prompt = prompt_template(
        topic=topic, context=documents_to_text(split), template="{topic}: {context}"
    )
    return prompt["text"]'''
    )
    assert wf.to_script() == source


def test_every_node_in_the_way_is_named(monkeypatch):
    monkeypatch.setattr(catalogue(), "_types", {cls.__name__: cls for cls in catalogue()})

    @bz.node
    def shout(text: str) -> str:
        return text.upper()

    wf = bz.Workflow("Cell")
    wf.add("TextInput") >> wf.add(shout)
    with wf.add("SubWorkflow", id="part") as body:
        body.add("Variable", name="df")
    with pytest.raises(DocumentError) as caught:
        wf.to_script()
    assert [type(each) for each in caught.value.problems] == [ScriptError, ScriptError]
    assert [each.path for each in caught.value.problems] == ["nodes.shout", "nodes.part.body.nodes.variable"]
    assert "made in a notebook" in caught.value.problems[0].message


def test_a_workflow_with_problems_is_no_script():
    wf = bz.Workflow("Broken")
    wf.add("VectorRetriever")
    with pytest.raises(DocumentError, match="vectorstore"):
        wf.to_script()


def test_an_empty_workflow_is_a_script():
    source = bz.Workflow('"""').to_script()
    compile(source, "script", "exec")
    assert "bpaz_lab" not in "".join(line for line in source.splitlines() if "import" in line)


def test_an_input_of_a_body_may_not_be_called_like_a_setting():
    wf = bz.Workflow("Clash")
    with wf.add("ForEach", id="each") as body:
        start = body.add("Start", fields=[{"name": "at_once", "kind": "json"}])
        start >> body.add("End")
    wf.add("TextInput") >> wf["each"]["at_once"]
    begin = wf.add("Start", fields=[{"name": "items", "kind": "json"}])
    begin["items"] >> wf["each"]["items"]
    with pytest.raises(ScriptError, match="at_once"):
        wf.to_script()
