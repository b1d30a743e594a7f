from __future__ import annotations

from typing import Any

import pytest

from tests.support.flows import Flow, ended

pytestmark = pytest.mark.unit


def careful(value: Any) -> Any:
    """Likes texts."""
    if value == "bad":
        raise ValueError("I did not like that")
    return value


def trying():
    flow = Flow()
    flow.add("ChatInput", id="ask", name="question")
    with flow.add("Try", id="part") as body:
        start = body.add("Start", fields=[{"name": "question"}])
        call = body.add(careful, id="call")
        end = body.add("End", fields=["answer"])
        body.connect(start["question"], call["value"])
        body.connect(call["result"], end["answer"])
    flow.add("PromptTemplate", id="sorry", template="Sorry: {error}")
    flow.add("Merge", id="merge")
    flow.wire("ask.text part.question", "part.error sorry.error")
    flow.wire("part.answer merge.values", "sorry.text merge.values")
    return flow


def test_while_all_goes_well_the_fallback_is_skipped(through):
    run = trying().go(through, {"question": "good"}).wait(20).raise_for_status()
    assert run.output == "good"
    assert ended(run, "node.skipped") == ["sorry"]


def test_a_fault_inside_takes_the_other_way(through):
    run = trying().go(through, {"question": "bad"}).wait(20).raise_for_status()
    assert "I did not like that" in run.output
    assert run["part"]["error"]["path"] == "nodes.part.body.nodes.call"
    assert ended(run, "node.failed") == ["part/call"]


def test_an_empty_body_gives_nothing():
    flow = Flow()
    flow.add("Try", id="part")
    run = flow.go("direct").wait(20).raise_for_status()
    assert run.output is None
