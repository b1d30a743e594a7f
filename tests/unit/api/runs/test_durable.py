"""Runs of a cell that are kept: how they begin, what is looked at, and who holds them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

import bpaz_lab as bz
from bpaz_lab.api.runs import durable
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.errors import InputError, IntegrityError
from bpaz_lab.store.address import FILE
from tests.support.letters import double, letter

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("own_lab")]


def test_an_input_without_a_form_is_refused_before_anything_is_kept(own_lab):
    wf = bz.Workflow()
    wf.add(double, id="double")
    with pytest.raises(InputError, match="value"):
        wf.run(value=object(), durable=True)
    with pytest.raises(InputError, match="no input 'valeu'"):
        wf.run(valeu=1, durable=True)
    assert list(own_lab.executions) == []


async def test_in_async_code(own_lab):
    wf = bz.Workflow()
    wf.add(double, id="double")
    run = await wf.arun(value=2, durable=True)
    assert own_lab.executions.get(run.id).output == 4
    assert [event.type for event in wf.stream(value=3, durable=True)][-1] == "run.finished"


def test_every_round_can_be_looked_at_from_anywhere(own_lab):
    wf = bz.Workflow("Containers")
    with wf.add("ForEach", id="each") as body:
        item = body.add("Start", id="item", fields=[{"name": "item", "kind": "number"}])
        item["item"] >> body.add(double, id="twice") >> body.add("End", id="end", fields=["item"])
    run = wf.run(items=[1, 2, 3], durable=True)
    execution = own_lab.executions.get(run.id[:6])
    for looked in (run, execution):
        assert looked.at("each[0]/twice").outputs["result"] == 2
        assert looked.at("each[0]/twice").inputs == {"value": 1}
        with pytest.raises(InputError, match="twice"):
            looked.at("each/twise")
    assert execution.at("each/twice").address == "each[2]/twice"
    assert {each.address for each in execution.steps()} >= {"each", "each[0]/twice", "each[1]/twice"}


def test_two_runs_are_compared_wherever_they_are(own_lab):
    run = letter().run(name="Ada", durable=True)
    other = run.fork("draft", text="better")
    for one, two in ((run, other), (run, other.id[:8]), (own_lab.executions.get(run.id), other)):
        found = one.diff(two)
        assert [each.place for each in found.changed] == ["draft"]
        assert found["draft"].other.outputs["text"].text == "better"
    with pytest.raises(InputError, match="compared with"):
        run.diff(3)
    assert not run.diff(run)


def test_who_holds_a_run_is_gone_only_where_that_is_sure():
    assert not durable.is_gone(durable.holder())
    assert not durable.is_gone(None)
    assert not durable.is_gone("elsewhere, process 1")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    assert durable.is_gone(durable.holder().replace(str(os.getpid()), str(dead.pid)))


def test_a_run_on_the_loop_of_the_engine_is_kept_too(own_lab):
    wf = bz.Workflow("Here")
    wf.add(double, id="double")
    run = wf.prepared(value=2, durable=True)
    runtime().submit(run.here()).result(60)
    assert own_lab.executions.get(run.id).output == 4


def test_damaged_steps_are_named_and_can_be_left_out(own_lab, tmp_path):
    run = letter().run(name="Ada", durable=True)
    with sqlite3.connect(tmp_path / "data" / FILE) as database:
        found = database.execute("UPDATE execution_steps SET data = ? WHERE address = 'draft'", [b"\x80"])
        assert found.rowcount == 1
    database.close()
    with pytest.raises(IntegrityError, match="draft"):
        own_lab.executions.at(run.id, "draft")
    assert own_lab.executions.at(run.id, "who")["text"] == "Ada"
    with pytest.raises(IntegrityError, match="draft") as caught:
        bz.resume(run.id, approve=True)
    assert "repair=True" in caught.value.hint
    assert own_lab.executions.get(run.id).status == "paused"
    again = bz.resume(run.id, approve=True, repair=True)
    assert again.output == "Dear Ada, your parcel is late."


def test_live_objects_are_made_again_and_said_to_be(own_lab):
    class Counter:
        """A live object, as far as a ledger can tell."""

        number = 3

    def make(seed):
        return Counter()

    def use(counter, word):
        return word * counter.number

    wf = bz.Workflow("Live")
    (
        wf.add(bz.node(make, effect="pure"), id="make")
        >> wf.add(bz.node(use, effect="pure"), id="use")["counter"]
    )
    run = wf.run(seed=1, word="a", durable=True)
    kept = own_lab.executions.at(run.id, "make")
    assert (kept.outputs, kept.status) == ({}, "finished")
    assert "result" in kept.why
    assert isinstance(run.at("make")["result"], Counter)  # this process has it still
    assert run.fork("use", workflow=None).output == "aaa"
