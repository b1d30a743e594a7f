from __future__ import annotations

from typing import Any

import pytest

from bpaz_lab.errors import InputError
from tests.support.flows import Flow, ended, one, told, up

pytestmark = pytest.mark.unit


def asking(**settings):
    flow = Flow()
    flow.add("TextInput", id="draft", text="Dear reader")
    flow.add("HumanApproval", id="ask", **settings)
    flow.add("PromptTemplate", id="send", template="sent: {text}")
    flow.add("PromptTemplate", id="keep", template="kept: {text}")
    flow.wire("draft.text ask.value", "ask.approved send.text", "ask.rejected keep.text")
    return flow


def test_the_run_waits_and_everything_else_is_done_first(through):
    flow = asking(question="Send it?")
    flow.put(one, "beside")
    flow.put(up, "more")
    flow.wire("beside.result more.value")
    run = flow.go(through).wait(20)
    assert run.status == "paused"
    assert run.questions["ask"].text == "Send it?"
    assert run.questions["ask"].value == "Dear reader"
    assert run.outputs["more.result"] == 2
    assert told(run)[-1] == ("run.paused", "")
    assert run.events[-1].nodes == ["ask"]
    asked = next(event for event in run.events if event.type == "node.asked").question
    assert (asked.text, asked.data, asked.value.text) == ("Send it?", "Dear reader", "Dear reader")
    run.resume(approve=True)
    assert run.status == "completed"
    assert run.outputs["send.text"] == "sent: Dear reader"
    assert ended(run, "node.skipped") == ["keep"]
    assert ended(run, "node.started").count("ask") == 1
    assert ended(run, "node.answered") == ["ask"]
    assert [event.seq for event in run.events] == list(range(len(run.events)))


def test_what_is_rejected_takes_the_other_way():
    run = asking().run().resume({"approve": False, "comment": "too short"})
    assert run.outputs["keep.text"] == "kept: Dear reader"
    assert run["ask"]["answer"] == {"approve": False, "comment": "too short"}


