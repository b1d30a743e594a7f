from __future__ import annotations

from typing import Any, ClassVar

import pytest

from bpaz_lab.errors import MissingPackage
from bpaz_lab.nodes.base import Node
from tests.support.flows import Gate, add, one, up

pytestmark = pytest.mark.unit


def test_steps_come_after_what_feeds_them(flow):
    flow.put(add, "d")
    flow.put(up, "b")
    flow.put(one, "a")
    flow.wire("a.result b.value", "a.result d.left", "b.result d.right")
    plan = flow.plan()
    assert [step.node for step in plan.steps] == ["a", "b", "d"]
    assert [step.index for step in plan.steps] == [0, 1, 2]
    assert [step.followers for step in plan.steps] == [[1, 2], [2], []]
    assert [step.waits for step in plan.steps] == [0, 1, 2]
    assert plan.ends == {"d": plan.slots["d.result"]}
    assert len(set(plan.slots.values())) == len(plan.slots) == plan.size == 3


def test_two_wires_between_two_nodes_are_one_wait(flow):
    flow.put(one, "a")
    flow.put(add, "d")
    flow.wire("a.result d.left", "a.result d.right")
    assert flow.plan().steps[1].waits == 1
    assert flow.plan().steps[0].followers == [1]


def test_a_boundary_stands_in_a_region_of_its_own(flow):
    flow.put(one, "a")
    flow.put(Gate, "gate")
    flow.put(up, "b")
    flow.put(one, "beside")
    flow.wire("a.result gate.value", "gate.result b.value")
    plan = flow.plan()
    assert {step.node: step.region for step in plan.steps} == {"a": 0, "gate": 1, "b": 2, "beside": 0}
    assert plan.regions == 3
    assert {step.node: step.waits for step in plan.steps} == {"a": 0, "gate": 1, "b": 1, "beside": 0}


def test_the_demand_goes_through_needed_inputs_only(flow):
    flow.put(one, "a")
    flow.put(up, "b")
    flow.put(up, "c")
    flow.wire("a.result b.value", "a.result c.value")
    assert [step.node for step in flow.plan("b").steps] == ["a", "b"]
    assert flow.plan("b.result").ends.keys() == {"b.result"}


def test_an_empty_workflow(flow):
    plan = flow.plan()
    assert plan.steps == []
    run = flow.go("direct").wait(20)
    assert run.status == "completed"
    assert run.output is None


class Lacking(Node):
    """Needs what is not there."""

    requires: ClassVar[tuple[str, ...]] = ("no_such_package",)

    def run(self) -> Any:
        """Never."""


def test_a_missing_package_is_told_before_the_run(flow):
    flow.put(Lacking, "lacking")
    with pytest.raises(MissingPackage) as caught:
        flow.plan()
    assert caught.value.hint == "pip install no-such-package"
    flow.put(one, "one")
    assert flow.go("direct", target="one").wait(20).output == 1
