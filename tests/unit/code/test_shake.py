from __future__ import annotations

import pytest

from bpaz_lab.code.shake import Shaken

pytestmark = pytest.mark.unit


def test_a_function_brings_what_it_uses_and_no_more():
    shaken = Shaken()
    assert shaken.take("bpaz_lab.nodes.convert", "message_to_messages") == "message_to_messages"
    assert shaken.take("bpaz_lab.nodes.convert", "data_to_text") == "data_to_text"
    imports, definitions = shaken.text()
    assert imports == ["import json", "from typing import Any"]
    assert len(definitions) == 2


def test_one_name_of_two_modules_becomes_two_names():
    shaken = Shaken()
    assert shaken.take("bpaz_lab.graph.operations", "_number") == "_number"
    assert shaken.take("bpaz_lab.nodes.control.condition", "_number") == "_number_2"
    shaken.take("bpaz_lab.nodes.control.condition", "_equal")
    told = "\n".join(shaken.text()[1])
    assert "def _number_2(value" in told
    assert "one, other = _number_2(value), _number_2(operand)" in told
    assert told.count("def _number(") == 1


def test_decorators_and_remarks_of_ours_stay_behind():
    shaken = Shaken()
    shaken.take("bpaz_lab.nodes.standing", "tried")
    shaken.take("bpaz_lab.nodes.chains.llm_chain", "llm_chain")
    told = "\n".join(shaken.text()[1])
    assert "in_script" not in told
    assert "noqa" not in told


def test_names_are_reserved():
    shaken = Shaken("json")
    assert shaken.reserve("json") == "json_2"
    assert shaken.reserve("a") == "a"
    assert shaken.reserve("a") == "a_2"
    with pytest.raises(LookupError, match="no nothing"):
        shaken.take("bpaz_lab.nodes.convert", "nothing")
