"""Forks of durable runs: at the top, in rounds of containers, of forks, with a changed workflow."""

from __future__ import annotations

import pytest

import bpaz_lab as bz
from bpaz_lab.errors import InputError
from tests.support.letters import double, letter, said, say

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("own_lab")]


def test_a_fork_takes_over_what_does_not_hang_on_the_step(own_lab):
    run = letter().run(name="Ada", durable=True)
    done = bz.resume(run.id, approve=True)
    fork = done.fork("draft", text="better")
    assert (fork.status, fork.questions["ask"].value) == ("paused", "better")
    assert (fork.at("draft").status, fork.at("who").status) == ("given", "finished")
    assert fork.resume(approve=True).output == "better"
    told = own_lab.executions.get(fork.id)
    assert (str(told.parent_id).replace("-", ""), told.forked_at) == (run.id, "draft")
    assert own_lab.executions.get(run.id).output == "Dear Ada, your parcel is late."


def test_forks_of_forks_are_a_tree(own_lab):
    run = letter().run(name="Ada", durable=True)
    one = run.fork("draft", text="one")
    two = bz.fork(one.id[:8], "draft", text="two")
    assert two.questions["ask"].value == "two"
    assert two.fork("who", text="Alan").questions["ask"].value == "Dear Alan, your parcel is late."
    lines = str(own_lab.executions.tree(two.id)).splitlines()
    assert [line.index(id[:8]) for line, id in zip(lines, (run.id, one.id, two.id), strict=False)] == [
        0,
        3,
        6,
    ]
    assert len(lines) == 4


def test_what_cannot_be_forked_says_so():
    run = letter().run(name="Ada", durable=True)
    for address, outputs, told in (
        ("drft", {}, "draft"),
        ("draft", {"txt": "x"}, "no output 'txt'"),
        ("draft", {"text": object()}, "no form|cannot|could not"),
    ):
        with pytest.raises(InputError, match=told):
            run.fork(address, outputs)


def test_a_fork_in_a_round_of_for_each(tmp_path):
    calls = tmp_path / "calls"

    def twice(value):
        say(calls, value)
        return value * 2

    wf = bz.Workflow("Each")
    with wf.add("ForEach", id="each") as body:
        item = body.add("Start", id="item", fields=[{"name": "item", "kind": "number"}])
        (
            item["item"]
            >> body.add(twice, id="twice")
            >> body.add(double, id="more")
            >> body.add("End", id="end")
        )
    run = wf.run(items=[1, 2, 3], durable=True, cache=False)
    before = run.output
    assert sorted(said(calls)) == ["1", "2", "3"]
    fork = run.fork("each[1]/twice", result=100)
    assert said(calls) == []
    assert [fork.output[0], fork.output[2]] == [before[0], before[2]]
    assert fork.at("each[1]/more").inputs == {"value": 100}
    assert fork.at("each[0]/twice").outputs == {"result": 2}
    again = run.fork("each[2]/twice")
    assert said(calls) == ["3"]
    assert again.output == before


def test_a_fork_in_a_loop_computes_later_rounds_again(tmp_path):
    calls = tmp_path / "calls"

    def half(number):
        say(calls, number)
        return number // 2

    wf = bz.Workflow("Loop")
    start = wf.add("Start", fields=[{"name": "number", "kind": "number"}])
    with wf.add("Loop", id="halve", condition="number <= 1", limit=20) as body:
        state = body.add("Start", id="state", fields=[{"name": "number", "kind": "number"}])
        _ = state >> body.add(half, id="half") >> body.add("End", id="next", fields=["number"])
    wf.connect(start["number"], wf["halve"]["number"])
    run = wf.run(number=64, durable=True, cache=False)
    assert run["halve"] == {"number": 1, "rounds": 6}
    third = run.at("halve[3]/half")
    assert third.outputs == {"result": 8}
    assert len(said(calls)) == 6
    fork = run.fork(third.address, result=40)
    assert calls.read_text().split() == ["40", "20", "10", "5", "2"]
    assert fork["halve"] == {"number": 1, "rounds": 8}


def test_a_fork_in_a_sub_workflow():
    wf = bz.Workflow("Part")
    with wf.add("SubWorkflow", id="part") as body:
        start = body.add("Start", id="start", fields=[{"name": "value", "kind": "number"}])
        (
            start["value"]
            >> body.add(double, id="one")
            >> body.add(double, id="two")
            >> body.add("End", id="end")
        )
    after = wf.add(double, id="after")
    port = next(iter(wf["part"].ports.outputs)).name
    wf["part"][port] >> after
    run = wf.run(value=1, durable=True)
    assert run.output == 8
    assert run.fork("part/one", result=10).output == 40


def test_a_fork_with_a_changed_workflow_computes_what_changed():
    wf = letter()
    run = wf.run(name="Ada", durable=True)
    wf["draft"].set(template="Bye {name}")
    fork = run.fork("ask", workflow=wf)
    assert fork.questions["ask"].value == "Bye Ada"
    assert run.fork("ask").questions["ask"].value.startswith("Dear")
