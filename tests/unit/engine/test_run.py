"""A run as it is held, watched, stopped and read; every test takes both ways of running."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from typing import Any

import pytest

from bpaz_lab.engine.events import as_json
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import Run
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.errors import EgressRefused, NodeFailed, RunCancelled, RunError, RunTimeout
from bpaz_lab.guard.credentials import EnvironmentResolver
from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.types import Model, Text  # noqa: TC001 (ports are read from hints)
from tests.support.flows import Flow, add, ended, one, told, up

pytestmark = pytest.mark.unit

WAIT = 20
"""Seconds after which a test that hangs fails."""


async def forever():
    await asyncio.Event().wait()


class Blocker:
    """A function that blocks a thread until the test lets it go."""

    def __init__(self):
        self.entered, self.free = threading.Event(), threading.Event()

    def function(self):
        def block():
            self.entered.set()
            return self.free.wait(WAIT)

        return block


@pytest.fixture
def blocker():
    found = Blocker()
    yield found
    found.free.set()


# ---- errors --------------------------------------------------------------------------------------


def test_a_failure_names_its_node_and_chains_the_cause(flow, through):
    fault = ValueError("no good")

    def bad(value):
        raise fault

    flow.put(one, "a")
    flow.put(bad, "bad", inline=False)
    flow.put(up, "after")
    flow.wire("a.result bad.value", "bad.result after.value")
    run = flow.go(through).wait(WAIT)  # neither start nor wait raises
    assert run.status == "failed"
    assert isinstance(run.error, NodeFailed)
    assert run.error.__cause__ is fault
    assert run.error.path == "nodes.bad"
    assert run.error.run is run
    assert "bad failed: ValueError: no good" in str(run.error)
    assert told(run)[-2:] == [("node.failed", "bad"), ("run.finished", "")]
    assert run.outputs == {"a.result": 1}
    failed, finished = run.events[-2:]
    assert failed.error.message == "ValueError: no good"
    assert failed.error.path == finished.error.path == "nodes.bad"
    assert finished.status == "failed"
    with pytest.raises(NodeFailed) as caught:
        run.raise_for_status()
    assert caught.value is run.error
    assert caught.value.__cause__ is fault


def test_the_hint_of_a_failure_goes_with_it(flow, through):
    def refused():
        raise EgressRefused("not there", hint="Ask somebody.")

    flow.put(refused, "a")
    run = flow.go(through).wait(WAIT)
    assert run.error.hint == "Ask somebody."
    assert run.events[-2].error.code == "egress"
    assert run.events[-2].error.hint == run.events[-1].error.hint == "Ask somebody."


def test_stream_tells_a_failure_and_raises_nothing(flow, through):
    def bad():
        raise RuntimeError

    flow.put(bad, "a")
    kinds = [event.type for event in flow.go(through).stream()]
    assert kinds == ["run.started", "node.started", "node.failed", "run.finished"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), StopIteration(), TimeoutError("slow")])
@pytest.mark.parametrize("inline", [True, False])
def test_whatever_a_node_raises_fails_the_node_alone(flow, through, error, inline):
    def leave():
        raise error

    flow.put(leave, "a", inline=inline)
    run = flow.go(through).wait(WAIT)
    assert run.status == "failed"
    assert type(run.error) is NodeFailed
    assert run.error.path == "nodes.a"
    flow.put(one, "b")
    assert flow.go(through, target="b").wait(WAIT).output == 1  # the engine lives


def test_the_first_failure_stops_the_other_nodes(flow, through, blocker):
    def bad(value):
        blocker.entered.wait(WAIT)
        raise ValueError

    async def waits(value):
        await forever()

    flow.put(one, "a")
    flow.put(blocker.function(), "blocks", inline=False)
    flow.put(waits, "waits")
    flow.put(bad, "bad", inline=False)
    flow.wire("a.result waits.value", "a.result bad.value")
    run = flow.go(through).wait(WAIT)
    assert not blocker.free.is_set()
    assert run.status == "failed"
    assert run.error.path == "nodes.bad"
    ends = {event.node: event.type for event in run.events if event.type.startswith("node.")}
    assert ends["bad"] == "node.failed"
    assert ends["waits"] == ends["blocks"] == "node.skipped"


def test_a_fault_of_the_engine_ends_the_run_and_says_so(flow, through):
    def broken(_kind, _node, _data):
        raise OSError("no room")

    flow.put(one, "a")
    run = Run(flow.plan(), {}, Options(through=through))
    run._scheduler._record = broken
    run.start().wait(WAIT)
    assert run.status == "failed"
    assert "the engine failed: OSError: no room" in str(run.error)
    assert isinstance(run.error.__cause__, OSError)


# ---- stopping ------------------------------------------------------------------------------------


def test_cancel_at_an_await(flow, through):
    entered = threading.Event()

    async def waits():
        entered.set()
        await forever()

    flow.put(waits, "a")
    run = flow.go(through)
    assert entered.wait(WAIT)
    run.cancel()
    run.wait(WAIT)
    assert run.status == "cancelled"
    assert isinstance(run.error, RunCancelled)
    assert run.error.run is run
    assert told(run)[-2:] == [("node.skipped", "a"), ("run.finished", "")]
    assert run.events[-1].status == "cancelled"
    with pytest.raises(RunCancelled):
        run.raise_for_status()
    before = len(run.events)
    run.cancel()  # once more does nothing
    assert len(run.events) == before


def test_cancel_while_a_node_blocks_does_not_wait_for_it(flow, through, blocker):
    flow.put(blocker.function(), "a", inline=False)
    run = flow.go(through)
    assert blocker.entered.wait(WAIT)
    run.cancel()
    run.wait(WAIT)
    assert not blocker.free.is_set()  # the function still blocks
    assert run.status == "cancelled"
    assert run.outputs == {}


def test_a_node_that_was_left_behind_is_not_heard_any_more(flow, through, blocker):
    gone = threading.Event()

    def talks(context: Context):
        blocker.entered.set()
        blocker.free.wait(WAIT)
        assert context.cancelled
        context.emit("too late")
        gone.set()

    flow.put(talks, "a", inline=False)
    run = flow.go(through)
    assert blocker.entered.wait(WAIT)
    run.cancel()
    count = len(run.wait(WAIT).events)
    blocker.free.set()
    assert gone.wait(WAIT)
    runtime().submit(asyncio.sleep(0)).result(WAIT)
    assert len(run.events) == count


def test_cancel_before_start(flow, through):
    flow.put(one, "a")
    run = Run(flow.plan(), {}, Options(through=through))
    run.cancel()
    run.start().wait(WAIT)
    assert run.status == "cancelled"
    assert told(run) == [("run.started", ""), ("run.finished", "")]


def test_closing_a_stream_cancels(flow, through):
    flow.put(forever, "a")
    run = flow.go(through)
    stream = run.stream()
    assert next(stream).type == "run.started"
    stream.close()
    assert run.wait(WAIT).status == "cancelled"


async def test_closing_an_async_stream_cancels(flow, through):
    flow.put(forever, "a")
    run = flow.go(through)
    stream = run.astream()
    assert (await anext(stream)).type == "run.started"
    await stream.aclose()
    assert (await run.done()).status == "cancelled"


async def test_an_async_stream_gives_every_event_to_the_end(flow, through):
    async def talks(context: Context):
        for number in range(20):
            context.emit(str(number))
            await asyncio.sleep(0)

    flow.put(talks, "a")
    run = flow.go(through)
    seen = [event async for event in run.astream()]
    assert seen == run.events
    assert [event.text for event in seen if event.type == "token"] == [str(n) for n in range(20)]


def test_a_stream_gives_every_event_while_the_run_goes_on(flow, through, blocker):
    flow.put(blocker.function(), "a", inline=False)
    run = flow.go(through)
    seen = []
    for event in run.stream():
        seen.append(event)
        if event.type == "node.started":
            assert run.status == "running"
            blocker.free.set()
    assert seen == run.events
    assert seen[-1].type == "run.finished"


def test_timeout_of_the_run(flow, through):
    flow.put(forever, "a")
    run = flow.go(through, timeout=0.02).wait(WAIT)
    assert run.status == "failed"
    assert isinstance(run.error, RunTimeout)
    assert "0.02 s" in str(run.error)
    assert run.error.hint
    assert run.error.run is run
    assert run.events[-1].error.code == "run_timeout"


def test_waiting_may_end_before_the_run(flow, through, blocker):
    flow.put(blocker.function(), "a", inline=False)
    run = flow.go(through)
    with pytest.raises(TimeoutError, match="not done"):
        run.wait(0.01)
    assert run.status in ("pending", "running")
    blocker.free.set()
    assert run.wait(WAIT).output is True


def test_ctrl_c_cancels_the_run_and_is_raised_again():
    script = """
        import asyncio
        from bpaz_lab import Workflow, node

        @node
        async def waits():
            print("waiting", flush=True)
            await asyncio.Event().wait()

        wf = Workflow()
        wf.add(waits)
        try:
            wf.run()
        except KeyboardInterrupt:
            print(wf.latest.status, wf.latest.events[-1].status, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "waiting\n"
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=WAIT)
    finally:
        process.kill()
    assert out == "cancelled cancelled\n"


