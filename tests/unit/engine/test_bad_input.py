"""What goes wrong in a workflow is an error of its kind, says where and what to do, and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003 (a node's hints are read)
from typing import Any

import pytest

from bpaz_lab import Workflow
from bpaz_lab.errors import (
    CycleError,
    DocumentError,
    ExpressionError,
    InputError,
    LoopLimit,
    NodeFailed,
    NodeTypeError,
)
from tests.support.flows import Flow, one

pytestmark = pytest.mark.unit


def same(value: Any) -> Any:
    """What came."""
    return value


def forgetful(value: Any) -> str:
    """Forgets to return something."""


def broken(value: Any) -> Iterator[str]:
    """Raises after two words."""
    yield "two "
    yield "words"
    raise ConnectionError("the line is dead")


def number(value: Any) -> Any:
    """A number where documents are wanted."""
    return 5


def around(kind, function=same, **settings):
    """A container over the run's input ``value``, whose body calls a function; beside it lies ``kept``."""
    flow = Flow()
    flow.put(one, "kept")
    name = "item" if kind == "ForEach" else "value"
    flow.add("Start", id="start", fields=[{"name": "value", "kind": "any"}])
    with flow.add(kind, id="part", **settings) as body:
        start = body.add("Start", id="start", fields=[{"name": name, "kind": "any"}])
        call = body.add(function, id="call")
        end = body.add("End", id="end", fields=[name])
        body.connect(start[name], call["value"])
        body.connect(call["result"], end[name])
    flow.wire(f"start.value part.{'items' if kind == 'ForEach' else 'value'}")
    return flow


def mistyped(kind="SubWorkflow"):
    """A body in which a number goes where documents are wanted."""
    flow = around(kind, number)
    body = flow["part"].body
    body.disconnect(body["call"])
    split = body.add("RecursiveTextSplitter", id="split")
    body.connect(body["call"]["result"], split["documents"])
    body.connect(split["documents"], body["end"]["value"])
    return flow


def nested():
    """A ForEach over a number, in a Try."""
    flow = around("Try")
    body = flow["part"].body
    body.disconnect(body["call"])
    with body.add("ForEach", id="each") as inner:
        inner.add("Start", id="start", fields=[{"name": "item", "kind": "any"}]) >> inner.add("End", id="end")
    body.connect(body["call"]["result"], body["each"]["items"])
    body.connect(body["each"]["result"], body["end"]["value"])
    return flow


IN_BODY = "nodes.part.body.nodes.call"
CASES = {
    "a loop without end": (
        lambda: around("Loop", condition="value = 2", limit=4),
        LoopLimit,
        "nodes.part",
        "not ended after 4 rounds",
    ),
    "a condition about something else": (
        lambda: around("Loop", condition="valeu = 2"),
        ExpressionError,
        "nodes.part",
        "there is no value 'valeu'",
    ),
    "a condition of another kind": (
        lambda: around("Loop", condition="value starts with 'a'"),
        ExpressionError,
        "nodes.part",
        "compares texts, not a number and a text",
    ),
    "items that are none": (
        lambda: around("ForEach"),
        InputError,
        "nodes.part",
        "the items of a list or the rows of a table, and a int came",
    ),
    "a value of the wrong kind": (
        mistyped,
        InputError,
        "nodes.part.body.nodes.split",
        "the input 'documents' got a int from call.result",
    ),
    "a node that returns nothing": (
        lambda: around("SubWorkflow", forgetful),
        NodeTypeError,
        IN_BODY,
        "the node returned nothing",
    ),
    "a generator that raises midway": (
        lambda: around("SubWorkflow", broken),
        ConnectionError,
        IN_BODY,
        "the line is dead",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_told_with_its_kind_its_place_and_a_hint(case, through):
    build, kind, path, message = CASES[case]
    run = build().go(through, {"value": 7}).wait(20)
    assert run.status == "failed"
    error = run.error
    assert isinstance(error, NodeFailed)
    cause = error
    while isinstance(cause, NodeFailed):
        cause = cause.__cause__
    assert isinstance(cause, kind)
    assert message in str(error)
    assert error.path == path
    assert error.hint or kind is ConnectionError  # of which nobody knows what helps
    if through != "durable":  # there it waits for a commit before it begins
        assert run.outputs["kept.result"] == 1


def test_what_streamed_before_a_fault_is_kept(through):
    run = around("SubWorkflow", broken).go(through, {"value": 7}).wait(20)
    assert [(event.node, event.text) for event in run.events if event.type == "token"] == [
        ("part/call", "two "),
        ("part/call", "words"),
    ]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: around("Try", forgetful), "the node returned nothing"),
        (lambda: around("Try", broken), "ConnectionError: the line is dead"),
        (lambda: mistyped("Try"), "got a int from call.result"),
        (nested, "a ForEach counts the items of a list"),
    ],
)
def test_try_takes_the_other_way_whatever_the_fault(build, message, through):
    run = build().go(through, {"value": 7}).wait(20).raise_for_status()
    error = run["part"]["error"]
    assert message in error["message"]
    assert error["path"].startswith("nodes.part.body.nodes.")


def referring(folder, files, kind="SubWorkflow"):
    """Workflow files, each of which names another; the first one, loaded."""
    for name, other in files.items():
        workflow = Workflow(name)
        workflow.save(folder / f"{name}.bpaz")
        with workflow.add(kind, id="part") as body:
            body.add("SubWorkflow", id="inner", workflow=f"{other}.bpaz")
        workflow.save(folder / f"{name}.bpaz")
    return Workflow.load(folder / f"{next(iter(files))}.bpaz")


@pytest.mark.parametrize("kind", ["SubWorkflow", "ForEach", "Loop", "Try"])
@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"a": "a"}, "a.bpaz -> a.bpaz"),
        ({"a": "b", "b": "a"}, "b.bpaz -> a.bpaz -> b.bpaz"),
        ({"a": "b", "b": "c", "c": "b"}, "b.bpaz -> c.bpaz -> b.bpaz"),
    ],
)
def test_workflows_that_lead_back_to_themselves_do_not_start(kind, files, circle, tmp_path):
    workflow = referring(tmp_path, files, kind)
    (problem,) = [problem for problem in workflow.validate() if isinstance(problem, CycleError)]
    assert circle in problem.message
    assert problem.path.endswith("settings.workflow")
    assert problem.hint
    with pytest.raises(DocumentError) as caught:
        workflow.run()
    assert any(isinstance(each, CycleError) for each in caught.value.problems)


def test_a_file_that_comes_to_lead_back_is_found_at_the_next_run(tmp_path):
    for name in ("a", "b"):
        Workflow(name).save(tmp_path / f"{name}.bpaz")
    workflow = Workflow.load(tmp_path / "a.bpaz")
    workflow.add("SubWorkflow", id="part", workflow="b.bpaz")
    workflow.save(tmp_path / "a.bpaz")
    assert workflow.validate() == []
    other = Workflow.load(tmp_path / "b.bpaz")
    other.add("SubWorkflow", id="back", workflow="a.bpaz")
    other.save(tmp_path / "b.bpaz")
    with pytest.raises(CycleError):
        workflow.run()
