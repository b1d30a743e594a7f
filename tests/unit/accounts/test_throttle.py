from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bpaz_lab.accounts.throttle import FAILURES, LONGEST, Activity, demand_patience, wait
from bpaz_lab.errors import Throttled
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories.login_activity import LoginActivities

pytestmark = [pytest.mark.integration, pytest.mark.auth]

# What does not hang on the kind of database is tried on one.
sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE, THERE = "192.0.2.1", "198.51.100.7"


def test_the_wait_doubles_up_to_a_quarter_of_an_hour():
    assert [wait(n, 0, free=5) for n in range(4, 17)] == [
        0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, LONGEST, LONGEST,
    ]  # fmt: skip


def test_no_number_of_failures_makes_it_longer():
    assert wait(10**6, 0, free=5) == LONGEST == 900


def test_the_wait_passes():
    assert wait(10, 31.5, free=5) == 0.5
    assert wait(10, 32, free=5) == 0
    assert wait(10, -60, free=5) == 32, "a clock that runs behind makes it no longer"


class Door:
    """Attempts at moments of one's own choice."""

    def __init__(self, database):
        self.database = database

    async def put(self, code, *, name="ada", address=HERE, at=0.0, times=1):
        async with self.database.session() as session:
            activities = LoginActivities(session, Caller(address=address))
            for _ in range(times):
                await activities.record(name, code, "", NOON + timedelta(seconds=at))

    async def wait(self, *, name="ada", address=HERE, at=0.0):
        """Seconds that an attempt at that moment would have to wait."""
        async with self.database.session() as session:
            activities = LoginActivities(session, Caller(address=address))
            try:
                await demand_patience(activities, name, address, NOON + timedelta(seconds=at))
            except Throttled as error:
                return error.retry_after
            return 0


@pytest.fixture
def door(database):
    return Door(database)


@sqlite
@pytest.mark.parametrize("code", FAILURES)
async def test_the_first_five_wrong_ones_are_free(door, code):
    await door.put(code, times=4)
    assert await door.wait() == 0
    await door.put(code)
    assert await door.wait() == 1
    assert await door.wait(at=1) == 0
    await door.put(code, at=1)
    assert await door.wait(at=1) == 2


@sqlite
async def test_an_account_is_counted_from_all_addresses(door):
    for n in range(6):
        await door.put(Activity.WRONG_PASSWORD, address=f"203.0.113.{n}")
    assert await door.wait(address=THERE) == 2
    assert await door.wait(name="bob", address=THERE) == 0


async def test_an_address_is_counted_over_all_accounts(door):
    for n in range(21):
        await door.put(Activity.UNKNOWN_USER, name=f"p{n}")
    assert await door.wait(name="somebody") == 2
    assert await door.wait(name="somebody", address=THERE) == 0


@sqlite
async def test_signing_in_forgives_the_account_and_not_the_address(door):
    await door.put(Activity.WRONG_PASSWORD, times=9)
    await door.put(Activity.SIGNED_IN, at=60)
    assert await door.wait(at=61) == 0
    for n in range(12):
        await door.put(Activity.WRONG_PASSWORD, name=f"p{n}", at=61)
    assert await door.wait(name="somebody", at=61) == 2


@sqlite
async def test_refused_attempts_do_not_prolong_the_wait(door):
    await door.put(Activity.WRONG_PASSWORD, times=6)
    await door.put(Activity.THROTTLED, times=50, at=1)
    assert await door.wait(at=1) == 1


@sqlite
async def test_who_signed_in_from_here_is_not_kept_out_by_guesses_from_elsewhere(door):
    await door.put(Activity.SIGNED_IN, at=-86400 * 3)
    await door.put(Activity.WRONG_PASSWORD, address=THERE, times=40)
    await door.put(Activity.WRONG_PASSWORD, name="bob", times=40)
    assert await door.wait() == 0
    assert await door.wait(address=THERE) > 60
    await door.put(Activity.WRONG_PASSWORD, times=6)
    assert await door.wait() == 2, "one's own wrong guesses count"


@sqlite
async def test_a_day_later_all_is_forgotten(door):
    await door.put(Activity.WRONG_PASSWORD, times=40)
    assert await door.wait(at=60) == 840
    assert await door.wait(at=901) == 0
    await door.put(Activity.WRONG_PASSWORD, at=86400.5)
    assert await door.wait(at=86401) == 0


async def test_names_are_names_and_nothing_else(door):
    await door.put(Activity.WRONG_PASSWORD, name="ada", times=9)
    for name in ("' OR '1'='1", "%", "a_a", "ada' --", "ADA", "*"):
        assert await door.wait(name=name, address=THERE) == 0