async def test_cancelling_who_awaits_cancels_the_run(flow, through):
    entered = asyncio.Event()
    here = asyncio.get_running_loop()

    async def waits():
        here.call_soon_threadsafe(entered.set)
        await forever()

    flow.put(waits, "a")
    run = flow.go(through)
    task = asyncio.create_task(run.done())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert run.wait(WAIT).status == "cancelled"


async def test_a_run_inside_a_running_loop(flow, through):
    flow.put(one, "a")
    assert flow.go(through).wait(WAIT).output == 1  # as in a notebook's cell
    assert (await flow.go(through).done()).output == 1


def test_waiting_on_the_engines_thread_is_refused(flow, through):
    other = Flow()
    other.put(one, "a")

    async def nested():
        return other.go(through).wait()

    async def right():
        return (await other.go(through).done()).output

    flow.put(nested, "nested")
    run = flow.go(through).wait(WAIT)
    assert isinstance(run.error.__cause__, RunError)
    assert "await" in run.error.hint
    flow = Flow()
    flow.put(right, "right")
    assert flow.go(through).wait(WAIT).output == 1


def test_two_runs_of_one_workflow_do_not_mix(flow, through):
    barrier = threading.Barrier(2)

    def meet(value, context: Context):
        context.emit(f"<{value}>", "result")
        barrier.wait(WAIT)
        return value

    flow.put(meet, "meet", inline=False)
    flow.put(up, "up")
    flow.wire("meet.result up.value")
    runs = [flow.go(through, {"meet.value": number}) for number in (10, 20)]
    assert [run.wait(WAIT).output for run in runs] == [11, 21]
    assert [[e.text for e in run.events if e.type == "token"] for run in runs] == [["<10>"], ["<20>"]]
    assert runs[0].id != runs[1].id


