import sys

import pytest

from bpaz_lab.errors import DocumentError, InputError
from bpaz_lab.services.execution_check import runnable
from bpaz_lab.settings import Settings
from tests.support.executions import GREETING

SETTINGS = Settings(max_nodes=4, max_edges=3)


def document(nodes, *edges):
    return {"bpaz": 1, "name": "Test", "nodes": nodes, "edges": [each.split() for each in edges]}


def text(value="Hi"):
    return {"type": "TextInput", "settings": {"text": value}}


def codes(flow_data, inputs=None):
    with pytest.raises(DocumentError) as refused:
        runnable(flow_data, inputs or {}, SETTINGS)
    return [(problem.code, problem.path) for problem in refused.value.problems]


def test_a_sound_document_comes_back_in_todays_form():
    assert runnable(GREETING, {"name": "you"}, SETTINGS)["nodes"]["hello"]["version"] >= 1


def test_all_problems_are_told_at_once():
    nodes = {"a": text(), "b": {"type": "PromptTemplate", "settings": {"template": 3}}}
    assert codes(document(nodes, "a.text b.nope")) == [
        ("setting", "nodes.b.settings.template"),
        ("edge", "edges.0"),
    ]


def test_types_that_only_the_kernel_knows_do_not_hinder():
    nodes = {"a": text(), "mine": {"type": "lab:Mine"}, "b": {"type": "PromptTemplate"}}
    assert runnable(document(nodes, "a.text mine.anything", "mine.result b.context"), {}, SETTINGS)
    wrong = {**nodes, "b": {"type": "PromptTemplate", "settings": {"template": 3}}}
    assert ("setting", "nodes.b.settings.template") in codes(document(wrong, "a.text mine.anything"))


def test_a_sub_workflow_in_a_file_of_the_kernel_does_not_hinder():
    inner = {"type": "SubWorkflow", "settings": {"workflow": "clean.bpaz"}}
    flow = document({"a": text(), "clean": inner, "b": text()}, "a.text clean.text", "clean.result b.text")
    assert runnable(flow, {}, SETTINGS)


@pytest.mark.parametrize("within", [False, True])
def test_a_literal_secret_is_refused_wherever_it_stands(within):
    entry = text("sk-proj-" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7" * 2)
    nodes = {"a": entry}
    if within:
        nodes = {"each": {"type": "SubWorkflow", "body": {"nodes": nodes, "edges": []}}}
    assert "literal_secret" in [code for code, _ in codes(document(nodes))]


def test_size_is_limited_bodies_included():
    many = {f"n{number}": text() for number in range(3)}
    assert runnable(document({"a": text(), **many}), {}, SETTINGS)
    inner = {"type": "SubWorkflow", "body": {"nodes": many, "edges": []}}
    assert runnable(document({"in_": inner}), {}, SETTINGS)
    assert codes(document({"in_": inner, "a": text()})) == [("document", "flow_data.nodes")]
    many |= {"join": {"type": "PromptTemplate", "settings": {"template": "{a}{b}{c}{d}"}}}
    edges = [f"n0.text join.{port}" for port in "abcd"]
    assert codes(document(many, *edges)) == [("document", "flow_data.edges")]


def test_inputs_are_checked_where_everything_is_known():
    for inputs in ({}, {"nme": "you"}):
        with pytest.raises(InputError):
            runnable(GREETING, inputs, SETTINGS)
    unknown = document({"a": {"type": "lab:Mine"}})
    assert runnable(unknown, {"anything": 1}, SETTINGS)


def test_checking_loads_no_package_of_a_provider():
    heavy = {"langgraph", "langchain_core", "pandas", "numpy", "xllamacpp"}
    before = heavy & set(sys.modules)
    nodes = {"chat": {"type": "LocalChat"}, "a": text()}
    runnable(document(nodes, "a.text chat.prompt"), {}, SETTINGS)
    assert heavy & set(sys.modules) == before
