from __future__ import annotations

import pytest

import bpaz_lab as bz
from bpaz_lab.errors import UnknownNodeType

pytestmark = pytest.mark.unit


def test_node_types_of_all_and_of_one_category():
    everything = bz.node_types()
    assert everything == sorted(everything)
    assert set(bz.node_types("io")) == {"ChatInput", "ChatOutput", "End", "Start", "TextInput"}
    assert set(bz.node_types("io")) < set(everything)
    assert bz.node_types("no such category") == []


def test_node_type():
    assert bz.node_type("ChatOutput").ports.main.tag == "text"
    with pytest.raises(UnknownNodeType, match="ChatOutputt") as caught:
        bz.node_type("ChatOutputt")
    assert "ChatOutput" in caught.value.hint


def test_a_credential_is_a_name():
    wf = bz.Workflow()
    wf.add("OpenAICompatibleChat", id="c", model="m", api_key=bz.credential("openai"))
    assert wf.to_dict()["nodes"]["c"]["settings"]["api_key"] == {"$cred": "openai"}
