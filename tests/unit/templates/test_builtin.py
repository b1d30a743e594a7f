"""The templates that come along: complete, tidy, without problems, and ready to be kept by the server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bpaz_lab.templates
from bpaz_lab import Workflow
from bpaz_lab.graph.document import dumps
from bpaz_lab.services.workflow_check import problems, storable
from bpaz_lab.settings import Settings
from bpaz_lab.templates.builtin import builtins, find

pytestmark = pytest.mark.unit
FOLDER = Path(bpaz_lab.templates.__file__).parent
every_template = pytest.mark.parametrize("template", builtins(), ids=lambda each: each.id)


def test_every_file_is_a_template_and_every_template_a_file():
    assert sorted(each.id for each in builtins()) == sorted(path.stem for path in FOLDER.glob("*.bpaz"))
    assert len({each.name for each in builtins()}) == len(builtins()) >= 5


def test_one_is_found_by_its_id():
    assert find("ask_files").name == "Ask your files"
    assert find("nothing") is None


@every_template
def test_it_says_what_it_is_for(template):
    assert template.name[0].isupper()
    assert template.description.endswith(".")
    assert 1 <= len(template.category) <= 100
    assert not re.search(r"https?://", template.description)


@every_template
def test_its_file_is_as_it_would_be_saved(template):
    text = (FOLDER / f"{template.id}.bpaz").read_text(encoding="utf-8")
    assert dumps(template.flow_data) == text


@every_template
def test_it_has_no_problems_here_or_on_a_server(template):
    workflow = Workflow.from_dict(template.flow_data)
    assert workflow.validate() == []
    assert problems(storable(template.flow_data, Settings())) == []
    workflow.plan()
    assert {*template.inputs} <= {each.name for each in workflow.inputs}


@every_template
def test_every_node_has_a_place_and_a_title_and_a_note_says_where_to_begin(template):
    bodies = [template.flow_data, *(e["body"] for e in template.flow_data["nodes"].values() if "body" in e)]
    for body in bodies:
        assert {*body["layout"]} == {*body["nodes"]}
        assert all(entry.get("title") for entry in body["nodes"].values())
        places = [tuple(at) for at in body["layout"].values()]
        assert len({*places}) == len(places)
    assert template.flow_data["notes"]


@every_template
def test_it_needs_no_network_and_no_key(template):
    text = dumps(template.flow_data)
    assert "$cred" not in text
    assert "http" not in text
    assert "OpenAI" not in re.sub(r'"text": .*', "", text)  # a note may name it


@every_template
def test_its_python_makes_it_again(template):
    workflow = Workflow.from_dict(template.flow_data)
    assert Workflow.from_python(workflow.to_python()) == workflow
