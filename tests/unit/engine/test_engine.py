from __future__ import annotations

import pytest

from bpaz_lab.engine.engine import Engine
from bpaz_lab.errors import DocumentError, NodeFailed

pytestmark = pytest.mark.unit


def document(nodes, *edges):
    return {"bpaz": 1, "name": "x", "nodes": nodes, "edges": list(edges)}


def text(value="hi"):
    return {"type": "TextInput", "settings": {"text": value}}


GREETING = document(
    {"a": text("you"), "b": {"type": "PromptTemplate", "settings": {"template": "Hi {who}"}}},
    ["a.text", "b.who"],
)


def test_validate_build_execute():
    engine = Engine()
    assert engine.validate(GREETING) == []
    plan = engine.build(GREETING)
    assert engine.execute(plan).output == "Hi you"
    kinds = [event.type for event in engine.execute_stream(plan)]
    assert kinds[0] == "run.started"
    assert kinds[-1] == "run.finished"


def test_execute_raises_what_stream_tells():
    engine = Engine()
    plan = engine.build(document({"f": {"type": "PythonFunction", "settings": {"name": "no", "inputs": []}}}))
    with pytest.raises(NodeFailed) as caught:
        engine.execute(plan)
    assert caught.value.run.status == "failed"
    assert [event.type for event in engine.execute_stream(plan)][-2:] == ["node.failed", "run.finished"]


def test_validate_never_raises():
    engine = Engine()
    assert [p.code for p in engine.validate([])] == ["format"]
    assert [p.path for p in engine.validate({"bpaz": 1})] == ["name"]
    problems = engine.validate(document({"a": {"type": "Nope"}}, ["b.x", "a.y"]))
    assert [(p.code, p.path) for p in problems] == [
        ("unknown_node_type", "nodes.a.type"),
        ("edge", "edges.0"),
    ]


BROKEN = document(
    {
        "a": text(),
        "good": {"type": "ChatOutput"},
        "bad": {"type": "RecursiveTextSplitter", "settings": {"chunk_size": -1}},
        "nope": {"type": "Nope"},
    },
    ["a.text", "good.text"],
    ["a.text", "bad.documents"],
    ["ghost.x", "bad.documents"],
)


def test_build_reports_every_problem():
    with pytest.raises(DocumentError) as caught:
        Engine().build(BROKEN)
    paths = {problem.path for problem in caught.value.problems}
    assert {"nodes.bad.settings.chunk_size", "nodes.nope.type", "edges.1"} <= paths


def test_an_unfinished_corner_does_not_stop_the_rest():
    engine = Engine()
    assert engine.execute(engine.build(BROKEN, ["good"])).output == "hi"


def test_the_problems_of_what_is_asked_for_stop_it():
    with pytest.raises(DocumentError) as caught:
        Engine().build(BROKEN, ["bad"])
    assert {problem.path for problem in caught.value.problems} == {
        "nodes.bad.settings.chunk_size",
        "edges.1",
    }


def test_a_cycle_stops_everything():
    looped = document({"a": text(), "b": text(), "good": text()}, ["a.text", "b.text"], ["b.text", "a.text"])
    with pytest.raises(DocumentError, match="circle"):
        Engine().build(looped, ["good"])


@pytest.mark.parametrize("target", ["zzz", "b.zzz"])
def test_a_target_that_does_not_exist_is_told(target):
    with pytest.raises(DocumentError, match="zzz") as caught:
        Engine().build(GREETING, [target])
    assert caught.value.hint
