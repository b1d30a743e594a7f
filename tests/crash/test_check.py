"""The judge of the crash tests finds every fault that it is there for, and none in a good run."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.support.crash_check import Look, of_death, of_end, of_steps, of_zombie
from tests.support.crash_flow import ALL, IDEMPOTENT, ONCE

pytestmark = pytest.mark.unit


def entry(step):
    kind = "once" if step in ONCE else "idempotent" if step in IDEMPOTENT else "pure"
    return {"run": "r", "step": step, "kind": kind, "key": f"key of {step}"}


def row(state, epoch=1, digest="d"):
    return {"state": state, "epoch": epoch, "digest": digest}


def event(seq, type, node=""):
    return {"seq": seq, "type": type, "node": node}


@pytest.fixture
def death():
    """The run was killed after the effect of ``ship``, which is in doubt."""
    return Look(
        log=[entry("look"), entry("order"), entry("pay"), entry("ship")],
        rows={"": row("done"), "order": row("done"), "pay": row("started"), "ship": row("started")},
        epoch=1,
        flagged={"ship"},
        events=[event(0, "run.started"), event(1, "node.finished", "order")],
    )


@pytest.fixture
def end(death):
    """It went on and ended."""
    later = deepcopy(death)
    done = [entry(step) for step in sorted(ALL - {"look", "order", "ship"})]
    later.log += done
    later.rows |= {step: row("done", 2) for step in ALL - {"order"}}
    later.epoch, later.flagged = 2, set()
    rest = [event(0, "node.finished", step) for step in sorted(ONCE - {"order"})]
    later.events += [*rest, event(0, "run.finished")]
    for number, each in enumerate(later.events):
        each["seq"] = number
    return later


def ended(look, status="completed", output="books"):
    return of_end(look, status, output, "books", deaths=1)


def test_a_good_run_has_no_fault(death, end):
    assert of_death(death) == of_steps(death, end) == of_zombie(death, end) == ended(end) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda look: look.rows.pop("ship") and look.flagged.clear(), "ship was done, and the ledger knows"),
        (lambda look: look.flagged.clear(), "ship is in doubt, and nobody was told"),
        (lambda look: look.flagged.add("order"), "order is said to be in doubt, and is done"),
        (lambda look: look.rows.update(order=row("done", 2)), "order was written under an epoch"),
        (lambda look: look.rows.update(order=row("failed")), "order was told to be finished before"),
    ],
)
def test_a_fault_of_a_death(death, change, fault):
    change(death)
    assert [each for each in of_death(death) if each.startswith(fault)]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda look: look.log.append(entry("order")), "order was finished, and was done again"),
        (lambda look: look.rows.pop("order"), "order was finished, and its row"),
        (lambda look: look.rows.update(order=row("done", digest="e")), "order was finished, and its row"),
        (lambda look: setattr(look, "epoch", 0), "the epoch went back"),
        (lambda look: look.events.pop(0), "events that were stored"),
    ],
)
def test_a_fault_between_two_looks(death, end, change, fault):
    change(end)
    assert [each for each in of_steps(death, end) if each.startswith(fault)]


def test_a_fault_of_a_zombie(death, end):
    end.rows["ship"] = row("done", 1)
    assert of_zombie(death, end) == ["ship was written under an old epoch"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda look: look.log.append(entry("ship")), "ship was done 2 times"),
        (lambda look: look.log.extend([entry("look")] * 2), "look was done 3 times at 1 deaths"),
        (lambda look: look.log.pop(0), "look was never done"),
        (lambda look: look.log.append({**entry("pay"), "key": "another"}), "pay was done with 2 keys"),
        (lambda look: [each.update(key="k") for each in look.log], "two steps have the same key"),
        (lambda look: look.events.pop(1), "the events are numbered"),
        (lambda look: look.events.pop(), "the last event does not end the run"),
        (lambda look: look.events.append(event(len(look.events), "run.started")), "the run did not begin"),
        (lambda look: look.events[1].update(node="look"), "no event says that order is finished"),
    ],
)
def test_a_fault_of_the_end(end, change, fault):
    change(end)
    assert [each for each in ended(end) if each.startswith(fault)]


def test_a_run_that_is_lost_or_gives_something_else(end):
    assert ended(end, status="failed") == ["the run is lost: it is failed"]
    assert ended(end, output="other") == ["the output is 'other' and not 'books'"]
