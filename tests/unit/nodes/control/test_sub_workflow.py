from __future__ import annotations

import pytest

from bpaz_lab import Workflow
from bpaz_lab.errors import CycleError, DocumentError
from tests.support.flows import ended

pytestmark = pytest.mark.unit


def greeting(scope):
    start = scope.add("Start", fields=[{"name": "who"}])
    start >> scope.add("PromptTemplate", template="Hello {who}!") >> scope.add("End", fields=["text"])


def test_its_ports_are_those_of_its_body(through):
    wf = Workflow()
    with wf.add("SubWorkflow", id="part") as body:
        greeting(body)
    assert [(port.name, port.tag) for port in wf["part"].ports.inputs] == [("who", "text")]
    assert [(port.name, port.tag) for port in wf["part"].ports.outputs] == [("text", "text")]
    assert wf.run(who="you").output == "Hello you!"


def test_one_in_the_other_to_any_depth():
    wf = Workflow()
    scope, depth = wf, 12
    for number in range(depth):
        inner = scope.add("SubWorkflow", id="part")
        with inner as body:
            if number == depth - 1:
                greeting(body)
            else:
                body.add("Start", id="start", fields=[{"name": "who"}])
                body.add("End", id="end", fields=["text"])
        scope = body
    for number in range(depth - 1, 0, -1):
        outer = wf.inside(*["part"] * number)
        outer.connect(outer["start"]["who"], outer["part"]["who"])
        outer.connect(outer["part"]["text"], outer["end"]["text"])
    run = wf.run(who="you")
    assert run.output == "Hello you!"
    assert "/".join(["part"] * depth) + "/prompt_template" in ended(run, "node.finished")
    assert Workflow.from_json(wf.to_json()) == wf


def test_a_workflow_of_a_file(tmp_path):
    part = Workflow("Greeting")
    greeting(part)
    part.save(tmp_path / "greeting.bpaz")
    wf = Workflow()
    wf.save(tmp_path / "whole.bpaz")
    handle = wf.add("SubWorkflow", id="part", workflow="greeting.bpaz")
    assert "body" not in wf.to_dict()["nodes"]["part"]
    assert [port.name for port in handle.ports.inputs] == ["who"]
    assert wf.run(who="you").output == "Hello you!"
    part["prompt_template"].set(template="Bye {who}")
    part.save(tmp_path / "greeting.bpaz")
    wf.note("anything", id="n")
    assert wf.run(who="you").output == "Bye you"
    wf.save(tmp_path / "whole.bpaz")
    assert Workflow.load(tmp_path / "whole.bpaz").run(who="me").output == "Bye me"


def test_a_file_that_is_not_there_or_no_workflow(tmp_path):
    wf = Workflow()
    wf.save(tmp_path / "whole.bpaz")
    wf.add("SubWorkflow", id="part", workflow="nothing.bpaz")
    (problem,) = wf.validate()
    assert problem.path == "nodes.part.settings.workflow"
    assert "cannot be read" in problem.message
    (tmp_path / "nothing.bpaz").write_text("{")
    (problem,) = wf.validate()
    assert "is no workflow" in problem.message
    with pytest.raises(DocumentError):
        wf.run()


def test_workflows_that_name_one_another_are_found_out(tmp_path):
    one, other = Workflow("one"), Workflow("other")
    for wf, file in ((one, "one.bpaz"), (other, "other.bpaz")):
        wf.save(tmp_path / file)
    one.add("SubWorkflow", id="part", workflow="other.bpaz")
    other.add("SubWorkflow", id="back", workflow="one.bpaz")
    one.save(tmp_path / "one.bpaz")
    other.save(tmp_path / "other.bpaz")
    problems = Workflow.load(tmp_path / "one.bpaz").validate()
    assert [type(problem) for problem in problems] == [CycleError]
    assert problems[0].path.endswith("settings.workflow")
    assert "other.bpaz -> one.bpaz -> other.bpaz" in problems[0].message


def test_a_required_input_inside_must_be_fed():
    wf = Workflow()
    with wf.add("SubWorkflow", id="part") as body:
        body.add("PromptTemplate", id="prompt", template="{who}") >> body.add("End")
    (problem,) = wf.validate()
    assert problem.path == "nodes.part.body.nodes.prompt.inputs.who"
    assert "Start" in problem.hint
