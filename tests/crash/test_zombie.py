"""A process is stopped, its run is taken over, and it wakes up again: nothing that it writes is taken.

It is stopped before it writes that a step begins, so that the step must not begin; or after the effect,
before it writes that the step is done.
"""

from __future__ import annotations

import signal

import pytest

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


@pytest.mark.parametrize("moment", ["before started", "after the effect", "before done"])
@pytest.mark.parametrize("wakes", ["meanwhile", "afterwards"])
def test_what_a_zombie_writes_is_refused(on_sqlite, expected, moment, wakes):
    life = Life(on_sqlite)
    fate = {"moment": moment, "address": "ship", "stop": True}
    zombie = on_sqlite.child("engine", life.run, on_sqlite.take(life.run), fate=fate)
    try:
        zombie.until_stopped()
        life._died(signal.SIGKILL)  # it seems so
        life.live(when_asked=True)
        taken = life.looks[-1]
        if wakes == "afterwards":
            assert life.end(expected) == []
        zombie.signal(signal.SIGCONT)
        assert error_of(zombie) == "lease_lost"
    finally:
        zombie.close()
    assert life.end(expected) == []
    assert of_zombie(taken, life.looks[-1]) == []
