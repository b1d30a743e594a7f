"""A run that is kept: what is committed when, and what a run that begins again does."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bpaz_lab.engine.journal import Journal
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import start
from bpaz_lab.engine.values import Absent, unpack
from bpaz_lab.errors import InputError, IntegrityError, LeaseLost, StoreError
from bpaz_lab.guard.mask import Masker
from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.function import node_class
from bpaz_lab.nodes.types import Model  # noqa: TC001 (ports are read from hints)
from tests.support.flows import Flow, ended, told
from tests.support.ledgers import SqliteSteps, taken

pytestmark = pytest.mark.unit


@pytest.fixture(params=["direct", "langgraph"])
def through(request):
    """Both ways of running a plan; each has a ledger anyway."""
    return request.param


WAIT = 20
CALLS: list[Any] = []


@pytest.fixture(autouse=True)
def _calls():
    CALLS.clear()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


def called(name: str, effect: str = "pure", **options: Any) -> type[Node]:
    """A node that tells when it is called."""

    def work(value: Any = 0) -> Any:
        CALLS.append(name)
        return value + 1

    work.__name__ = name
    return node_class(work, effect=effect, inline=True, **options)


def broken(name: str, times: int, effect: str = "pure") -> type[Node]:
    """A node that raises so many times."""

    def work(value: Any = 0) -> Any:
        CALLS.append(name)
        if CALLS.count(name) <= times:
            raise ValueError("not yet")
        return value + 10

    work.__name__ = name
    return node_class(work, effect=effect, inline=True)


def chain(*nodes: Any) -> Flow:
    """One after the other, named a, b, c, …"""
    flow = Flow()
    for number, node in enumerate(nodes):
        flow.add(node, id="abcdefgh"[number])
        if number:
            flow.wire(f"{'abcdefgh'[number - 1]}.result {'abcdefgh'[number]}.value")
    return flow


# ---- what is committed -------------------------------------------------------------------------------


def test_all_that_was_done_is_kept_and_nothing_is_done_again(path, through):
    flow = chain(called("one"), called("two", "once"), called("three", "repeatable"))
    journal = taken(path)
    run = flow.go(through, ledger=journal).wait(WAIT).raise_for_status()
    assert run.output == 3
    states = {row.address: (row.state, row.effect, row.epoch) for row in journal.steps.read()}
    assert states == {
        "": ("given", "pure", 1),
        "a": ("done", "pure", 1),
        "b": ("done", "once", 1),
        "c": ("done", "repeatable", 1),
    }
    again = flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert again.outputs == run.outputs
    assert CALLS == ["one", "two", "three"]
    assert all(event.cached for event in again.events if event.type == "node.finished")


def test_quick_steps_share_a_commit(path, through):
    flow = chain(*(called(f"n{number}") for number in range(8)))
    journal = taken(path, window=0.5)
    flow.go(through, ledger=journal).wait(WAIT).raise_for_status()
    assert journal.steps.commits == [9]


def test_a_strict_step_is_safe_before_it_begins_and_before_anything_follows(path, through):
    def look() -> Any:
        return SqliteSteps(path, take=False).states()

    seen = []

    def send(value: Any) -> Any:
        seen.append(look())
        return value

    def after(value: Any) -> Any:
        seen.append(look())
        return value

    flow = chain(called("one"), node_class(send, effect="once"), node_class(after, effect="pure"))
    flow.go(through, ledger=taken(path, window=0.5)).wait(WAIT).raise_for_status()
    assert seen[0] == {"": "given", "a": "done", "b": "started"}
    assert seen[1]["b"] == "done"


def test_a_strict_step_is_safe_before_its_end_is_told(path, through):
    flow = chain(called("one", "once"))
    steps = SqliteSteps(path)
    states = []
    write = steps.write

    made = threading.Event()

    def slowly(rows, parts):
        made.wait(WAIT)
        states.append([event.type for event in run.events if event.type.startswith("node.")])
        write(rows, parts)

    steps.write = slowly
    run = flow.go(through, ledger=Journal(steps).open())
    made.set()
    run.wait(WAIT).raise_for_status()
    assert "node.finished" not in [kind for kinds in states for kind in kinds]
    assert ended(run, "node.finished") == ["a"]


def test_strict_steps_that_wait_share_commits(path, through):
    flow = Flow()
    for number in range(30):
        flow.add(called(f"n{number}", "once"), id=f"n{number}")
    journal = taken(path)
    flow.go(through, ledger=journal).wait(WAIT).raise_for_status()
    assert sum(journal.steps.commits) == 61
    assert len(journal.steps.commits) <= 20


# ---- going on ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", ["pure", "repeatable", "once", "undeclared"])
def test_a_step_that_failed_is_tried_again_and_those_before_are_not(path, through, effect):
    flow = chain(called("one", effect), broken("two", 1, effect), called("three", effect))
    assert flow.go(through, ledger=taken(path)).wait(WAIT).status == "failed"
    run = flow.go(through, ledger=taken(path), first=7).wait(WAIT).raise_for_status()
    assert run.output == 12
    assert CALLS == ["one", "two", "two", "three"]
    assert [event.seq for event in run.events] == list(range(7, 7 + len(run.events)))
    assert told(run)[0] == ("run.resumed", "")


def test_the_events_of_a_run_that_is_kept_are_those_of_one_that_is_not(path, through):
    flow = chain(called("one"), called("two", "once"), broken("three", 5, "once"))
    plain = flow.go(through).wait(WAIT)
    CALLS.clear()
    kept = flow.go(through, ledger=taken(path)).wait(WAIT)
    assert told(plain) == told(kept)
    assert plain.outputs == kept.outputs


def crash(flow: Flow, path: Any, address: str, effect: str = "once", **inputs: Any) -> None:
    """Leaves a ledger as one whose process died while a step was in flight."""
    journal = taken(path)

    async def die() -> None:
        await journal.begin(inputs, {})
        await journal.started(address, effect)
        await journal.rest()

    asyncio.run(die())
    journal.close()


def test_a_step_in_doubt_is_asked_for(path, through):
    flow = chain(called("one"), called("two", "once"))
    crash(flow, path, "b")
    journal = taken(path)
    assert journal.in_doubt == ["b"]
    run = flow.go(through, ledger=journal).wait(WAIT)
    assert run.status == "paused"
    question = run.questions["b"]
    assert "was in flight" in question.text
    assert question.value == {"value": 1}
    assert CALLS == ["one"]
    run.resume(happened="repeat")
    assert (run.output, CALLS) == (2, ["one", "two"])


def test_a_person_says_what_a_step_gave(path, through):
    flow = chain(called("one"), called("two", "once"), called("three"))
    crash(flow, path, "b")
    run = flow.go(through, ledger=taken(path)).wait(WAIT)
    run.answer(happened="done").wait(WAIT)
    assert run.status == "paused"
    assert "needs what it gave: result" in run.questions["b"].text
    run.answer(happened="done", result={"result": 41}).wait(WAIT).raise_for_status()
    assert (run.output, CALLS) == (42, ["one", "three"])
    assert SqliteSteps(path).states()["b"] == "given"


def test_an_answer_about_a_step_in_doubt_counts_once(path, through):
    flow = chain(called("two", "once"))
    crash(flow, path, "a")
    answers = {"a": [{"happened": "repeat"}]}
    journal = taken(path)
    asyncio.run(_begin_again(journal))
    run = flow.go(through, ledger=taken(path), services=Services(answers=answers)).wait(WAIT)
    assert (run.status, CALLS) == ("paused", [])
    run.resume(happened="repeat")
    assert CALLS == ["two"]


async def _begin_again(journal: Journal) -> None:
    """The step is repeated since somebody said so, and its process dies again."""
    await journal.started("a", "once", answers=1)
    await journal.rest()


def test_an_idempotent_step_is_repeated_by_itself_under_the_same_key(path, through):
    keys = []

    def send(context: Context) -> Any:
        keys.append(context.idempotency_key)
        return 1

    flow = Flow()
    flow.add(node_class(send, effect="once", idempotent=True), id="a")
    crash(flow, path, "a")
    for _ in range(2):
        run = flow.go(through, ledger=taken(path), run_id="a" * 32).wait(WAIT).raise_for_status()
    assert run.id == "a" * 32
    crash(flow, path, "a")
    flow.go(through, ledger=taken(path), run_id="a" * 32).wait(WAIT).raise_for_status()
    flow.go(through, ledger=taken(path.with_name("other.db")), run_id="b" * 32).wait(WAIT)
    assert keys[0] == keys[1] != keys[2]
    assert len(keys[0]) == 32


def test_the_zombie_writes_nothing_more(path, through):
    flow = chain(called("one"), called("two", "once"), called("three", "once"))
    journal = taken(path)
    SqliteSteps(path)  # somebody takes the run over
    run = flow.go(through, ledger=journal).wait(WAIT)
    assert run.status == "failed"
    assert isinstance(run.error, LeaseLost)
    assert "two" not in CALLS
    assert SqliteSteps(path, take=False).states() == {}


def test_a_fault_of_the_ledger_is_no_fault_of_a_node(path, through):
    flow = Flow()
    with flow.add("Try", id="try") as body:
        body.add(called("inner", "once"), id="inner") >> body.add("End", fields=["result"])
    flow["try"].set_policy(retries=3, on_error="default", default=0)
    steps = SqliteSteps(path)
    write = steps.write

    def full(rows, parts):
        if any(row.address == "try/inner" and row.state == "done" for row in rows):
            raise StoreError("the disk is full")
        write(rows, parts)

    steps.write = full
    run = flow.go(through, ledger=Journal(steps).open()).wait(WAIT)
    assert run.status == "failed"
    assert run.error.message == "the disk is full"
    assert CALLS == ["inner"]
    assert SqliteSteps(path).states() == {"": "given", "try/inner": "started"}


def test_a_store_that_cannot_be_reached_is_tried_again(path, through):
    flow = chain(called("one", "once"), called("two", "once"))
    steps = SqliteSteps(path)
    steps.down = True
    journal = Journal(steps)
    journal._rows = {}
    run = flow.go(through, ledger=journal)
    threading.Event().wait(0.3)
    assert (run.status, CALLS) == ("running", [])
    steps.down = False
    assert run.wait(WAIT).status == "completed"


# ---- values ------------------------------------------------------------------------------------------


class Maker(Node):
    """A live object, and a value."""

    @output("model")
    def make(self) -> Model:
        """The object."""
        CALLS.append("make")
        return threading.Lock()

    @output("text", "text", main=True)
    def say(self) -> str:
        """The value."""
        CALLS.append("say")
        return "said"


def use(model: Any, value: Any = 0) -> Any:
    """Something that needs the object."""
    CALLS.append("use")
    if CALLS.count("use") == 1:
        raise ValueError("the first time")
    return type(model).__name__


def test_live_objects_are_made_again_where_they_are_needed(path, through):
    flow = Flow()
    flow.add(Maker, id="maker")
    flow.add(node_class(use, effect="once"), id="use")
    flow.add(called("end"), id="end")
    flow.wire("maker.model use.model", "maker.text end.value")
    flow["end"].set_policy(on_error="default", default=0)
    assert flow.go(through, ledger=taken(path)).wait(WAIT).status == "failed"
    assert sorted(CALLS) == ["end", "make", "say", "use"]
    run = flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert sorted(CALLS) == ["end", "make", "make", "say", "use", "use"]
    assert run["use"]["result"] == "lock"
    assert run["maker"]["text"] == "said"
    again = flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert CALLS.count("make") == 2
    assert "model" not in again["maker"]


def test_what_has_no_form_is_made_again_where_that_may_be(path, through):
    def live() -> Any:
        CALLS.append("live")
        return threading.Lock()

    flow = Flow()
    flow.add(node_class(live, effect="repeatable"), id="live")
    flow.add(node_class(use, effect="pure"), id="use")
    flow.wire("live.result use.model")
    assert flow.go(through, ledger=taken(path)).wait(WAIT).status == "failed"
    run = flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert run.output == "lock"
    assert CALLS == ["live", "use", "live", "use"]


def test_what_has_no_form_and_must_not_happen_twice_is_asked_for(path, through):
    def live() -> Any:
        CALLS.append("live")
        return threading.Lock()

    flow = Flow()
    flow.add(node_class(live, effect="once"), id="live")
    flow.add(node_class(use, effect="pure"), id="use")
    flow.wire("live.result use.model")
    assert flow.go(through, ledger=taken(path)).wait(WAIT).status == "failed"
    run = flow.go(through, ledger=taken(path)).wait(WAIT)
    assert "what it gave is needed" in run.questions["live"].text
    run.resume(happened="done", result=7)
    assert (run.output, CALLS) == ("int", ["live", "use", "use"])


def test_a_large_value_is_kept_once(path, through):
    big = np.random.default_rng(0).bytes(10_000_000)

    def source() -> Any:
        return big

    def same(value: Any) -> Any:
        return value

    flow = chain(node_class(source, effect="pure"), *[node_class(same, effect="pure")] * 5)
    journal = taken(path)
    run = flow.go(through, ledger=journal).wait(WAIT).raise_for_status()
    kept = sqlite3.connect(path).execute("SELECT sum(length(data)) FROM parts").fetchone()[0]
    assert kept == len(big)
    again = flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert again.output == run.output == big


def test_a_value_is_kept_as_it_was_when_its_step_ended(path, through):
    def source() -> Any:
        return np.zeros(100_000)

    def spoil(value: Any) -> Any:
        value += 1
        return float(value.sum())

    flow = chain(node_class(source, effect="pure"), node_class(spoil, effect="once"))
    flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert taken(path).values("a")["result"].sum() == 0


def test_no_secret_is_kept(path, through):
    masker = Masker(["open sesame"])

    def source() -> Any:
        CALLS.append("source")
        return "it says open sesame"

    flow = chain(node_class(source, effect="pure"), broken("two", 1))
    flow.go(through, ledger=taken(path), services=Services(masker=masker)).wait(WAIT)
    assert b"sesame" not in path.read_bytes() + path.with_name("ledger.db-wal").read_bytes()
    assert taken(path).values("a") == {"result": Absent("it holds a secret of the run")}


def test_inputs_are_kept_and_come_again(path, through):
    frame = pd.DataFrame({"a": [1, 2]})

    def total(table: Any, at: Any) -> Any:
        return int(table["a"].sum()) + at

    flow = Flow()
    flow.add(node_class(total, effect="pure"), id="a")
    flow.go(through, {"table": frame, "at": 4}, ledger=taken(path)).wait(WAIT).raise_for_status()
    inputs = taken(path).inputs
    assert inputs["at"] == 4
    assert inputs["table"].equals(frame)


def test_an_input_that_has_no_form_is_refused(path, through):
    flow = Flow()
    flow.add(node_class(use, effect="pure"), id="a")
    run = flow.go(through, {"model": threading.Lock()}, ledger=taken(path)).wait(WAIT)
    assert isinstance(run.error, InputError)
    assert "the input model: a value of the kind lock has no form" in str(run.error)
    assert CALLS == []


def test_outputs_that_the_run_brings_along_are_kept(path, through):
    flow = chain(called("one"), called("two"))
    whole = flow.plan(given=["a"])
    journal = taken(path)
    start(whole, {}, Options(through=through, given={"a": {"result": 5}}, ledger=journal)).wait(WAIT)
    assert CALLS == ["two"]
    assert taken(path).values("a") == {"result": 5}
    run = flow.go(through, ledger=taken(path)).wait(WAIT)
    assert (run.output, CALLS) == (6, ["two"])


# ---- damage ------------------------------------------------------------------------------------------


def damage(path, sql, *values):
    SqliteSteps(path, take=False).change(sql, *values)


DAMAGES = {
    "a byte": "UPDATE steps SET data = zeroblob(length(data)) WHERE address = 'b'",
    "another row's values": "UPDATE steps SET data = (SELECT data FROM steps WHERE address = 'a'), size = 9,"
    " digest = (SELECT digest FROM steps WHERE address = 'a') WHERE address = 'b'",
    "its state": "UPDATE steps SET state = 'given' WHERE address = 'b'",
    "another run's": "UPDATE steps SET digest = '00' WHERE address = 'b'",
}


@pytest.mark.parametrize("sql", DAMAGES.values(), ids=DAMAGES)
def test_damaged_rows_are_named(path, sql):
    flow = chain(called("one"), called("two", "once"))
    flow.go("direct", ledger=taken(path)).wait(WAIT).raise_for_status()
    damage(path, sql)
    with pytest.raises(IntegrityError, match="'b'"):
        taken(path)
    journal = taken(path, repair=True)
    assert (journal.damaged, journal.in_doubt) == (["b"], ["b"])
    run = flow.go("direct", ledger=journal).wait(WAIT)
    assert list(run.questions) == ["b"]
    run.resume(happened="repeat")
    assert CALLS == ["one", "two", "two"]
    assert taken(path).damaged == []


def test_a_damaged_row_of_what_may_be_repeated_is_computed_again(path, through):
    flow = chain(called("one"), called("two"))
    flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    damage(path, DAMAGES["a byte"])
    run = flow.go(through, ledger=taken(path, repair=True)).wait(WAIT).raise_for_status()
    assert (run.output, CALLS) == (2, ["one", "two", "two"])


def test_a_damaged_part_is_a_typed_error_and_can_be_repaired(path, through):
    def source() -> Any:
        CALLS.append("source")
        return b"x" * 100_000

    flow = chain(node_class(source, effect="pure"), broken("two", 1))
    flow.go(through, ledger=taken(path)).wait(WAIT)
    damage(path, "UPDATE parts SET data = zeroblob(10)")
    run = flow.go(through, ledger=taken(path)).wait(WAIT)
    assert isinstance(run.error, IntegrityError)
    assert "a gave is damaged" in run.error.message
    flow.go(through, ledger=taken(path, repair=True)).wait(WAIT)
    assert CALLS.count("source") == 2


# ---- the thread --------------------------------------------------------------------------------------


def test_it_beats_while_it_goes_and_rests_with_the_run(path):
    gate = threading.Event()

    def wait() -> Any:
        return gate.wait(WAIT)

    flow = Flow()
    flow.add(node_class(wait, effect="once"), id="a")
    journal = taken(path, lease=0.2)
    run = flow.go("direct", ledger=journal)
    while journal.steps.beats < 3:
        assert run.status in ("pending", "running")
    gate.set()
    run.wait(WAIT).raise_for_status()
    while journal._writer._thread is not None:
        assert run.status == "completed"
    journal.close()


def test_who_loses_the_lease_while_a_step_goes_on_stops(path):
    async def forever() -> Any:
        await asyncio.Event().wait()

    flow = Flow()
    flow.add(node_class(forever, effect="once"), id="a")
    journal = taken(path, lease=0.2)
    run = flow.go("direct", ledger=journal)
    while "a" not in SqliteSteps(path, take=False).states():
        pass
    SqliteSteps(path)
    assert isinstance(run.wait(WAIT).error, LeaseLost)


def test_a_stop_keeps_what_was_done(path, through):
    async def forever(value: Any) -> Any:
        await asyncio.Event().wait()

    flow = chain(called("one"), node_class(forever, effect="pure"))
    run = flow.go(through, ledger=taken(path, window=5))
    while ("node.started", "b") not in told(run):
        pass
    run.cancel()
    assert run.wait(WAIT).status == "cancelled"
    assert SqliteSteps(path).states() == {"": "given", "a": "done"}


def test_a_strict_step_that_is_stopped_is_in_doubt(path, through):
    async def forever(value: Any) -> Any:
        CALLS.append("forever")
        await asyncio.Event().wait()

    flow = chain(called("one"), node_class(forever, effect="once"))
    run = flow.go(through, ledger=taken(path))
    while not CALLS.count("forever"):
        pass
    run.cancel()
    run.wait(WAIT)
    assert taken(path).in_doubt == ["b"]


def test_what_was_used_counts_when_it_goes_on(path, through):
    def ask(context: Context) -> Any:
        context.usage(10, 5, "gpt-4o")
        return "answer"

    def fails(value: Any, context: Context) -> Any:
        context.usage(1, 1, "gpt-4o")
        if len(CALLS) < 1:
            CALLS.append("x")
            raise ValueError("once")
        return value

    flow = chain(node_class(ask, effect="repeatable"), node_class(fails, effect="once"))
    flow.go(through, ledger=taken(path)).wait(WAIT)
    run = flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert (run.usage.input_tokens, run.usage.output_tokens) == (12, 7)
    third = flow.go(through, ledger=taken(path)).wait(WAIT).raise_for_status()
    assert (third.usage.input_tokens, third.usage.output_tokens) == (12, 7)


def test_the_form_of_a_row_is_that_of_values(path):
    flow = chain(called("one"))
    flow.go("direct", ledger=taken(path)).wait(WAIT)
    row = next(row for row in SqliteSteps(path).read() if row.address == "a")
    assert unpack(row.data, {}.__getitem__) == {"result": 1}
    assert row.size == len(row.data)
    assert row.began <= row.ended
