from __future__ import annotations

import pytest

from bpaz_lab.errors import ConnectionRefused, EdgeError
from bpaz_lab.graph.fitting import End, fitting
from bpaz_lab.graph.spec import Ports, PortSpec

pytestmark = pytest.mark.unit


def ports(inputs="", outputs=""):
    """``"text:text! data:data*"``: name and tag; ``!`` is required or main, ``*`` takes many."""

    def side(told, flag):
        for each in told.split():
            name, tag = each.rstrip("!*").split(":")
            yield PortSpec(name=name, tag=tag, many=each.endswith("*"), **{flag: each.endswith("!")})

    return Ports(inputs=tuple(side(inputs, "required")), outputs=tuple(side(outputs, "main")))


def join(outputs, inputs, taken=(), source="", target=""):
    return fitting(End("a", ports("", outputs), source), End("b", ports(inputs), target), set(taken))


def test_the_same_tag_before_a_conversion_before_any():
    assert join("t:text", "x:any y:documents z:text") == ("a.t", "b.z")
    assert join("t:text", "x:any y:documents") == ("a.t", "b.y")
    assert join("t:text", "x:any") == ("a.t", "b.x")


def test_a_required_input_before_an_optional_one_and_then_the_main_output():
    assert join("t:text", "x:text y:text!") == ("a.t", "b.y")
    assert join("s:text t:text!", "x:text") == ("a.t", "b.x")


def test_a_taken_input_is_not_picked_but_may_be_named():
    assert join("t:text", "x:text y:text", taken=["b.x"]) == ("a.t", "b.y")
    assert join("t:text", "x:text*", taken=["b.x"]) == ("a.t", "b.x")
    assert join("t:text", "x:text y:text", taken=["b.x"], target="x") == ("a.t", "b.x")


def test_two_best_ones_are_no_choice_and_none_is_none():
    with pytest.raises(ConnectionRefused) as caught:
        join("t:text", "x:text y:text")
    assert 'connect(a["t"], b["x"])' in caught.value.hint
    with pytest.raises(ConnectionRefused, match="nothing that a gives fits") as caught:
        join("m:model", "x:text")
    assert "m (model)" in caught.value.hint
    with pytest.raises(EdgeError, match="a has no output 'tt'"):
        join("t:text", "x:text", source="tt")
