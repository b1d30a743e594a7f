from __future__ import annotations

import pytest

import bpaz_lab as bz

pytestmark = pytest.mark.unit


def test_what_is_known_stays_where_it_was():
    wf = bz.Workflow("Looks")
    a, b = wf.add("TextInput", id="a", at=(1, 2)), wf.add("ChatOutput", id="b", at=(3, 4))
    a >> b
    wf.note("a note", at=(5, 6))
    wf.group("Both", [a, b])
    with wf.add("ForEach", id="each") as body:
        body.add("Start", id="s", at=(7, 8))
    source = wf.to_python(layout=False).replace('"ChatOutput", id="b"', '"ChatOutput", id="c"')
    assert "move" not in source
    again = bz.Workflow.from_python(source.replace("[a, b]", "[a]"), like=wf).history.document
    assert again["layout"] == {"a": [1, 2]}
    assert again["notes"] == {"note": {"text": "a note", "at": [5, 6]}}
    assert again["groups"] == {"group": {"title": "Both", "nodes": ["a"]}}
    assert again["nodes"]["each"]["body"]["layout"] == {"s": [7, 8]}


def test_what_the_code_says_counts():
    wf = bz.Workflow("Looks")
    wf.add("TextInput", id="a", at=(1, 2))
    wf.note("old")
    source = wf.to_python().replace("wf.move(a, 1, 2)", "wf.move(a, 9, 9)").replace('"old"', '"new"')
    again = bz.Workflow.from_python(source, like=wf).history.document
    assert again["layout"] == {"a": [9, 9]}
    assert again["notes"]["note"]["text"] == "new"
    only = "import bpaz_lab as bz\nwf = bz.Workflow('Looks')\nwf.add('Merge')\n"
    assert bz.Workflow.from_python(only, like=wf).history.document["groups"] == {}


def test_workflows_that_it_names_are_found_from_its_folder(tmp_path):
    part = bz.Workflow("Part")
    start = part.add("Start", fields=[{"name": "topic"}])
    start >> part.add("PromptTemplate", template="About {it}") >> part.add("End", fields=["text"])
    part.save(tmp_path / "part.bpaz")
    wf = bz.Workflow("Whole")
    wf.save(tmp_path / "whole.bpaz")
    inner = wf.add("SubWorkflow", id="inner", workflow="part.bpaz")
    wf.add("ChatInput") >> inner["topic"]
    inner["text"] >> wf.add("ChatOutput")
    again = bz.Workflow.from_python(wf.to_python(), like=wf)
    assert again == wf
    assert again.run(question="x").output == wf.run(question="x").output == "About x"
