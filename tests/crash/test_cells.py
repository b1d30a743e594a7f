"""``wf.run(durable=True)`` is killed and ``bz.resume`` goes on, with all that lies between them and the disk.

What a run was told to be, it stays: whoever got its id finds it again. Its events have no gap, and those that
were stored do not change.
"""

from __future__ import annotations

import random
import signal

import pytest

from tests.support.crash_flow import MOMENTS
from tests.support.crash_life import Cell, Life

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.full)])
def world(request):
    return request.getfixturevalue(f"on_{request.param}")


@pytest.fixture(scope="module")
def expected(on_sqlite):
    """What a run gives that nobody disturbs."""
    life = Life(on_sqlite)
    assert not life.live()
    return life.outcome["output"]


def test_it_dies_again_and_again(world, expected, full):
    pick = random.Random(5)  # noqa: S311 (the same moments each time)
    kills = 0
    while kills < (70 if full else 3):
        life, wanted = Cell(world), pick.randint(2, 4)
        while life.deaths < wanted and life.outcome is None:
            if pick.random() < 0.3:
                life.live(seconds=pick.random() * 0.5)
            else:
                life.live({"moment": pick.choice(MOMENTS), "number": pick.randint(1, 9)})
        assert life.end(expected) == []
        kills += life.deaths


def test_it_dies_in_a_commit_whichever_it_is(on_sqlite, expected, full):
    """Of the admission, of the ledger, of the events, of the outcome."""
    for number in range(1, 60) if full else (3, 20):
        life = Cell(on_sqlite)
        if not life.live({"moment": "in a commit", "number": number}):
            break  # there are no more
        assert life.end(expected) == []
    assert number > 10


def test_of_two_who_go_on_at_once_one_does(world, expected):
    life = Cell(world)
    assert life.live({"moment": "after done", "address": "ship"})
    both = [world.child("api", life.run, 0, slow=0.5) for _ in range(2)]
    try:
        heard = [child.hear() for child in both]
        assert sorted(word for word, _ in heard) == ["refused", "running"]
        assert ("refused", "conflict") in heard
    finally:
        for child in both:
            child.close()
    life._died(signal.SIGKILL)
    assert life.end(expected) == []


def test_an_answer_serves_once(world, expected):
    """Whoever said that a step is to be repeated has not said so of what became of the repetition."""
    life = Cell(world)
    assert life.live({"moment": "after started", "address": "ship"})  # answered: repeat
    late = 1.0  # until the answer is stored
    assert life.live({"moment": "after the effect", "address": "ship", "late": late})
    assert life.end(expected) == []


def test_an_answer_outlives_who_heard_it(world, expected):
    """It is stored and nothing has come of it yet: it is acted upon, and nobody is asked again."""
    life = Cell(world)
    assert life.live({"moment": "after started", "address": "ship"})  # answered: repeat
    assert life.live({"moment": "before started", "address": "ship", "late": 1.0})
    before = life.looks[-1].log
    assert life.end(expected) == []
    assert "ship" not in {entry["step"] for entry in before}