def test_the_value_can_be_edited_where_that_is_allowed():
    run = asking(edit=True).run().resume({"ask": {"approve": True, "value": "Hello"}})
    assert run.outputs["send.text"] == "sent: Hello"
    run = asking().run()
    with pytest.raises(InputError, match="no field 'value'"):
        run.resume(approve=True, value="Hello")
    assert run.status == "paused"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "lacks 'approve'"),
        ({"approve": "yes"}, "approve is a boolean"),
        ({"approve": True, "value": 3}, "value is a multiline"),
        ({"approve": True, "stars": True}, "stars is a integer"),
        ({"approve": True, "mood": "angry"}, "mood is one of happy, sad"),
        ({"approve": True, "nothing": 1}, "no field 'nothing'"),
        ({"other": {"approve": True}, "ask": {"approve": True}}, "nobody asked for 'other'"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_and_the_run_waits_on(answer, why):
    fields: Any = [{"name": "stars", "kind": "integer"}, {"name": "mood", "kind": "choice"}]
    fields[1]["choices"] = ["happy", "sad"]
    run = asking(edit=True, fields=fields).run()
    with pytest.raises(InputError, match=why):
        run.resume(answer)
    assert run.status == "paused"
    assert list(run.questions) == ["ask"]
    assert run.resume(approve=True, mood="sad", stars=3)["ask"]["answer"]["stars"] == 3


def test_a_run_that_does_not_wait_takes_no_answer():
    run = asking().run().resume(approve=True)
    with pytest.raises(InputError, match="waits for no answer"):
        run.resume(approve=True)


def test_two_questions_are_answered_one_after_the_other(through):
    flow = asking()
    flow.add("HumanApproval", id="second")
    flow.wire("draft.text second.value")
    run = flow.go(through).wait(20)
    assert sorted(run.questions) == ["ask", "second"]
    run.resume({"second": {"approve": True}})
    assert run.status == "paused"
    assert list(run.questions) == ["ask"]
    assert run.resume(approve=True).status == "completed"


def test_one_question_after_the_other(through):
    flow = asking()
    flow.add("HumanApproval", id="second")
    flow.wire("send.text second.value")
    run = flow.go(through).wait(20)
    run.resume(approve=True)
    assert (run.status, list(run.questions)) == ("paused", ["second"])
    assert run.resume(approve=True).outputs["second.approved"] == "sent: Dear reader"


def test_a_run_that_waits_can_be_cancelled(through):
    run = asking().go(through).wait(20)
    run.cancel()
    assert run.wait(20).status == "cancelled"
    assert run.questions == {}


def test_inside_of_rounds_each_asks_for_itself(through):
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    calls = []

    def count(value: Any) -> Any:
        calls.append(value)
        return value

    with flow.add("ForEach", id="each", at_once=2) as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        call = body.add(count, id="count")
        ask = body.add("HumanApproval", id="ask")
        end = body.add("End", fields=["good"])
        body.connect(start["item"], call["value"])
        body.connect(call["result"], ask["value"])
        body.connect(ask["approved"], end["good"])
    flow.wire("start.xs each.items")
    run = flow.go(through, {"xs": ["a", "b", "c"]}).wait(20)
    assert sorted(run.questions) == ["each[0]/ask", "each[1]/ask", "each[2]/ask"]
    run.resume({"each[1]/ask": {"approve": False}})
    run.resume({f"each[{n}]/ask": {"approve": True} for n in (0, 2)})
    assert run.output == ["a", None, "c"]
    assert sorted(calls) == ["a", "b", "c"]


def picky(calls):
    """A ForEach of which one round fails before the others ask."""

    def taste(item: Any) -> Any:
        calls.append(item)
        if item == "bad":
            raise ValueError("it is bad")
        return item

    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each", on_item_error="collect") as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        call = body.add(taste, id="taste")
        ask = body.add("HumanApproval", id="ask")
        end = body.add("End", fields=["good"])
        body.connect(start["item"], call["item"])
        body.connect(call["result"], ask["value"])
        body.connect(ask["approved"], end["good"])
    flow.wire("start.xs each.items")
    return flow


def test_a_round_that_failed_before_the_pause_is_not_repeated_after_it(through):
    calls = []
    run = picky(calls).go(through, {"xs": ["a", "bad", "c"]}).wait(20)
    run.resume({"each[0]/ask": {"approve": True}})
    assert run.status == "paused"
    run.resume({"each[2]/ask": {"approve": True}})
    assert run.output == ["a", None, "c"]
    assert sorted(calls) == ["a", "bad", "c"]
    assert ended(run, "node.failed") == ["each[1]/taste"]


def test_a_repeat_of_the_whole_repeats_what_failed(through):
    calls = []
    flow = picky(calls)
    flow["each"].set(on_item_error="fail")
    flow["each"].set_policy(retries=1, wait=0)
    run = flow.go(through, {"xs": ["bad"]}).wait(20)
    assert run.status == "failed"
    assert calls == ["bad", "bad"]


def test_each_round_of_a_loop_asks(through):
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "n", "kind": "any"}])
    calls = []

    def more(n: Any) -> Any:
        calls.append(n)
        return n + 1

    with flow.add("Loop", id="loop", condition="n = 3") as body:
        start = body.add("Start", fields=[{"name": "n", "kind": "any"}])
        call = body.add(more, id="call")
        ask = body.add("HumanApproval", id="ask")
        end = body.add("End", fields=["n"])
        body.connect(start["n"], call["n"])
        body.connect(call["result"], ask["value"])
        body.connect(ask["approved"], end["n"])
    flow.wire("start.n loop.n")
    run = flow.go(through, {"n": 0}).wait(20)
    asked = []
    while run.status == "paused":
        asked += run.questions
        run.resume(approve=True)
    assert asked == ["loop[1]/ask", "loop[2]/ask", "loop[3]/ask"]
    assert (run["loop"], calls) == ({"n": 3, "rounds": 3}, [0, 1, 2])


def test_streams_end_at_the_pause_and_go_on_after_it():
    flow = asking()
    run = flow.start()
    first = list(run.stream())
    assert first[-1].type == "run.paused"
    run.answer(approve=True)
    rest = list(run.stream(len(first)))
    assert [event.type for event in (rest[0], rest[-1])] == ["run.resumed", "run.finished"]
