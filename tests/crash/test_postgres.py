"""Postgres dies, throws everybody out, or takes no writes while a run goes on.

What is short is waited for, and nobody notices. Where it may only be read, the run ends with an error that
says so, and goes on afterwards. In no case is a finished step done again.
"""

from __future__ import annotations

import time

import pytest

from tests.support.crash_life import Life

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def expected(on_postgres):
    life = Life(on_postgres)
    assert not life.live()
    return life.outcome["output"]


def thrown_out(world, postgres):
    """Ends all connections to the world's database; gives how many there were."""
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    return len(postgres.sql(cut, parameters=[world.name]))


def test_everybody_is_thrown_out_again_and_again(on_postgres, postgres, expected):
    life = Life(on_postgres)

    cuts = []

    def cut(child):
        for _ in range(10):
            cuts.append(thrown_out(on_postgres, postgres))
            time.sleep(0.1)

    assert not life.live(slow=0.1, meanwhile=cut)
    assert sum(cuts) > 3
    assert life.end(expected) == []


def test_it_is_killed_and_started_again(on_postgres, postgres, expected):
    life = Life(on_postgres)

    def die(child):
        time.sleep(0.3)
        postgres.kill()
        time.sleep(0.5)
        postgres.start()

    assert not life.live(slow=0.1, meanwhile=die)
    assert life.end(expected) == []


def test_it_takes_no_writes_for_a_while(on_postgres, postgres, expected):
    life = Life(on_postgres)

    def only_reading(how):
        postgres.sql(f"ALTER DATABASE {on_postgres.name} SET default_transaction_read_only = {how}")
        thrown_out(on_postgres, postgres)

    def begin(child):
        time.sleep(0.3)
        only_reading("on")

    try:
        assert not life.live(slow=0.1, meanwhile=begin)
    finally:
        only_reading("off")
    assert life.fault() == "store_full"
    assert life.end(expected) == []
