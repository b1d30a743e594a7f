from __future__ import annotations

import pytest

from bpaz_lab.engine.answers import checked
from bpaz_lab.errors import InputError
from bpaz_lab.graph.spec import FieldSpec
from bpaz_lab.nodes.context import APPROVE, Question

pytestmark = pytest.mark.unit


def asked(*fields):
    return {"approve": Question("May it?", (APPROVE, *fields))}


def field(kind, **more):
    return FieldSpec(name="x", title="X", kind=kind, **more)


def test_a_node_may_be_called_like_its_field():
    assert checked(asked(), {"approve": True}) == {"approve": {"approve": True}}
    assert checked(asked(), {"approve": {"approve": False}}) == {"approve": {"approve": False}}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "a"),
        ("integer", 3),
        ("number", 2.5),
        ("boolean", False),
        ("list", [1]),
        ("object", {}),
        ("json", None),
    ],
)
def test_a_value_of_the_kind_is_taken(kind, value):
    found = checked(asked(field(kind)), {"approve": True, "x": value})
    assert found["approve"]["x"] == value


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (field("integer"), 2.5),
        (field("integer"), True),
        (field("number"), "3"),
        (field("integer", minimum=1, maximum=5), 6),
        (field("choice", choices=("a", "b")), "c"),
        (field("list"), "a"),
    ],
)
def test_another_is_refused(made, value):
    with pytest.raises(InputError) as caught:
        checked(asked(made), {"approve": True, "x": value})
    assert caught.value.path == "nodes.approve.x"


def test_defaults_are_filled_in():
    assert checked(asked(field("text", default="d")), {"approve": True})["approve"]["x"] == "d"


@pytest.mark.parametrize("answers", [{}, {"approve": "x", "other": {}}])
def test_what_is_no_answer_is_refused(answers):
    with pytest.raises(InputError):
        checked({**asked(), "b": Question("b?", (APPROVE,))}, answers)
