"""What a person is asked about a step in doubt, and what the answer means."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from bpaz_lab.errors import InputError
from bpaz_lab.nodes.base import Node, output, outputs
from bpaz_lab.nodes.context import is_verdict
from bpaz_lab.nodes.function import node_class
from bpaz_lab.nodes.types import Model  # noqa: TC001 (ports are read from hints)
from tests.support.flows import Flow
from tests.support.ledgers import SqliteSteps, taken

pytestmark = pytest.mark.unit

WAIT = 20
CALLS: list[str] = []


@pytest.fixture(autouse=True)
def _calls():
    CALLS.clear()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


class Pair(Node):
    """Two results of one act."""

    effect = "once"

    @outputs(main="receipt", receipt="any", log="any")
    def act(self) -> dict[str, Any]:
        """Both."""
        CALLS.append("act")
        return {"receipt": 1, "log": 2}


def both(receipt: Any, log: Any = "none") -> Any:
    return [receipt, log]


def in_flight(path, address):
    journal = taken(path)

    async def die() -> None:
        await journal.begin({}, {})
        await journal.started(address, "once")
        await journal.rest()

    asyncio.run(die())
    journal.close()


@pytest.fixture
def flow():
    flow = Flow()
    flow.add(Pair, id="pair")
    flow.add(node_class(both, effect="pure"), id="both")
    flow.wire("pair.receipt both.receipt", "pair.log both.log")
    return flow


def test_the_form_says_what_can_be_said(flow, path):
    in_flight(path, "pair")
    run = flow.go("direct", ledger=taken(path)).wait(WAIT)
    happened, result = run.questions["pair"].form
    assert (happened.name, happened.choices, happened.required) == ("happened", ("repeat", "done"), True)
    assert (result.name, result.kind) == ("result", "json")
    assert "receipt, log" in result.help


@pytest.mark.parametrize("answer", [{}, {"happened": "perhaps"}, {"happen": "done"}])
def test_an_answer_that_does_not_fit_leaves_it_waiting(flow, path, answer):
    in_flight(path, "pair")
    run = flow.go("direct", ledger=taken(path)).wait(WAIT)
    with pytest.raises(InputError):
        run.answer({"pair": answer})
    assert run.status == "paused"


def test_results_are_told_by_output(flow, path):
    in_flight(path, "pair")
    run = flow.go("direct", ledger=taken(path)).wait(WAIT)
    run.answer(happened="done", result=5).wait(WAIT)
    assert "has several outputs" in run.questions["pair"].text
    run.answer(happened="done", result={"other": 5}).wait(WAIT)
    assert "has no output 'other'" in run.questions["pair"].text
    run.answer(happened="done", result={"receipt": 5, "log": 6}).wait(WAIT).raise_for_status()
    assert (run.output, CALLS) == ([5, 6], [])


def test_an_output_that_is_left_out_is_a_branch_not_taken(flow, path):
    in_flight(path, "pair")
    run = flow.go("direct", ledger=taken(path)).wait(WAIT)
    run.resume(happened="done", result={"log": 6})
    assert (run.output, CALLS) == (None, [])


def test_done_is_enough_where_nothing_needs_the_result(path):
    flow = Flow()
    flow.add(Pair, id="pair")
    in_flight(path, "pair")
    run = flow.go("direct", ledger=taken(path)).wait(WAIT)
    run.resume(happened="done")
    assert (run.status, run.output, CALLS) == ("completed", None, [])
    assert SqliteSteps(path).states()["pair"] == "given"
    again = flow.go("direct", ledger=taken(path)).wait(WAIT)
    assert (again.status, CALLS) == ("completed", [])


def test_nobody_is_asked_for_a_value_that_nothing_needs(path):
    def send() -> Any:
        CALLS.append("send")
        return threading.Lock()

    flow = Flow()
    flow.add(node_class(send, effect="once"), id="send")
    flow.go("direct", ledger=taken(path)).wait(WAIT).raise_for_status()
    run = flow.go("direct", ledger=taken(path)).wait(WAIT)
    assert (run.status, run.output, CALLS) == ("completed", None, ["send"])


def test_a_person_is_not_asked_again_about_what_was_said(flow, path):
    in_flight(path, "pair")
    flow.go("direct", ledger=taken(path)).wait(WAIT).resume(happened="done", result={"receipt": 5, "log": 6})
    run = flow.go("direct", ledger=taken(path)).wait(WAIT).raise_for_status()
    assert (run.output, CALLS) == ([5, 6], [])


class Opens(Node):
    """A live object that comes of an act."""

    effect = "once"

    @output("model", main=True)
    def act(self) -> Model:
        """The object."""
        CALLS.append("act")
        return threading.Lock()


def use(model: Model) -> Any:
    CALLS.append("use")
    if CALLS.count("use") == 1:
        raise ValueError("the first time")
    return "used"


def test_a_live_object_of_an_act_is_made_again_only_with_consent(path):
    flow = Flow()
    flow.add(Opens, id="opens")
    flow.add(node_class(use, effect="pure"), id="use")
    flow.wire("opens.model use.model")
    assert flow.go("direct", ledger=taken(path)).wait(WAIT).status == "failed"
    run = flow.go("direct", ledger=taken(path)).wait(WAIT)
    (happened,) = run.questions["opens"].form
    assert happened.choices == ("repeat",)
    run.resume(happened="repeat")
    assert (run.output, CALLS) == ("used", ["act", "use", "act", "use"])


def test_a_live_object_of_what_declares_nothing_is_made_again(path):
    def opens() -> Model:
        CALLS.append("opens")
        return threading.Lock()

    flow = Flow()
    flow.add(node_class(opens), id="opens")
    flow.add(node_class(use, effect="pure"), id="use")
    flow.wire("opens.result use.model")
    assert flow.go("direct", ledger=taken(path)).wait(WAIT).status == "failed"
    run = flow.go("direct", ledger=taken(path)).wait(WAIT).raise_for_status()
    assert (run.output, CALLS) == ("used", ["opens", "use", "opens", "use"])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"happened": "repeat"}, True),
        ({"happened": "done", "result": {"a": 1}}, True),
        ({"approve": True}, False),
        ({"happened": "yes"}, False),
        ({"happened": "done", "approve": True}, False),
        ({}, False),
    ],
)
def test_which_answers_are_about_doubt(answer, expected):
    assert is_verdict(answer) is expected
