from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator  # noqa: TC003 (a node's hints are read)

import pytest

import bpaz_lab as bz
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.errors import BudgetExceeded
from tests.support.flows import Flow

pytestmark = pytest.mark.unit


async def endless() -> AsyncIterator[str]:
    """Never stops."""
    number = 0
    while True:
        yield f"{number} "
        number += 1


class Chat(bz.Node):
    """Tells what it used."""

    def run(self, text: str, context: bz.Context) -> str:
        context.usage(60, 40, "gpt-4o")
        return text


def test_a_stream_without_end_is_stopped_in_the_middle():
    flow = Flow()
    flow.put(endless, "chat")
    run = flow.start(budget=bz.Budget(tokens=50), cache=False).wait(20)
    assert run.status == "failed"
    assert isinstance(run.error, BudgetExceeded)
    assert run.error.path == "nodes.chat"
    assert run.error.run is run
    assert run.error.hint
    streamed = [event.text for event in run.events if event.type == "token"]
    assert streamed[:3] == ["0 ", "1 ", "2 "]
    assert len(streamed) >= 50
    assert run.events[-1].error.code == "budget_exceeded"


def test_what_models_report_counts_and_what_was_done_is_kept():
    flow = Flow()
    flow.add(Chat, id="one")
    flow.add(Chat, id="two")
    flow.add(Chat, id="three")
    flow.wire("one.text two.text", "two.text three.text")
    run = flow.start(text="a", budget=bz.Budget(tokens=150), cache=False).wait(20)
    assert isinstance(run.error, BudgetExceeded)
    assert run.outputs["one.text"] == "a"
    assert run.usage.input_tokens == 120
    assert flow.run(text="a", budget=bz.Budget(tokens=300), cache=False).status == "completed"


def test_money_counts_by_the_price_list():
    flow = Flow()
    flow.add(Chat, id="one")
    with pytest.raises(BudgetExceeded, match="more than its budget"):
        flow.run(text="a", budget=bz.Budget(cost=0.000_001), cache=False)
    assert flow.run(text="a", budget=bz.Budget(cost=1), cache=False).usage.cost > 0


async def test_a_run_that_is_stopped_leaves_no_mark_on_who_waits_for_it():
    flow = Flow()
    flow.add(Chat, id="one")
    flow.add(Chat, id="two")
    flow.wire("one.text two.text")

    async def rows():
        found = []
        for tokens in (150, 1_000, 150):
            run = flow.prepared(text="a", budget=bz.Budget(tokens=tokens), cache=False)
            found.append((await run.here()).status)
        return found, asyncio.current_task().cancelling()

    assert runtime().submit(rows()).result(20) == (["failed", "completed", "failed"], 0)
