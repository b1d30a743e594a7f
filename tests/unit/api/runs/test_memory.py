from __future__ import annotations

import pytest

from bpaz_lab import InputError, RunError, Workflow
from bpaz_lab.api.runs.memory import parts_of
from tests.support.flows import Flow, add, up

pytestmark = pytest.mark.unit


def twice(value):
    if value > 5:
        raise ValueError("too much")
    return value * 2


@pytest.fixture
def each():
    wf = Workflow()
    with wf.add("ForEach", id="each") as body:
        item = body.add("Start", id="item", fields=[{"name": "item", "kind": "any"}])
        item["item"] >> body.add(twice, id="twice") >> body.add("End", id="end")
    return wf


def test_inputs_and_outputs_of_a_step():
    wf = Flow()
    wf.put(add, "add")
    wf.put(up, "up")
    wf.wire("add.result up.value")
    run = wf.run(left=1, right=2)
    moment = run.at("add")
    assert (moment.address, moment.status) == ("add", "finished")
    assert moment.inputs == {"left": 1, "right": 2}
    assert moment.outputs == {"result": 3}
    assert run.at("up").inputs == {"value": 3}
    assert moment["result"] == 3


def test_the_last_round_is_there(each):
    run = each.run(items=[1, 2, 3])
    assert run.at("each/twice").outputs["result"] == 6
    assert run.at("each[2]/twice").address == "each[2]/twice"
    with pytest.raises(InputError, match="durable=True"):
        run.at("each[0]/twice")


def test_what_failed_and_what_was_not_come_to():
    wf = Flow()
    wf.put(twice, "twice")
    wf.put(up, "up")
    wf.wire("twice.result up.value")
    with pytest.raises(RunError) as caught:
        wf.run(value=6)
    run = caught.value.run
    failed, after = run.at("twice"), run.at("up")
    assert (failed.status, failed.inputs, failed.outputs) == ("failed", {"value": 6}, {})
    assert "too much" in failed.error.message
    assert (after.status, after.outputs) == ("skipped", {})
    assert "did not come" in after.why


def test_a_wrong_address_says_what_there_is(each):
    run = each.run(items=[1])
    for address, told in (("eahc", "each"), ("each[0]/twic", "twice"), ("each[0", "Write"), ("", "Write")):
        with pytest.raises(InputError) as caught:
            run.at(address)
        assert told in str(caught.value)
    with pytest.raises(InputError, match="no steps inside"):
        run.at("each/twice/x")


def test_addresses_are_taken_apart():
    assert parts_of("a/b[x y]/c") == [("a", None), ("b", "x y"), ("c", None)]
