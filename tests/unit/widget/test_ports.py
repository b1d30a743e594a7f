from __future__ import annotations

import pytest

from bpaz_lab import Workflow
from bpaz_lab.widget.ports import PortsOfNodes, places, walk

pytestmark = pytest.mark.unit


@pytest.fixture
def wf():
    wf = Workflow()
    with wf.add("ForEach", id="each") as body:
        start = body.add("Start", id="start", fields=[{"name": "item"}])
        with body.add("SubWorkflow", id="part") as inner:
            inner.add("Start", id="start", fields=[{"name": "text"}]) >> inner.add("End", id="end")
        start >> body["part"] >> body.add("End", id="end", fields=["clean"])
    wf.add("TextInput", id="plain")
    return wf


def told(ports, wf, *operations):
    found = ports.touched(wf.history.document, wf.types, operations)
    return {place: [port.name for port in (*each.inputs, *each.outputs)] for place, each in found.items()}


def test_every_node_has_a_place(wf):
    found = [place for place, _ in walk(wf.history.document)]
    inner = ["each/part", "each/part/end", "each/part/start"]
    assert sorted(found) == ["each", "each/end", *inner, "each/start", "plain"]


def test_a_page_that_opens_is_told_of_all_whose_ports_are_their_own(wf):
    found = PortsOfNodes().all(wf.history.document, wf.types)
    assert "plain" not in found
    assert [port.name for port in found["each"].outputs] == ["clean"]
    assert [port.name for port in found["each/part"].inputs] == ["text"]


def test_a_field_more_inside_is_a_port_more_on_every_container_around(wf):
    ports = PortsOfNodes()
    ports.all(wf.history.document, wf.types)
    wf["each"].body["end"].set(fields=["clean", "rest"])
    operation = {"within": ["each"], "path": ["nodes", "end", "settings", "fields"]}
    assert told(ports, wf, operation) == {
        "each/end": ["clean", "rest", "results"],
        "each": ["items", "clean", "rest"],
    }
    wf["each"].body["part"].body["start"].set(fields=[{"name": "letter"}])
    operation = {"within": ["each", "part"], "path": ["nodes", "start", "settings", "fields"]}
    assert told(ports, wf, operation).keys() == {"each/part/start", "each/part", "each"}
    assert told(ports, wf, operation) == {}


def test_a_container_that_comes_brings_the_ports_of_its_body(wf):
    ports = PortsOfNodes()
    ports.all(wf.history.document, wf.types)
    change = wf.apply([{"path": ["nodes", "copy"], "new": wf.to_dict()["nodes"]["each"]}])
    assert told(ports, wf, *change.operations).keys() >= {"copy", "copy/end", "copy/part/start"}


def test_an_edge_concerns_both_of_its_ends_and_the_containers_around(wf):
    operation = {"within": ["each"], "edge": ["start.item", "part.text"], "new": 0}
    found = places(wf.history.document, [operation])
    assert sorted(found) == ["each", "each/part", "each/part/end", "each/part/start", "each/start"]


def test_looks_and_what_is_gone_concern_no_ports(wf):
    document = wf.history.document
    assert places(document, [{"path": ["layout", "plain"], "new": [0, 0]}]) == []
    gone = {"within": ["no", "body"], "path": ["nodes", "x"]}
    ports = PortsOfNodes()
    assert told(ports, wf, gone, {"path": ["nodes", "ghost"]}) == {}


def test_an_error_port_comes_and_goes_with_the_policy(wf):
    ports = PortsOfNodes()
    ports.all(wf.history.document, wf.types)
    operation = {"path": ["nodes", "plain", "policy"]}
    wf["plain"].set_policy(on_error="port")
    assert told(ports, wf, operation) == {"plain": ["text", "text", "error"]}
    wf["plain"].set_policy(on_error=None)
    assert told(ports, wf, operation) == {"plain": ["text", "text"]}


def test_a_type_that_is_new_is_told_again_where_it_stands(wf):
    ports = PortsOfNodes()
    ports.all(wf.history.document, wf.types)
    found = ports.registered(wf.history.document, wf.types, "End")
    assert found.keys() == {"each/end", "each/part/end"}
