from __future__ import annotations

import json

import pytest

from bpaz_lab import Workflow, credential
from bpaz_lab.widget.display import DOCUMENT, VIEW
from bpaz_lab.widget.schema import schema

pytestmark = pytest.mark.unit


@pytest.fixture
def wf():
    made = Workflow("Shown")
    made.add("OpenAICompatibleChat", id="chat", model="m", api_key=credential("openai"))
    return made


def test_a_cell_shows_the_document_the_picture_and_the_canvas(wf, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "correct-horse-battery")
    bundle = wf._repr_mimebundle_()
    assert {"text/plain", DOCUMENT, "image/svg+xml"} <= bundle.keys() <= {
        "text/plain", DOCUMENT, "image/svg+xml", VIEW
    }  # fmt: skip
    assert bundle["text/plain"] == "Workflow('Shown', 1 node, 0 edges)"
    assert bundle[DOCUMENT] == wf.to_dict()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "correct-horse-battery" not in json.dumps(bundle)


def test_what_a_cell_shows_is_stable(wf):
    one, other = wf._repr_mimebundle_(), wf._repr_mimebundle_()
    one.pop(VIEW, None), other.pop(VIEW, None)
    assert one == other


def test_the_schema_of_the_messages_is_json_and_leads_nowhere_outside():
    told = schema()
    text = json.dumps(told, allow_nan=False)
    for part in text.split('"$ref": "#/$defs/')[1:]:
        assert part.partition('"')[0] in told["$defs"]
    assert {"FromPage", "ToPage", "Event", "Document"} == set(told["required"])
