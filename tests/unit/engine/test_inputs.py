from __future__ import annotations

import pytest

from bpaz_lab.errors import InputError
from tests.support.flows import add, one, up

pytestmark = pytest.mark.unit


def answered(flow, inputs):
    return flow.go("direct", inputs).wait(20).raise_for_status().output


def test_a_name_goes_to_the_fields_of_the_inputs_nodes(flow):
    ask = flow.add("ChatInput", id="ask", name="question")
    prompt = flow.add("PromptTemplate", id="prompt", template="Q: {question}")
    flow.connect(ask, prompt["question"])
    assert answered(flow, {"question": "why"}) == "Q: why"


def test_one_name_feeds_every_inputs_node_that_has_it(flow):
    for id in ("a", "b"):
        flow.add("ChatInput", id=id, name="question")
    assert answered(flow, {"question": "why"}) == {"a": "why", "b": "why"}


def test_an_inputs_node_goes_before_a_port_of_the_name(flow):
    flow.add("ChatInput", id="ask", name="value")
    flow.put(up, "up")
    assert answered(flow, {"value": "text", "up.value": 1}) == {"ask": "text", "up": 2}


def test_else_to_the_only_unconnected_port_of_the_name(flow):
    flow.put(one, "a")
    flow.put(add, "add")
    flow.wire("a.result add.left")
    assert answered(flow, {"right": 5}) == 6


def test_a_full_name_picks_one_of_several(flow):
    flow.put(up, "a")
    flow.put(up, "b")
    assert answered(flow, {"a.value": 1, "b.value": 10}) == {"a": 2, "b": 11}


def test_a_shared_name_alone_is_refused(flow):
    flow.put(up, "a")
    flow.put(up, "b")
    with pytest.raises(InputError, match="several nodes have an input 'value'") as caught:
        flow.go("direct", {"value": 1})
    assert "'a.value'" in caught.value.hint
    assert "'b.value'" in caught.value.hint


def test_an_unknown_name_lists_what_exists(flow):
    flow.put(add, "add")
    with pytest.raises(InputError, match="no input 'zzz'") as caught:
        flow.go("direct", {"zzz": 1})
    assert "left" in caught.value.hint
    assert "right" in caught.value.hint
    with pytest.raises(InputError, match="no input 'lefd'") as caught:
        flow.go("direct", {"lefd": 1})
    assert "left" in caught.value.hint


def test_a_workflow_without_inputs_says_so(flow):
    flow.put(one, "a")
    with pytest.raises(InputError) as caught:
        flow.go("direct", {"zzz": 1})
    assert "none" in caught.value.hint


def test_a_connected_port_is_no_input(flow):
    flow.put(one, "a")
    flow.put(up, "b")
    flow.wire("a.result b.value")
    with pytest.raises(InputError):
        flow.go("direct", {"b.value": 1})


def test_everything_missing_is_told_at_once_with_the_call_that_helps(flow):
    flow.put(add, "add")
    with pytest.raises(InputError, match="the run needs left, right") as caught:
        flow.go("direct")
    assert "run(left=...)" in caught.value.hint
    assert caught.value.path == "nodes.add.inputs.left"


def test_missing_of_several_with_one_name_is_told_by_its_full_name(flow):
    flow.put(up, "a")
    flow.put(up, "b")
    with pytest.raises(InputError, match=r"the run needs a\.value, b\.value") as caught:
        flow.go("direct")
    assert "run({'a.value': ...})" in caught.value.hint


def test_a_defaulted_port_is_not_missing_and_can_be_given(flow):
    def greet(name: str = "you"):
        return f"Hi {name}"

    flow.put(greet, "greet")
    assert answered(flow, {}) == "Hi you"
    assert answered(flow, {"name": "me"}) == "Hi me"


def test_a_setting_is_the_default_of_its_port(flow):
    def greet(name: str = "you"):
        return f"Hi {name}"

    flow.put(greet, "greet").set(name="all")
    assert answered(flow, {}) == "Hi all"
    assert answered(flow, {"name": "me"}) == "Hi me"


def test_none_is_a_value(flow):
    def same(value="other"):
        return value

    flow.put(same, "same")
    assert answered(flow, {"value": None}) is None


def test_what_is_not_computed_needs_no_input(flow):
    flow.put(up, "up")
    flow.put(one, "one")
    assert flow.go("direct", target="one").wait(20).output == 1