# ---- looking -------------------------------------------------------------------------------------


def test_the_output_of_one_sink_is_its_main_output(flow, through):
    flow.put(one, "a")
    run = flow.go(through).wait(WAIT)
    assert run.output == 1
    assert run.outputs == {"a.result": 1}
    assert run.duration > 0
    assert "completed" in repr(run)


def test_several_sinks_are_a_dict_by_node(flow, through):
    flow.put(one, "a")
    flow.put(one, "b")
    assert flow.go(through).wait(WAIT).output == {"a": 1, "b": 1}


def test_what_chat_output_takes_goes_before_other_sinks(flow, through):
    flow.put(one, "other")
    text = flow.add("TextInput", id="text", text="hello")
    text >> flow.add("ChatOutput", id="out")
    run = flow.go(through).wait(WAIT)
    assert run.output == "hello"
    assert run["other"]["result"] == 1  # computed all the same


def test_end_gives_a_dict(flow, through):
    flow.put(one, "a")
    end = flow.add("End", id="end", fields=["x", "y"])
    flow.connect(flow["a"]["result"], end["x"])
    flow.connect(flow["a"]["result"], end["y"])
    assert flow.go(through).wait(WAIT).output == {"x": 1, "y": 1}


def test_several_collecting_ends(flow, through):
    for name in ("out", "other"):
        flow.add("TextInput", id=f"text_{name}", text=name) >> flow.add("ChatOutput", id=name)
    assert flow.go(through).wait(WAIT).output == {"out": "out", "other": "other"}


def test_a_branch_that_was_not_taken_gives_no_output(flow, through):
    flow.put(one, "a")
    check = flow.add("Condition", id="check", operator="equals", operand="2")
    flow.connect(flow["a"]["result"], check["value"])
    flow.put(up, "up")
    flow.wire("check.true up.value")
    run = flow.go(through).wait(WAIT)
    assert run.output is None
    assert run.events[-1].output is None
    with pytest.raises(KeyError, match="gave no output 'result'"):
        run["up"]["result"]


