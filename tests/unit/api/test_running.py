from __future__ import annotations

import asyncio
import threading

import pandas as pd
import pytest

from bpaz_lab import DocumentError, InputError, RunError, Workflow
from bpaz_lab.errors import NodeFailed, RunCancelled, RunTimeout
from tests.support.flows import add, ended, one, up

pytestmark = pytest.mark.unit

WAIT = 20

DF = pd.DataFrame({"x": [1, 2]})


async def forever():
    await asyncio.Event().wait()


@pytest.fixture
def wf():
    from tests.support.flows import Flow

    return Flow()


def test_run_blocks_and_gives_the_run(wf):
    wf.put(add, "add")
    run = wf.run(left=1, right=2)
    assert run.status == "completed"
    assert run.output == 3
    assert wf.latest is run


def test_inputs_by_mapping_and_by_name(wf):
    wf.put(add, "add")
    assert wf.run({"left": 1}, right=2).output == 3
    assert wf.run({"add.left": 1, "add.right": 2}).output == 3


def test_a_name_that_clashes_with_an_option_goes_in_the_mapping(wf):
    def take(target):
        return target

    wf.put(take, "take")
    assert wf.run({"target": "x"}).output == "x"


def test_a_failed_run_raises_with_the_run_attached(wf):
    fault = ZeroDivisionError("no")

    def bad():
        raise fault

    wf.put(bad, "bad")
    with pytest.raises(RunError) as caught:
        wf.run()
    assert isinstance(caught.value, NodeFailed)
    assert caught.value.__cause__ is fault
    assert caught.value.run is wf.latest
    run = wf.start().wait(WAIT)
    assert run.status == "failed"
    assert [event.type for event in wf.stream()][-1] == "run.finished"


async def test_a_failed_arun_raises_too(wf):
    def bad():
        raise ValueError("no")

    wf.put(bad, "bad")
    with pytest.raises(NodeFailed):
        await wf.arun()


async def test_arun_and_astream(wf):
    wf.put(add, "add")
    assert (await wf.arun(left=1, right=2)).output == 3
    kinds = [event.type async for event in wf.astream(left=1, right=2)]
    assert kinds == ["run.started", "node.started", "node.finished", "run.finished"]


async def test_arun_cancelled(wf):
    entered, here = asyncio.Event(), asyncio.get_running_loop()

    async def waits():
        here.call_soon_threadsafe(entered.set)
        await forever()

    wf.put(waits, "a")
    task = asyncio.create_task(wf.arun())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wf.latest.wait(WAIT).status == "cancelled"


async def test_run_inside_a_running_loop(wf):
    wf.put(one, "a")
    assert wf.run().output == 1


def test_timeout_and_cancel_raise_from_run(wf):
    wf.put(forever, "a")
    with pytest.raises(RunTimeout):
        wf.run(timeout=0.02)
    run = wf.start()
    run.cancel()
    with pytest.raises(RunCancelled):
        run.wait(WAIT).raise_for_status()


def test_closing_a_stream_cancels(wf):
    wf.put(forever, "a")
    stream = wf.stream()
    next(stream)
    stream.close()
    assert wf.latest.wait(WAIT).status == "cancelled"


def test_two_runs_at_once_do_not_mix(wf):
    barrier = threading.Barrier(2)

    def meet(value):
        barrier.wait(WAIT)
        return value

    wf.put(meet, "meet", inline=False)
    runs = [wf.start(value=number) for number in (1, 2)]
    assert [run.wait(WAIT).output for run in runs] == [1, 2]


def test_what_cannot_start_says_why_and_starts_nothing(wf):
    wf.put(add, "add")
    with pytest.raises(InputError):
        wf.run(left=1)
    wf.add("LLMChain", id="chain")
    with pytest.raises(DocumentError, match="model"):
        wf.run(left=1, right=2)
    assert wf.latest is None


def test_run_to_here(wf):
    wf.put(one, "a")
    wf.put(up, "b")
    wf.put(up, "c")
    wf.wire("a.result b.value", "b.result c.value")
    run = wf.run(target="b")
    assert run.output == 2
    assert ended(run, "node.finished") == ["a", "b"]


def test_the_inputs_of_a_run(wf):
    wf.add("ChatInput", id="ask")
    wf.put(up, "up")
    assert [(each.name, each.node, each.has_default) for each in wf.inputs] == [
        ("question", "ask", False),
        ("value", "up", False),
    ]


def test_a_plan_is_kept_until_something_changes(wf):
    wf.put(one, "a")
    plan = wf.plan()
    assert wf.plan() is plan
    assert wf.plan("a") is not plan
    assert wf.plan() is plan
    wf.put(one, "b")
    assert wf.plan() is not plan
    fresh = wf.plan()
    wf.types.register(wf.types.find("one"))
    assert wf.plan() is not fresh


def test_objects_arrive_by_identity_through_three_wires(wf):
    def same(value):
        return value

    wf.add("Variable", id="table", name="df")
    before = "table.value"
    for number in range(3):
        wf.put(same, f"n{number}", inline=False)
        wf.wire(f"{before} n{number}.value")
        before = f"n{number}.result"
    assert wf.run(objects={"df": DF}).output is DF


def test_objects_of_main_are_seen_and_objects_go_before(wf, monkeypatch):
    import __main__

    monkeypatch.setattr(__main__, "thing_of_this_test", "of main", raising=False)
    wf.add("Variable", id="v", name="thing_of_this_test")
    assert wf.run().output == "of main"
    assert wf.run(objects={"thing_of_this_test": "given"}).output == "given"


def test_a_missing_object_is_a_failure_with_a_hint(wf):
    wf.add("Variable", id="v", name="never_defined_anywhere")
    run = wf.start().wait(WAIT)
    assert "never_defined_anywhere" in str(run.error)
    assert run.error.hint


def test_who_wants_to_know_is_told_of_every_run(wf):
    heard = []
    end = wf.on_run(heard.append)
    wf.put(one, "a")
    run = wf.run()
    end()
    end()
    wf.run()
    assert heard == [run]


def test_the_session_reaches_the_nodes(wf):
    from bpaz_lab.nodes.context import Context

    def asks(context):
        return context.session

    asks.__annotations__ = {"context": Context}
    wf.put(asks, "a")
    assert wf.run(session="s1").output == "s1"


def test_files_beside_the_workflow_are_found(tmp_path):
    (tmp_path / "a.md").write_text("hello")
    wf = Workflow()
    wf.add("TextDataLoader", path=str(tmp_path / "*.md"))
    wf.save(tmp_path / "w")
    loaded = Workflow.load(tmp_path / "w.bpaz")
    assert loaded.folder == tmp_path
    assert [document.page_content for document in loaded.run().output] == ["hello"]
