from __future__ import annotations

import pytest

from bpaz_lab import Workflow
from bpaz_lab.nodes.catalogue import catalogue
from tests.support.flows import Flow

pytestmark = pytest.mark.unit

NAMES = ["self", "context", "cls", "body", "key", "inputs", "items", "errors", "rounds", "workflow"]


def passing(kind, name, **settings):
    """A container whose body passes on a field of that name."""
    flow = Flow()
    with flow.add(kind, id="part", **settings) as body:
        start = body.add("Start", id="start", fields=[{"name": name, "kind": "any"}])
        end = body.add("End", id="end", fields=["given"])
        body.connect(start[name], end["given"])
    return flow


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["SubWorkflow", "Try", "Loop"])
def test_a_field_of_a_body_may_have_any_name(kind, name):
    assert passing(kind, name).run({name: [1, 2]})["part"]["given"] == [1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_so_may_what_all_rounds_share(name):
    inputs = {"items": [1, 2], name: "x"} if name != "items" else {"items": [1, 2]}
    assert passing("ForEach", name).run(inputs)["part"]["given"] == [inputs[name], inputs[name]]


@pytest.mark.parametrize(
    ("kind", "name", "settings"),
    [("ForEach", "errors", {"on_item_error": "collect"}), ("Try", "error", {}), ("Loop", "rounds", {})],
)
def test_what_the_container_says_itself_is_not_hidden_by_its_body(kind, name, settings):
    flow = Flow()
    with flow.add(kind, id="part", **settings) as body:
        start = body.add("Start", id="start", fields=[{"name": "item", "kind": "any"}])
        end = body.add("End", id="end", fields=[name, "good"])
        body.connect(start["item"], end["good"])
        body.connect(start["item"], end[name])
    names = [port.name for port in flow["part"].ports.outputs]
    assert len(names) == len(set(names))
    assert flow["part"].ports.main.name not in ("errors", "error", "rounds")
    run = flow.run({"items": ["x"]} if kind == "ForEach" else {"item": "x"})
    assert run["part"].get(name) == {"ForEach": [], "Try": None, "Loop": 1}[kind]


def test_a_try_that_gives_nothing_but_its_error_runs():
    flow = passing("Try", "error")
    body = flow["part"].body
    body.remove("end")
    end = body.add("End", id="end", fields=["error"])
    body.connect(body["start"]["error"], end["error"])
    run = flow.run(error=1)
    assert run.status == "completed"
    assert "part/end" in [event.node for event in run.events if event.type == "node.finished"]


@pytest.mark.parametrize("kind", ["SubWorkflow", "ForEach", "Loop", "Try"])
def test_containers_lie_in_one_another_to_any_depth(kind):
    """Sixty levels: what takes twice as long with each of them would not end."""
    start = {"type": "Start", "settings": {"fields": [{"name": "item", "kind": "any"}]}}
    end = {"type": "End", "settings": {"fields": ["item"]}}
    into = "items" if kind == "ForEach" else "item"
    inner = {"nodes": {"start": start, "end": end}, "edges": [["start.item", "end.item"]]}
    for _ in range(60):
        part = {"type": kind, "settings": {}, "body": inner}
        edges = [["start.item", f"part.{into}"], ["part.item", "end.item"]]
        inner = {"nodes": {"start": start, "part": part, "end": end}, "edges": edges}
    workflow = Workflow.from_dict({"bpaz": 1, "name": "deep", **inner})
    assert workflow.validate() == []
    value = "x"
    for _ in range(60 if kind == "ForEach" else 0):
        value = [value]
    assert workflow.run(item=value).output == {"item": value}


@pytest.mark.parametrize("cls", [cls for cls in catalogue() if cls.container], ids=lambda cls: cls.__name__)
def test_what_a_canvas_begins_with_is_a_sound_body(cls):
    entry = {"type": cls.__name__, "body": cls.spec().starter}
    wf = Workflow.from_dict({"bpaz": 1, "name": "x", "nodes": {"box": entry}})
    assert wf.validate() == []
    assert wf["box"].ports.outputs or not cls.takes
