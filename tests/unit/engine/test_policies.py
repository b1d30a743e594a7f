from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator  # noqa: TC003 (a node's hints are read)
from typing import Any

import pytest
from langchain_core.documents import Document  # noqa: TC002 (as above)

from bpaz_lab import InputError, RunError, Workflow
from bpaz_lab.errors import DocumentError, NodeFailed, RunTimeout
from tests.support.flows import Flow, ended, one, up

pytestmark = pytest.mark.unit


class Flaky(OSError):
    """Goes away."""


def failing(times, error=Flaky):
    """A function that fails so many times before it works."""
    tries = []

    def flaky(value: Any) -> Any:
        tries.append(value)
        if len(tries) <= times:
            raise error(f"try {len(tries)}")
        return value

    return flaky, tries


def same(value: Any) -> Any:
    """What came."""
    return value


def chain(function, **policy):
    flow = Flow()
    flow.put(one, "a")
    flow.put(function, "b")
    flow.put(up, "c")
    flow.wire("a.result b.value", "b.result c.value")
    flow["b"].set_policy(**policy)
    return flow


def test_a_node_is_tried_again(through):
    function, tries = failing(2)
    run = chain(function, retries=2, wait=0.001).go(through).wait(20).raise_for_status()
    assert run.output == 2
    assert len(tries) == 3
    told = [event for event in run.events if event.type == "node.retried"]
    assert [(event.node, event.attempt, event.error.message) for event in told] == [
        ("b", 1, "Flaky: try 1"),
        ("b", 2, "Flaky: try 2"),
    ]
    assert all(0 <= event.wait <= 0.004 for event in told)


def test_and_fails_when_no_try_is_left(through):
    function, tries = failing(9)
    run = chain(function, retries=2, wait=0).go(through).wait(20)
    assert run.status == "failed"
    assert len(tries) == 3
    assert "try 3" in str(run.error)
    assert isinstance(run.error.__cause__, Flaky)


@pytest.mark.parametrize("error", [TypeError, InputError, NotImplementedError])
def test_what_a_repeat_does_not_help_is_not_repeated(error):
    function, tries = failing(1, error)
    assert chain(function, retries=3, wait=0).go("direct").wait(20).status == "failed"
    assert len(tries) == 1


@pytest.mark.parametrize(
    ("names", "again"), [(["Flaky"], True), (["OSError"], True), (["ValueError"], False), ([], False)]
)
def test_only_named_errors_are_repeated(names, again):
    function, tries = failing(1)
    chain(function, retries=1, wait=0, retry_on=names).go("direct").wait(20)
    assert len(tries) == (2 if again else 1)


def test_our_own_errors_are_named_by_code_too():
    function, tries = failing(1, InputError)
    chain(function, retries=1, wait=0, retry_on=["input"]).go("direct").wait(20)
    assert len(tries) == 2


def test_a_stop_does_not_wait_for_the_next_try(through):
    function, _ = failing(99)
    run = chain(function, retries=5, wait=600).go(through)
    while not ended(run, "node.retried"):
        time.sleep(0.001)
    run.cancel()
    assert run.wait(20).status == "cancelled"


def test_a_try_has_its_time(through):
    async def slow(value: Any) -> Any:
        await asyncio.sleep(60)

    run = chain(slow, timeout=0.02).go(through).wait(20)
    assert run.status == "failed"
    assert isinstance(run.error.__cause__, RunTimeout)
    assert run.error.path == "nodes.b"
    assert "longer than 0.02 s" in str(run.error)


def test_each_try_has_its_own_time_and_a_blocking_one_hears_of_it():
    heard = threading.Event()
    tries = []

    def slow(value: Any) -> Any:
        tries.append(value)
        if len(tries) == 1:
            time.sleep(0.2)
            heard.set()
        return value

    flow = Flow()
    flow.put(one, "a")
    flow.add(_class(slow), id="b")
    flow.wire("a.result b.value")
    flow["b"].set_policy(timeout=0.05, retries=1, wait=0, retry_on=["RunTimeout"])
    assert flow.go("direct").wait(20).raise_for_status().output == 1
    assert heard.wait(5)


def _class(function):
    from bpaz_lab.nodes.function import node_class

    return node_class(function)


def test_a_timeout_of_the_nodes_own_is_its_own_error():
    def late(value: Any) -> Any:
        raise TimeoutError("the provider was late")

    run = chain(late, timeout=60).go("direct").wait(20)
    assert "the provider was late" in str(run.error)


def test_a_default_stands_in_for_a_result(through):
    function, _ = failing(9)
    run = chain(function, on_error="default", default=41).go(through).wait(20).raise_for_status()
    assert run.output == 42
    assert ended(run, "node.failed") == ["b"]


def test_an_error_has_its_own_way(through):
    function, tries = failing(1)
    flow = chain(function, on_error="port")
    flow.add("PromptTemplate", id="told", template="{error}")
    flow.wire("b.error told.error")
    run = flow.go(through).wait(20).raise_for_status()
    assert "Flaky: try 1" in run.outputs["told.text"]
    assert ended(run, "node.skipped") == ["c"]
    assert run["b"] == {
        "error": {"code": "node_failed", "message": "Flaky: try 1", "hint": "", "path": "nodes.b"}
    }
    run = flow.go(through).wait(20).raise_for_status()
    assert run.outputs["c.result"] == 2
    assert ended(run, "node.skipped") == ["told"]
    assert len(tries) == 2


