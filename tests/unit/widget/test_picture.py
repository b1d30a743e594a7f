from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from bpaz_lab import Workflow
from bpaz_lab.graph.document import shaped
from bpaz_lab.nodes.catalogue import catalogue
from bpaz_lab.widget.picture import picture

pytestmark = pytest.mark.unit

EVIL = "</text><script>alert(1)</script>&\"'"


def drawn(document):
    text = picture(shaped(document), catalogue())
    root = ET.fromstring(text)  # noqa: S314 (our own text; it must be well-formed)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return text, root


@pytest.mark.parametrize("title", [EVIL, "x" * 500, "", "✓ é"])
def test_any_label_is_well_formed_and_no_markup(title):
    nodes = {"a": {"type": "TextInput", "title": title}, "b": {"type": EVIL}}
    _, root = drawn(
        {"bpaz": 1, "name": EVIL, "nodes": nodes, "edges": [["a.text", "b.x"], ["z.q", "a.text"]]}
    )
    tags = {element.tag.partition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "style", "rect", "g", "text", "path", "circle"}


def test_nothing_leads_outside():
    text, root = drawn({"bpaz": 1, "name": "x", "nodes": {"a": {"type": "ChatInput"}}})
    assert "url(" not in text
    assert text.count("http") == 1  # the namespace
    for element in root.iter():
        assert not [key for key in element.attrib if "href" in key or key.startswith("on")]


def test_an_empty_workflow_says_so():
    assert "An empty workflow" in drawn({"bpaz": 1, "name": "x"})[0]


def test_a_wire_back_to_the_left_is_drawn_too():
    wf = Workflow()
    wf.add("TextInput", id="a", at=(600, 0)) >> wf.add("ChatOutput", id="b", at=(0, 0))
    _, root = drawn(wf.to_dict())
    assert len([e for e in root.iter() if e.get("class") == "edge"]) == 1


def test_a_container_shows_what_is_inside():
    wf = Workflow()
    with wf.add("SubWorkflow", id="part") as body:
        body.add("Start") >> body.add("PromptTemplate", template="{text}") >> body.add("End")
    wf.add("SubWorkflow", id="bare")
    wf["bare"].set_policy(disabled=True)
    text, root = drawn(wf.to_dict())
    assert "3 nodes inside" in text
    assert ">empty<" in text
    assert len([e for e in root.iter() if e.get("class") == "edge"]) == 2
    assert text.count("stroke-dasharray") == 1
