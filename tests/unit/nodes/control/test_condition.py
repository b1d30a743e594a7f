from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpaz_lab.errors import ExpressionError, InputError, SettingError
from bpaz_lab.nodes.control.condition import OPERATORS, Condition

pytestmark = pytest.mark.unit

CASES = [
    ("equals", "yes", "yes", True),
    ("equals", "yes", "Yes", False),
    ("equals", 3, "3.0", True),
    ("equals", 3, 3, True),
    ("equals", True, "true", True),
    ("equals", True, 1, False),
    ("equals", None, "", False),
    ("not equals", "a", "b", True),
    ("not equals", "3", 3, False),
    ("contains", "a refund please", "refund", True),
    ("contains", "a Refund please", "refund", False),
    ("contains", ["a", 2], "2", True),
    ("contains", {"key": 1}, "key", True),
    ("contains", ["ab"], "a", False),
    ("starts with", "hello", "he", True),
    ("starts with", "hello", "lo", False),
    ("ends with", "hello", "lo", True),
    ("ends with", 1.5, ".5", True),
    ("ends with", "hello", "he", False),
    ("greater than", 3, "2.5", True),
    ("greater than", "10", 9, True),
    ("greater than", 2, 2, False),
    ("greater than", -1, "1e3", False),
    ("less than", np.float32(1), 2, True),
    ("less than", float("nan"), 2, False),
    ("is empty", "", "", True),
    ("is empty", "  \n", "", True),
    ("is empty", None, "", True),
    ("is empty", [], "", True),
    ("is empty", 0, "", False),
    ("is empty", pd.DataFrame(), "", True),
    ("is not empty", pd.DataFrame({"x": [1]}), "", True),
    ("is not empty", " ", "", False),
    ("is true", True, "", True),
    ("is true", " Yes ", "", True),
    ("is true", "false", "", False),
    ("is true", "perhaps", "", False),
    ("is true", 0, "", False),
    ("is true", [0], "", True),
]


@pytest.mark.parametrize(("operator", "value", "operand", "holds"), CASES)
async def test_the_value_leaves_by_one_way_alone(operator, value, operand, holds):
    found = await Condition.of({"operator": operator, "operand": operand}).execute({"value": value})
    assert list(found) == ["true" if holds else "false"]
    assert next(iter(found.values())) is value


def test_every_operator_has_a_case_for_and_against():
    for operator in OPERATORS:
        assert {case[3] for case in CASES if case[0] == operator} == {True, False}


async def test_capitals_may_count_for_nothing():
    node = Condition.of({"operator": "contains", "operand": "REFUND", "ignore_case": True})
    assert "true" in await node.execute({"value": "A Refund"})


async def test_the_same_object_goes_on():
    table = pd.DataFrame({"x": [1]})
    assert (await Condition().execute({"value": table}))["true"] is table


@pytest.mark.parametrize("value", ["many", None, [1], True])
async def test_what_is_no_number_is_neither_greater_nor_less(value):
    with pytest.raises(InputError, match="is no number"):
        await Condition.of({"operator": "less than", "operand": 3}).execute({"value": value})


async def test_a_table_is_neither_true_nor_false():
    with pytest.raises(InputError, match="a DataFrame is neither true nor false") as caught:
        await Condition.of({"operator": "is true"}).execute({"value": pd.DataFrame({"x": [1]})})
    assert "is empty" in caught.value.hint


@pytest.mark.parametrize("operand", ["", "many"])
def test_a_number_is_compared_with_a_number(operand):
    with pytest.raises(SettingError, match="is no number") as caught:
        Condition.of({"operator": "greater than", "operand": operand})
    assert caught.value.path == "operand"


def test_an_operator_that_does_not_exist():
    with pytest.raises(SettingError, match="'equals', 'not equals'"):
        Condition.of({"operator": "=="})


def test_each_name_of_its_expression_is_an_input():
    ports = Condition.ports({"expression": "score < limit and value is not empty"})
    assert [port.name for port in ports.inputs] == ["value", "limit", "score"]
    assert all(port.required for port in ports.inputs)
    assert [(port.name, port.needs) for port in ports.outputs] == [
        (way, ("value", "limit", "score")) for way in ("true", "false")
    ]


@pytest.mark.parametrize(("score", "way"), [(0.2, "true"), (np.float32(0.9), "false")])
async def test_an_expression_stands_in_place_of_the_comparison(score, way):
    node = Condition.of({"expression": "score < 0.5", "operator": "is empty"})
    assert await node.execute({"value": "x", "score": score}) == {way: "x"}


@pytest.mark.parametrize("name", ["self", "context", "__class__"])
async def test_a_name_in_it_may_be_any(name):
    node = Condition.of({"expression": f"{name} > 1"})
    assert await node.execute({"value": "x", name: 2}) == {"true": "x"}


async def test_an_expression_that_does_not_fit_its_values():
    with pytest.raises(ExpressionError, match="a text and a number cannot be ordered"):
        await Condition.of({"expression": "score < 1"}).execute({"value": "x", "score": "high"})


def test_what_is_no_expression_is_no_setting():
    with pytest.raises(SettingError, match="breaks off at its end") as caught:
        Condition.of({"expression": "score <"})
    assert caught.value.path == "expression"
    assert caught.value.hint
    assert [port.name for port in Condition.ports({"expression": "score <"}).inputs] == ["value"]