def test_the_error_port_of_a_node_whose_result_nobody_takes():
    function, _ = failing(1)
    flow = chain(function, on_error="port")
    flow.remove("c")
    flow.add("PromptTemplate", id="told", template="{error}")
    flow.wire("b.error told.error")
    assert "try 1" in flow.go("direct").wait(20).raise_for_status().output
    assert flow.go("direct").wait(20).raise_for_status().output is None


def test_a_disabled_node_is_passed_by(through):
    function, tries = failing(9)
    run = chain(function, disabled=True).go(through).wait(20).raise_for_status()
    assert run.output == 2
    assert tries == []
    assert ended(run, "node.skipped") == ["b"]


def test_where_nothing_fits_nothing_comes_of_a_disabled_node():
    flow = Flow()
    flow.add("TextInput", id="a", text="x")
    flow.add("RecursiveTextSplitter", id="split")
    flow.put(same, "c")
    flow.wire("a.text split.documents", "split.documents c.value")
    flow["split"].set_policy(disabled=True)
    run = flow.go("direct").wait(20).raise_for_status()
    assert ended(run, "node.skipped") == ["split"]
    assert run.output[0].page_content == "x"
    flow["a"].set_policy(disabled=True)
    run = flow.go("direct").wait(20).raise_for_status()
    assert ended(run, "node.skipped") == ["a", "split", "c"]


def test_a_process_of_its_own(through):
    def who(value: Any) -> Any:
        import os

        return os.getpid()

    flow = chain(who, process=True)
    flow.remove("c")
    run = flow.go(through).wait(60).raise_for_status()
    assert run.output != os.getpid()


def test_a_policy_that_makes_no_sense_is_refused():
    wf = Workflow()
    node = wf.add("TextInput")
    for policy in (
        {"retries": -1},
        {"retries": 1000},
        {"timeout": 0},
        {"on_error": "ignore"},
        {"nothing": 1},
    ):
        with pytest.raises(DocumentError) as caught:
            node.set_policy(**policy)
        assert caught.value.path.startswith("nodes.text_input.policy.")
    assert node.policy == {}
    node.set_policy(retries=2, on_error="default", default=None)
    assert node.policy == {"retries": 2, "on_error": "default", "default": None}
    node.set_policy(retries=None, on_error=None)
    assert node.policy == {}
    wf.undo()
    assert node.policy["retries"] == 2


def test_a_container_is_tried_again_from_its_beginning(through):
    function, tries = failing(1)
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each", at_once=1) as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        call = body.add(_class(function), id="call")
        end = body.add("End")
        body.connect(start["item"], call["value"])
        body.connect(call["result"], end["result"])
    flow.wire("start.xs each.items")
    flow["each"].set_policy(retries=1, wait=0)
    run = flow.go(through, {"xs": [1, 2]}).wait(20).raise_for_status()
    assert run.output == [1, 2]
    assert tries == [1, 1, 2]


# ---- what is wrong at run time ------------------------------------------------------------------------


def test_a_value_of_the_wrong_kind_names_the_wire(through):
    def number(value: Any) -> Any:
        return 5

    flow = Flow()
    flow.put(one, "a")
    flow.put(number, "made")
    flow.add("RecursiveTextSplitter", id="split")
    flow.wire("a.result made.value", "made.result split.documents")
    run = flow.go(through).wait(20)
    assert isinstance(run.error, NodeFailed)
    assert isinstance(run.error.__cause__, InputError)
    assert "the input 'documents' got a int from made.result, and takes documents" in str(run.error)
    assert run.error.hint


def test_a_value_that_cannot_be_converted_names_the_wire():
    def documents() -> list[Document]:
        return [1]

    flow = Flow()
    flow.put(documents, "made")
    flow.add("PromptTemplate", id="prompt", template="{context}")
    flow.wire("made.result prompt.context")
    run = flow.go("direct").wait(20)
    assert "got a list from made.result, and takes documents" in str(run.error)


def test_a_node_that_returns_nothing_where_it_must_give_something(through):
    def forgetful(value: Any) -> str:
        value + 1

    run = chain(forgetful).go(through).wait(20)
    assert run.status == "failed"
    assert "returned nothing" in str(run.error)
    assert run.error.path == "nodes.b"

    def allowed(value: Any) -> str | None:
        return None

    flow = chain(allowed)
    flow.remove("c")
    assert flow.go(through).wait(20).raise_for_status().outputs["b.result"] is None


def test_a_generator_that_raises_midway_keeps_what_it_streamed(through):
    def broken() -> Iterator[str]:
        yield "one "
        yield "two "
        raise ValueError("midway")

    flow = Flow()
    flow.put(broken, "b")
    run = flow.go(through).wait(20)
    assert run.status == "failed"
    assert "midway" in str(run.error)
    assert [event.text for event in run.events if event.type == "token"] == ["one ", "two "]
    with pytest.raises(RunError):
        run.raise_for_status()


def test_a_fault_that_is_caught_does_not_look_like_a_stop(through):
    def bad() -> Any:
        raise ValueError("inside")

    flow = Flow()
    with flow.add("SubWorkflow", id="part") as body:
        body.connect(body.add(_class(bad), id="bad")["result"], body.add("End", id="end")["result"])
    flow["part"].set_policy(on_error="default", default=0)
    flow.put(up, "b")
    flow.put(up, "c")
    flow.wire("part.result b.value", "b.result c.value")
    run = flow.go(through).wait(20).raise_for_status()
    assert run.output == 2
    assert ended(run, "node.finished")[-2:] == ["b", "c"]
