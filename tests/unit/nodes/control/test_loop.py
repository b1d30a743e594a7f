from __future__ import annotations

from typing import Any

import pytest

from bpaz_lab.errors import LoopLimit, SettingError
from bpaz_lab.nodes.control.loop import Loop
from tests.support.flows import Flow, ended

pytestmark = pytest.mark.unit


def double(n: Any) -> Any:
    """Twice."""
    return n * 2


def looping(**settings):
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "n", "kind": "number"}])
    with flow.add("Loop", id="loop", **settings) as body:
        start = body.add(
            "Start", fields=[{"name": "n", "kind": "number"}, {"name": "round", "kind": "number"}]
        )
        call = body.add(double, id="call")
        end = body.add("End", fields=["n", "last"])
        body.connect(start["n"], call["n"])
        body.connect(call["result"], end["n"])
        body.connect(start["round"], end["last"])
    flow.wire("start.n loop.n")
    return flow


def test_until_its_condition_holds(through):
    run = looping(condition="n > 20").go(through, {"n": 3}).wait(20).raise_for_status()
    assert run["loop"] == {"n": 24, "last": 3, "rounds": 3}
    assert ended(run, "node.finished").count("loop[3]/call") == 1


def test_while_its_condition_holds():
    assert looping(condition="n < 20", mode="while").run(n=3)["loop"]["n"] == 24
    assert looping(condition="n < 20", mode="while").run(n=30)["loop"] == {"n": 30, "rounds": 0}


def test_the_rounds_count_in_the_condition():
    assert looping(condition="round = 2").run(n=1)["loop"]["rounds"] == 2
    assert looping(condition="last = 4").run(n=1)["loop"]["rounds"] == 4


def test_without_an_end_it_stops_at_its_limit_with_an_error(through):
    run = looping(condition="false", limit=5).go(through, {"n": 1}).wait(20)
    assert run.status == "failed"
    assert isinstance(run.error.__cause__, LoopLimit)
    assert "not ended after 5 rounds" in str(run.error)
    assert run.error.path == "nodes.loop"
    assert run.error.hint


def test_or_gives_what_it_has():
    assert looping(condition="false", limit=5, at_limit="stop").run(n=1)["loop"]["n"] == 32


def test_a_condition_that_does_not_fit_the_state_is_told():
    run = looping(condition="n contains 'x'").go("direct", {"n": 1}).wait(20)
    assert run.status == "failed"
    assert "holds nothing to search" in str(run.error)


def test_a_condition_that_is_no_expression_is_refused():
    with pytest.raises(SettingError, match="no expression"):
        Loop.of({"condition": "n >"})


def test_its_state_is_what_goes_in_and_out():
    ports = looping()["loop"].ports
    assert [port.name for port in ports.inputs] == ["n"]
    assert [port.name for port in ports.outputs] == ["n", "last", "rounds"]
