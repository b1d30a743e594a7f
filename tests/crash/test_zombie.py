"""A process is stopped, its run is taken over, and it wakes up again: nothing that it writes is taken.

It is stopped before it writes that a step begins, so that the step must not begin; or after the effect,
before it writes that the step is done.
"""

from __future__ import annotations

import signal

import pytest

from tests.support.crash import World
from tests.support.crash_check import of_zombie
from tests.support.crash_life import Life

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def expected(on_sqlite):
    life = Life(on_sqlite)
    assert not life.live()
    return life.outcome["output"]


def error_of(child):
    """The code of the error with which its run ends."""
    while (word := child.hear())[0] != "ended":
        assert word[0] in ("flagged", "running"), word
    return word[1]["error"]["code"]


def zombie(world, life, moment):
    """A process that is stopped at this moment of ``ship``."""
    fate = {"moment": moment, "address": "ship", "stop": True}
    child = world.child("engine", life.run, world.take(life.run), fate=fate)
    child.until_stopped()
    return child


@pytest.mark.parametrize("moment", ["before started", "after the effect", "before done"])
@pytest.mark.parametrize("wakes", ["meanwhile", pytest.param("afterwards", marks=pytest.mark.full)])
def test_what_a_zombie_writes_is_refused(world, expected, moment, wakes):
    life = Life(world)
    child = zombie(world, life, moment)
    try:
        life._died(signal.SIGKILL)  # it seems so
        life.live(when_asked=True)
        taken = life.looks[-1]
        if wakes == "afterwards":
            assert life.end(expected) == []
        child.signal(signal.SIGCONT)
        assert error_of(child) == "lease_lost"
    finally:
        child.close()
    assert life.end(expected) == []
    assert of_zombie(taken, life.looks[-1]) == []


def test_one_that_is_stopped_within_a_transaction_blocks_nobody_for_long(on_postgres, expected):
    world = World({**on_postgres.settings, "lease": 1}, on_postgres.witness)
    life = Life(world)
    child = zombie(world, life, "in the commit of done")
    try:
        life._died(signal.SIGKILL)
        life.live(when_asked=True)  # Postgres throws the other one out
        child.signal(signal.SIGCONT)
        assert error_of(child) == "lease_lost"
    finally:
        child.close()
    assert life.end(expected) == []
