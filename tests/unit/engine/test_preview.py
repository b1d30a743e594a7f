from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import AIMessage

from bpaz_lab.engine.events import as_json
from bpaz_lab.engine.preview import LENGTH, preview
from tests.support.flows import Flow

pytestmark = pytest.mark.unit


class Broken:
    def __repr__(self):
        raise RuntimeError("no")


class Hostile:
    """Every attribute fails."""

    def __getattr__(self, name):
        raise ValueError(name)


class Plain:
    """Says nothing of itself."""


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "NoneType", "None"),
        ("plain text", "str", "plain text"),
        ("", "str", ""),
        (2.5, "float", "2.5"),
        ([1, 2, 3], "list", "[1, 2, 3]"),
        ([], "list", "[]"),
        (pd.DataFrame({"x": [1, 2], "y": [3, 4]}), "DataFrame", "2 rows x 2 columns: x, y"),
        (pd.Series([1, 2]), "Series", "Series 2"),
        (np.zeros((3, 4)), "ndarray", "ndarray 3 x 4"),
        ([Document("one"), Document("two")], "list", "2 documents: one"),
        (AIMessage("hello"), "AIMessage", "hello"),
        (Plain(), "Plain", "Plain"),
        (Plain, "type", "<class"),
    ],
)
def test_values(value, kind, text):
    found = preview(value)
    assert found.type == kind
    assert found.text.startswith(text)


@pytest.mark.parametrize("make", [Broken, Hostile, lambda: [Broken()], lambda: {"a": Hostile()}])
def test_a_broken_object_fails_nothing(make):
    assert preview(make()).text


@pytest.mark.parametrize("value", ["x" * 10_000, list(range(10_000)), {"k" * 500: "v" * 500}, 10**1000])
def test_a_huge_value_is_cut(value):
    assert len(preview(value).text) <= LENGTH


def test_a_value_that_contains_itself():
    loop = []
    loop.append(loop)
    assert preview(loop).text


@given(st.recursive(st.none() | st.text() | st.floats(), st.lists, max_leaves=8))
def test_any_value_is_json_of_bounded_length(value):
    found = preview(value)
    assert len(found.text) <= LENGTH
    json.dumps(asdict(found), allow_nan=False)


@pytest.mark.parametrize(
    "make", [Broken, Hostile, lambda: pd.DataFrame({"x": [1]}), lambda: np.arange(5), lambda: "\ud800\0"]
)
def test_awkward_values_go_through_a_run(make):
    flow, value = Flow(), make()

    def source():
        return value

    flow.put(source, "a")
    run = flow.go("direct").wait(20)
    assert run.status == "completed"
    assert run.output is value
    for event in run.events:
        json.dumps(as_json(event), allow_nan=False)
