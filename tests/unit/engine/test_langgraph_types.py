"""The types and names of a workflow's inputs."""

from __future__ import annotations

from typing import Any

import pytest

from bpaz_lab import Workflow
from bpaz_lab.engine.langgraph_types import default_of, given_type, kept_type, named_inputs


def types(wf: Workflow) -> dict[str, tuple[Any, Any]]:
    plan = wf.plan()
    steps = {step.node: step for step in plan.steps}
    return {
        name: (given_type(each, steps[each.node]), default_of(each, steps[each.node]))
        for name, each in named_inputs(plan)
    }


def test_the_fields_of_start_have_their_kinds() -> None:
    wf = Workflow()
    kinds = ["text", "number", "boolean", "json", "any"]
    fields = [{"name": kind, "kind": kind, "required": False} for kind in kinds]
    fields[1]["default"] = 2
    start, end = wf.add("Start", fields=fields), wf.add("End", fields=kinds)
    for kind in kinds:
        wf.connect(start[kind], end[kind])
    assert types(wf) == {
        "text": (str, None),
        "number": (float, 2),
        "boolean": (bool, None),
        "json": (Any, None),
        "any": (Any, None),
    }


def test_parameters_have_the_kinds_of_their_fields() -> None:
    def make(text: str, count: int = 3, part: float = 0.5, loud: bool = False, words: list[str] = []) -> str:  # noqa: B006
        return text

    wf = Workflow()
    wf.add(make)
    assert types(wf) == {
        "text": (str, None),
        "count": (int, 3),
        "part": (float, 0.5),
        "loud": (bool, False),
        "words": (list[Any], []),
    }


def test_a_question_may_have_a_default() -> None:
    wf = Workflow()
    wf.add("ChatInput", default="What?")
    assert types(wf) == {"question": (str, "What?")}


def test_names_that_wires_share_are_whole_and_those_of_the_run_are_not() -> None:
    def take(text: str) -> str:
        return text

    wf = Workflow()
    wf.add(take, id="one")
    wf.add(take, id="two")
    wf.add("ChatInput", id="ask", name="text")
    assert [name for name, _ in named_inputs(wf.plan())] == ["one.text", "two.text", "text"]


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("text", str),
        ("list[text]", list[str]),
        ("documents", list[Any]),
        ("list[data]", list[Any]),
        ("any", Any),
    ],
)
def test_types_of_tags(tag: str, hint: Any) -> None:
    assert kept_type(tag) == hint