def test_wrong_names_tell_the_right_ones(flow, through):
    flow.put(one, "counter")
    run = flow.go(through).wait(WAIT)
    with pytest.raises(KeyError, match="counter"):
        run["countr"]
    with pytest.raises(KeyError, match="counter"):
        run["zzz"]
    with pytest.raises(KeyError, match="result"):
        run["counter"]["zzz"]


def test_usage_adds_up_by_node_and_in_the_run(flow, through):
    def calls(context: Context):
        context.usage(input_tokens=3, output_tokens=1)
        context.usage(output_tokens=1)

    flow.put(calls, "a", inline=False)
    flow.put(calls, "b", inline=False)
    run = flow.go(through).wait(WAIT)
    assert (run.usage.input_tokens, run.usage.output_tokens) == (6, 4)
    finished = {e.node: e.usage.output_tokens for e in run.events if e.type == "node.finished"}
    assert finished == {"a": 2, "b": 2}
    assert run.events[-1].usage == run.usage


def test_progress_is_an_event(flow, through):
    def steps(context: Context):
        context.progress(1, 2, "half")

    flow.put(steps, "a", inline=False)
    (event,) = [e for e in flow.go(through).wait(WAIT).events if e.type == "node.progress"]
    assert (event.node, event.done, event.total, event.message) == ("a", 1, 2, "half")


@pytest.mark.parametrize("done", [float("nan"), float("inf"), "half"])
def test_progress_that_is_no_number_fails_its_node_and_spoils_no_event(flow, through, done):
    def steps(context: Context):
        context.progress(done)

    flow.put(steps, "a", inline=False)
    run = flow.go(through).wait(WAIT)
    assert run.error.path == "nodes.a"
    assert [event.type for event in run.events][-2:] == ["node.failed", "run.finished"]


def test_a_token_that_is_no_text_spoils_no_event(flow, through):
    def talks(context: Context):
        context.emit(5)

    flow.put(talks, "a", inline=False)
    run = flow.go(through).wait(WAIT)
    assert [event.text for event in run.events if event.type == "token"] == ["5"]


class Talker(Node):
    """Streams a text."""

    def run(self, words: int = 3) -> Text:
        """The words."""
        for number in range(words):
            yield f"{number} "


class AsyncTalker(Node):
    """Streams a text."""

    async def run(self, words: int = 3) -> Text:
        """The words."""
        for number in range(words):
            yield f"{number} "


@pytest.mark.parametrize("talker", [Talker, AsyncTalker])
def test_a_generator_streams_and_its_output_is_the_whole(flow, through, talker):
    flow.put(talker, "a")
    run = flow.go(through).wait(WAIT)
    tokens = [event for event in run.events if event.type == "token"]
    assert [event.text for event in tokens] == ["0 ", "1 ", "2 "]
    assert {(event.node, event.port) for event in tokens} == {("a", "text")}
    assert run.output == "0 1 2 "
    assert told(run)[-2:] == [("node.finished", "a"), ("run.finished", "")]


def test_a_stopped_generator_ends_at_its_next_piece(flow, through):
    pieces, ended_itself = [], threading.Event()

    class Endless(Node):
        """Streams for ever."""

        def run(self) -> Text:
            """Numbers."""
            try:
                while True:
                    pieces.append(1)
                    yield "x"
            finally:
                ended_itself.set()

    flow.put(Endless, "a")
    run = flow.go(through)
    stream = run.stream()
    next(event for event in stream if event.type == "token")
    stream.close()
    assert run.wait(WAIT).status == "cancelled"
    assert ended_itself.wait(WAIT)


class Chat(Node):
    """A model, and what it says."""

    inline = True

    @output("model")
    def make(self) -> Model:
        """The model."""
        return "the model"

    @output("text", main=True)
    def ask(self, prompt: Text = "hi") -> Text:
        """Its answer."""
        raise AssertionError("nobody asked for the text")


class Uses(Node):
    """Takes a model."""

    inline = True

    def run(self, model: Model) -> Text:
        """Its name."""
        return str(model)


def test_an_output_that_nobody_takes_is_not_computed(flow, through):
    flow.put(Chat, "chat")
    flow.put(Uses, "uses")
    flow.wire("chat.model uses.model")
    run = flow.go(through).wait(WAIT)
    assert run.output == "the model"
    assert run.outputs.keys() == {"chat.model", "uses.text"}


def test_an_output_that_is_asked_for_is_computed(flow, through):
    flow.put(Chat, "chat")
    flow.put(Uses, "uses")
    flow.wire("chat.model uses.model")
    assert flow.go(through, target="chat.model").wait(WAIT).output == "the model"
    run = flow.go(through, target="chat").wait(WAIT)  # its main output
    assert "nobody asked" in str(run.error)


