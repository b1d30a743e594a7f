"""A run is killed at every moment that has a name and at any other, goes on in another process, and ends.

Nothing is lost, what is finished is not done again, what is in doubt is said to be before anything is
repeated, and the output is the one that a run gives which nobody disturbs.
"""

from __future__ import annotations

import random

import pytest

from tests.support.crash_flow import ALL, MOMENTS
from tests.support.crash_life import Life

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

SPAN = 0.5
"""Seconds in which a process is killed, where that comes at random."""
STEPS = {
    "started": ("order", "pay", "ship", "fan0", "each[1]/mail", "close"),
    "effect": ("look", "order", "fetch", "pay", "large", "ship", "fan2", "each[2]/mail", "close"),
    "done": ("look", "order", "fetch", "pay", "large", "ship", "fan1", "each[3]/mail", "close"),
}  # fmt: skip


@pytest.fixture(scope="module")
def expected(on_sqlite):
    """What a run gives that nobody disturbs."""
    life = Life(on_sqlite)
    assert not life.live()
    output = life.outcome["output"]
    assert life.end(output) == []
    return output


def steps(moment):
    return STEPS[moment.rpartition(" ")[2]]


@pytest.mark.parametrize("moment", MOMENTS)
def test_it_dies_at_a_moment_with_a_name(world, expected, moment, full):
    for address in steps(moment) if full else ("pay" if moment == "after the effect" else "ship",):
        life = Life(world)
        assert life.live({"moment": moment, "address": address}), f"it did not come to {moment} {address}"
        assert life.end(expected) == []


@pytest.mark.parametrize(
    ("event", "address"), [("node.finished", "ship"), ("run.paused", ""), ("run.finished", "")]
)
def test_what_was_told_is_kept(on_sqlite, expected, event, address):
    life = Life(on_sqlite)
    assert life.live({"moment": f"after {event}", "address": address})
    rows = life.looks[-1].rows
    if event == "node.finished":
        assert rows["ship"]["state"] == "done"
    else:
        done = ALL | {"out"} if event == "run.finished" else ALL - {"close"} | {"join"}
        assert done <= {step for step, row in rows.items() if row["state"] == "done"}
    before = life.looks[-1].log
    assert life.end(expected) == []
    if event == "run.finished":
        assert life.looks[-1].log == before


def test_it_dies_again_and_again_at_any_moment(world, expected, full):
    pick = random.Random(11)  # noqa: S311 (the same moments each time)
    kills = 0
    while kills < (430 if full else 3):
        life, wanted = Life(world), pick.randint(2, 5)
        while life.deaths < wanted and life.outcome is None:
            life.live(**_way_to_die(pick))
        assert life.end(expected) == []
        kills += life.deaths


def _way_to_die(pick):
    kind = pick.random()
    if kind < 0.1:
        return {"when_asked": True}
    if kind < 0.5:
        return {"seconds": pick.random() * SPAN}
    moment = pick.choice(MOMENTS)
    return {"fate": {"moment": moment, "address": "", "number": pick.randint(1, 9)}}
