"""A run that is cut off at each of its commits, and goes on: nothing is lost, and nothing happens twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from bpaz_lab.engine.journal import Journal
from bpaz_lab.errors import LeaseLost
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.function import node_class
from tests.support.flows import Flow, add, ended, told
from tests.support.ledgers import SqliteSteps, taken

pytestmark = pytest.mark.unit


@pytest.fixture(params=["direct", "langgraph"])
def through(request):
    """Both ways of running a plan; each has a ledger anyway."""
    return request.param


WAIT = 20
SENT: Counter[str] = Counter()
"""What happened outside of the process, by address."""
GAVE: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _outside():
    SENT.clear()
    GAVE.clear()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


def send(value: Any, context: Context) -> Any:
    """Acts outside: that it did is seen there alone."""
    SENT[context.node] += 1
    GAVE[context.node] = f"sent {value}"
    return GAVE[context.node]


def double(value: Any) -> Any:
    return value * 2


def refuse(value: Any, context: Context) -> Any:
    raise ValueError("never")


class Cut(SqliteSteps):
    """A store that a process loses: before a commit, or after it and before it hears of it."""

    def __init__(self, path: Any, at: int, *, after: bool) -> None:
        super().__init__(path)
        self.left = at
        self.after = after

    def write(self, rows: Any, parts: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise LeaseLost("the process is dead")
        if self.left == 0:
            if self.after:
                super().write(rows, parts)
            raise LeaseLost("the process is dead")
        super().write(rows, parts)


def everything() -> Flow:
    """Containers, branches, a race, errors, and things that must not happen twice in all of them."""
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    once, pure = node_class(send, effect="once"), node_class(double, effect="pure")
    with flow.add("ForEach", id="each", at_once=2) as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        start >> body.add(pure, id="twice") >> body.add(once, id="send") >> body.add("End", fields=["sent"])
    with flow.add("Loop", id="loop", condition="round >= 2") as body:
        start = body.add("Start", id="start", fields=[{"name": "state", "kind": "any"}])
        start >> body.add(once, id="send") >> body.add("End", fields=["state"])
    with flow.add("SubWorkflow", id="sub") as body:
        start = body.add("Start", id="start", fields=[{"name": "x", "kind": "any"}])
        with body.add("Try", id="try") as inner:
            start = inner.add("Start", id="start", fields=[{"name": "y", "kind": "any"}])
            first = start >> inner.add(once, id="send")
            first >> inner.add(node_class(refuse, effect="once"), id="refuse") >> inner.add("End")
        body.connect(body["start"]["x"], body["try"]["y"])
        body.connect(body["try"]["error"], body.add(once, id="tell")["value"])
        body.connect(body["tell"]["result"], body.add("End")["result"])
    flow.add("Condition", id="check", operator="is not empty")
    flow.add(once, id="yes")
    flow.add(once, id="no")
    flow.add("Merge", id="merge")
    flow.add(node_class(add, effect="pure"), id="last")
    flow.wire(
        "start.xs each.items",
        "each.sent loop.state",
        "start.xs sub.x",
        "loop.state check.value",
        "check.true yes.value",
        "check.false no.value",
        "yes.result merge.values",
        "no.result merge.values",
        "merge.value last.left",
        "sub.result last.right",
    )
    return flow


def seen(address: str) -> dict[str, Any]:
    """What a person says who looks outside."""
    return {"happened": "done", "result": GAVE[address]} if SENT[address] else {"happened": "repeat"}


def finish(flow: Flow, path: Any, through: str) -> Any:
    """Goes on to the end; a person looks outside and says what became of steps in doubt."""
    journal = taken(path)
    flagged = set(journal.in_doubt)
    run = flow.go(through, {"xs": [1, 2]}, ledger=journal, first=1).wait(WAIT)
    while run.status == "paused":
        assert set(run.questions) <= flagged
        run.answer(
            {
                address: {"happened": "done", "result": GAVE[address]}
                if SENT[address]
                else {"happened": "repeat"}
                for address in run.questions
            }
        ).wait(WAIT)
    run.raise_for_status()
    journal.close()
    return run


def commits(flow: Flow, path: Any) -> int:
    journal = taken(path, window=0)
    flow.go("direct", {"xs": [1, 2]}, ledger=journal).wait(WAIT).raise_for_status()
    return len(journal.steps.commits)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_cut_off_at_each_commit(tmp_path, through, after):
    flow = everything()
    plain = flow.go("direct", {"xs": [1, 2]}).wait(WAIT).raise_for_status()
    once = dict(SENT)
    assert set(once.values()) == {1}
    assert len(once) == 7
    most = commits(flow, tmp_path / "whole.db")
    assert most > 10
    for at in range(1, most + 1, 1 if through == "direct" else 3):
        SENT.clear()
        path = tmp_path / f"{at}.db"
        journal = Journal(Cut(path, at, after=after), window=0).open()
        first = flow.go(through, {"xs": [1, 2]}, ledger=journal).wait(WAIT)
        journal.close()
        if first.status == "failed":
            assert isinstance(first.error, LeaseLost)
        run = finish(flow, path, through)
        assert run.output == plain.output, at
        assert dict(SENT) == once, at


def test_what_is_in_doubt_in_a_round_is_asked_for_and_the_others_go_on(path, through):
    flow = everything()
    journal = taken(path)

    async def die() -> None:
        await journal.begin({"xs": [1, 2]}, {})
        await journal.started("each[1]/send", "once")
        await journal.rest()

    asyncio.run(die())
    run = flow.go(through, {"xs": [1, 2]}, ledger=taken(path)).wait(WAIT)
    assert list(run.questions) == ["each[1]/send"]
    assert run.questions["each[1]/send"].value == {"value": 4}
    assert SENT["each[0]/send"] == SENT["sub/tell"] == 1
    run.resume(happened="repeat")
    assert (SENT["each[0]/send"], SENT["each[1]/send"]) == (1, 1)


# ---- approvals ---------------------------------------------------------------------------------------


def approval(**settings: Any) -> Flow:
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "x", "kind": "any"}])
    once = node_class(send, effect="once")
    flow.add(once, id="before")
    flow.add("HumanApproval", id="ask", question="Send it?", **settings)
    flow.add(once, id="after")
    flow.wire("start.x before.value", "before.result ask.value", "ask.approved after.value")
    return flow


def test_a_question_survives_the_process(path, through):
    flow = approval()
    first = taken(path)
    run = flow.go(through, {"x": 1}, ledger=first).wait(WAIT)
    assert run.status == "paused"
    journal = taken(path)
    assert journal.in_doubt == []
    again = flow.go(through, journal.inputs, ledger=journal, first=9).wait(WAIT)
    assert list(again.questions) == ["ask"]
    again.resume(approve=True)
    assert dict(SENT) == {"before": 1, "after": 1}


def test_an_answer_from_before_counts(path, through):
    flow = approval()
    flow.go(through, {"x": 1}, ledger=taken(path)).wait(WAIT)
    answers = {"ask": [{"approve": True}]}
    run = flow.go(through, {"x": 1}, ledger=taken(path), services=Services(answers=answers)).wait(WAIT)
    run.raise_for_status()
    assert dict(SENT) == {"before": 1, "after": 1}


def test_an_answer_is_not_asked_for_twice(path, through):
    flow = approval()
    flow.go(through, {"x": 1}, ledger=taken(path)).wait(WAIT).resume(approve=False)
    run = flow.go(through, {"x": 1}, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert ended(run, "node.skipped") == ["after"]
    assert dict(SENT) == {"before": 1}


def test_who_was_paused_and_goes_on_elsewhere_writes_nothing_more(path, through):
    flow = approval()
    run = flow.go(through, {"x": 1}, ledger=taken(path)).wait(WAIT)
    SqliteSteps(path)
    run.answer(approve=True).wait(WAIT)
    assert isinstance(run.error, LeaseLost)
    assert dict(SENT) == {"before": 1}


def test_a_strict_node_that_asks_is_not_in_doubt(path, through):
    async def ask(value: Any, context: Context) -> Any:
        answer = await context.ask("Which?", value)
        SENT["ask"] += 1
        return answer["approve"]

    flow = Flow()
    flow.add(node_class(ask, effect="once"), id="a")
    assert flow.go(through, {"value": 1}, ledger=taken(path)).wait(WAIT).status == "paused"
    journal = taken(path)
    assert journal.in_doubt == []
    run = flow.go(through, {"value": 1}, ledger=journal).wait(WAIT)
    assert list(run.questions) == ["a"]
    run.resume(approve=True)
    assert (run.output, SENT["a"] + SENT["ask"]) == (True, 1)


def test_a_node_that_asks_does_not_hear_what_is_said_about_a_step_in_doubt(path, through):
    async def ask(value: Any, context: Context) -> Any:
        return (await context.ask("Which?", value))["approve"]

    flow = Flow()
    flow.add(node_class(ask, effect="once"), id="a")
    journal = taken(path)

    async def die() -> None:
        await journal.begin({"value": 1}, {})
        await journal.started("a", "once")
        await journal.rest()

    asyncio.run(die())
    run = flow.go(through, {"value": 1}, ledger=taken(path)).wait(WAIT)
    run.resume(happened="repeat")
    assert run.questions["a"].text == "Which?"
    run.resume(approve=True)
    assert run.output is True


def test_approvals_in_rounds(path, through):
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each") as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        start >> body.add(node_class(send, effect="once"), id="send") >> body.add("HumanApproval", id="ask")
        body.connect(body["ask"]["approved"], body.add("End", fields=["x"])["x"])
    flow.wire("start.xs each.items")
    run = flow.go(through, {"xs": [1, 2]}, ledger=taken(path)).wait(WAIT)
    assert sorted(run.questions) == ["each[0]/ask", "each[1]/ask"]
    run.answer({"each[1]/ask": {"approve": True}}).wait(WAIT)
    again = flow.go(through, {"xs": [1, 2]}, ledger=taken(path)).wait(WAIT)
    assert list(again.questions) == ["each[0]/ask"]
    again.resume(approve=True)
    assert again.output == ["sent 1", "sent 2"]
    assert set(SENT.values()) == {1}


# ---- branches ----------------------------------------------------------------------------------------


def test_the_branch_that_won_wins_again(path, through):
    async def slow(value: Any) -> Any:
        SENT["slow"] += 1
        if SENT["slow"] == 1:
            await asyncio.Event().wait()
        return "slow"

    def quick(value: Any) -> Any:
        SENT["quick"] += 1
        return "quick"

    def last(value: Any) -> Any:
        if not SENT["last"]:
            SENT["last"] += 1
            raise ValueError("the first time")
        return value

    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "x", "kind": "any"}])
    flow.add(node_class(slow, effect="pure"), id="slow")
    flow.add(node_class(quick, effect="pure", inline=False), id="quick")
    flow.add("Merge", id="merge")
    flow.add(node_class(last, effect="pure"), id="last")
    flow.wire(
        "start.x slow.value",
        "start.x quick.value",
        "slow.result merge.values",
        "quick.result merge.values",
        "merge.value last.value",
    )
    assert flow.go(through, {"x": 1}, ledger=taken(path)).wait(WAIT).status == "failed"
    run = flow.go(through, {"x": 1}, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert run.output == "quick"
    assert (SENT["slow"], SENT["quick"]) == (1, 1)
    assert "slow" in ended(run, "node.skipped")


@pytest.mark.parametrize("policy", [{"on_error": "port"}, {"on_error": "default", "default": 7}])
def test_an_error_that_was_answered_is_answered_again(path, through, policy):
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "x", "kind": "any"}])
    flow.add(node_class(refuse, effect="once"), id="a")
    flow["a"].set_policy(**policy)
    flow.add(node_class(double, effect="pure"), id="good")
    flow.wire("start.x a.value", "a.result good.value")
    if policy["on_error"] == "port":
        flow.add(node_class(send, effect="once"), id="bad")
        flow.wire("a.error bad.value")
    runs = [flow.go(through, {"x": 1}, ledger=taken(path)).wait(WAIT).raise_for_status() for _ in range(2)]
    assert runs[0].outputs == runs[1].outputs
    assert SENT["bad"] == (policy["on_error"] == "port")
    assert ended(runs[1], "node.started") == []


def test_a_container_that_is_tried_again_repeats_nothing_that_must_not_happen_twice(path, through):
    def sometimes(value: Any) -> Any:
        SENT["tried"] += 1
        if SENT["tried"] < 3:
            raise ValueError("not yet")
        return value

    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "x", "kind": "any"}])
    with flow.add("SubWorkflow", id="sub") as body:
        start = body.add("Start", id="start", fields=[{"name": "x", "kind": "any"}])
        first = start >> body.add(node_class(send, effect="once"), id="send")
        first >> body.add(node_class(sometimes, effect="once"), id="some") >> body.add("End")
    flow["sub"].set_policy(retries=3, wait=0)
    flow.wire("start.x sub.x")
    run = flow.go(through, {"x": 1}, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert (SENT["sub/send"], SENT["tried"]) == (1, 3)
    assert run.output == "sent 1"


def test_nor_do_containers_in_one_that_is_tried_again(path, through):
    def sometimes(value: Any) -> Any:
        SENT["tried"] += 1
        if SENT["tried"] < 3:
            raise ValueError("not yet")
        return value

    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("SubWorkflow", id="sub") as body:
        body.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
        with body.add("ForEach", id="each") as inner:
            start = inner.add("Start", fields=[{"name": "item", "kind": "any"}])
            start >> inner.add(node_class(send, effect="once"), id="send") >> inner.add("End", fields=["x"])
        body.connect(body["start"]["xs"], body["each"]["items"])
        body["each"] >> body.add(node_class(sometimes, effect="once"), id="some") >> body.add("End")
    flow["sub"].set_policy(retries=3, wait=0)
    flow.wire("start.xs sub.xs")
    run = flow.go(through, {"xs": [1, 2]}, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert run.output == ["sent 1", "sent 2"]
    assert (SENT["tried"], SENT["sub/each[0]/send"], SENT["sub/each[1]/send"]) == (3, 1, 1)


def test_a_timeout_of_a_strict_step_leaves_it_in_doubt(path, through):
    async def forever(value: Any) -> Any:
        await asyncio.Event().wait()

    flow = Flow()
    flow.add(node_class(forever, effect="once"), id="a")
    flow["a"].set_policy(timeout=0.05)
    assert flow.go(through, {"value": 1}, ledger=taken(path)).wait(WAIT).status == "failed"
    assert taken(path).in_doubt == ["a"]


def test_results_that_a_cache_had_are_kept_too(path, through):
    from bpaz_lab.engine.cache import MemoryCache
    from bpaz_lab.engine.incremental import Incremental, Known

    def costly() -> Any:
        return 5

    flow = Flow()
    flow.add(node_class(costly, effect="repeatable"), id="a")
    cache = MemoryCache()
    for ledger in (None, taken(path)):
        run = flow.go(through, memo=Incremental(cache, Known()), ledger=ledger).wait(WAIT).raise_for_status()
    assert [event.cached for event in run.events if event.type == "node.finished"] == [True]
    assert taken(path).values("a") == {"result": 5}


def test_a_step_that_gives_something_else_is_taken_as_it_is_told(path, through):
    """As a fork does: what hangs on a step is left out, and the step gives what a person says."""
    flow = everything()
    flow.go("direct", {"xs": [1, 2]}, ledger=taken(path)).wait(WAIT).raise_for_status()
    from bpaz_lab.engine.fork import affected

    journal = taken(path)
    without = affected(flow.to_dict(), journal.addresses, "each[1]/twice")
    assert without == {
        *("each[1]/twice", "each[1]/send", "each[1]/end", "each", "loop", "check", "yes", "merge", "last"),
        *(f"loop[{number}]/{node}" for number in (1, 2) for node in ("start", "send", "end")),
    }
    for address in without:
        journal.steps.change("DELETE FROM steps WHERE address = ?", address)
    journal.close()
    journal = taken(path)
    journal.given({"each[1]/twice": {"result": "mine"}})
    SENT.clear()
    run = flow.go(through, journal.inputs, ledger=journal).wait(WAIT).raise_for_status()
    assert "sent mine" in run.output
    assert dict(SENT) == {"each[1]/send": 1, "loop[1]/send": 1, "loop[2]/send": 1, "yes": 1}
    assert told(run)[0] == ("run.started", "")