def test_run_to_here_computes_what_the_node_needs_and_no_more(flow, through):
    flow.put(one, "a")
    for before, node in ("ab", "bc"):
        flow.put(up, node)
        flow.wire(f"{before}.result {node}.value")
    flow.put(one, "other")
    run = flow.go(through, target="b").wait(WAIT)
    assert run.output == 2
    assert ended(run, "node.finished") == ["a", "b"]
    assert run.events[0].nodes == ["a", "b"]


# ---- secrets -------------------------------------------------------------------------------------

SECRET = "correct-horse-battery-staple"


def leaky(value: Any, context: Context) -> Any:
    """Tells the secret everywhere, in pieces and in the URL's form."""
    key = context.secret("mine").reveal()
    for piece in ("before ", key[:5], key[5:9], key[9:], " after"):
        context.emit(piece, "result")
    context.emit(key[:7], "result")  # held back until it is known to be no secret
    context.progress(1, message=f"using {key}")
    if value == "fail":
        raise ValueError(f"the provider said: bad key {key}")
    return {"echo": key, "encoded": f"https://example.org/?k={key}", "list": [key]}


@pytest.mark.parametrize("value", ["succeed", "fail"])
def test_no_secret_leaves_in_any_event(flow, through, value):
    services = Services(resolver=EnvironmentResolver({"BPAZ_CREDENTIAL_MINE": SECRET}))
    flow.put(leaky, "leaky", inline=False)
    run = flow.go(through, {"value": value}, services=services).wait(WAIT)
    assert run.status == ("failed" if value == "fail" else "completed")
    whole = "\n".join(json.dumps(as_json(event), ensure_ascii=False) for event in run.events)
    assert SECRET not in whole
    tokens = "".join(event.text for event in run.events if event.type == "token")
    assert tokens == f"before ••• after{SECRET[:7]}"
    assert "using •••" in whole
    if value == "fail":
        assert SECRET not in str(run.error)
        assert "bad key •••" in str(run.error)
        with pytest.raises(NodeFailed) as caught:
            run.raise_for_status()
        assert SECRET not in "".join(traceback.format_exception(caught.value))
    else:
        assert run.output["echo"] == SECRET  # a value is a value; what shows it masks it
        assert "•••" in run.events[-2].outputs["result"].text


def test_what_a_node_needs_of_the_run_is_there(flow, through):
    def asks(context: Context):
        return context.session, context.named("thing")

    thing = object()
    flow.put(asks, "a")
    services = Services(session="s1", namespace={"thing": thing})
    assert flow.go(through, services=services).wait(WAIT).output == ("s1", thing)


def test_auto_takes_langgraph_only_where_there_are_boundaries(flow):
    flow.put(add, "a")
    run = Run(flow.plan(), {"left": 1, "right": 2}, Options())
    assert run._through_langgraph is False
    assert run.start().wait(WAIT).output == 3


# ---- nodes that swallow their cancellation -----------------------------------------------------------


async def stubborn(context: Context) -> str:
    """Some packages lose a cancellation; a look at the context still ends the node."""
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
        context.check()


def test_a_stop_that_was_swallowed_is_still_a_stop(flow, through):
    flow.put(stubborn, "a")
    flow.put(stubborn, "b")
    run = flow.go(through)
    while sum(event.type == "node.started" for event in run.events) < 2:
        time.sleep(0.01)
    run.cancel()
    run.wait(WAIT)
    assert run.status == "cancelled"
    assert sorted(told(run)[-3:-1]) == [("node.skipped", "a"), ("node.skipped", "b")]


def test_a_timeout_that_was_swallowed_is_still_a_timeout(flow, through):
    flow.put(stubborn, "a")
    run = flow.go(through, timeout=0.05).wait(WAIT)
    assert isinstance(run.error, RunTimeout)


def test_a_failure_stops_a_blocking_node_that_looks(flow, through):
    left = threading.Event()

    def looks(context: Context) -> None:
        try:
            while True:
                time.sleep(0.01)
                context.check()
        finally:
            left.set()

    def bad() -> None:
        raise ValueError("bad")

    flow.put(looks, "looks", inline=False)
    flow.put(bad, "bad", inline=False)
    run = flow.go(through).wait(WAIT)
    assert run.error.path == "nodes.bad"
    assert left.wait(WAIT)
