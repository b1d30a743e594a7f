"""Postgres comes and goes; requests fail with a typed error, then recover by themselves."""

from __future__ import annotations

import asyncio

import pytest

from bpaz_lab.errors import StoreFull, StoreUnavailable
from bpaz_lab.settings import Settings
from bpaz_lab.store.database import Database
from tests.support.people import add, emails

pytestmark = [pytest.mark.unit, pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)]


async def test_a_killed_postgres_is_told_of_and_found_again(database, postgres):
    told, accepted, stop = [], set(), asyncio.Event()

    async def work(name):
        number = 0
        while not stop.is_set():
            try:
                await add(database, f"{name}-{number}@x")
                told.append("done")
                accepted.add(f"{name}-{number}@x")
            except StoreUnavailable:
                told.append("away")
            number += 1
            await asyncio.sleep(0.01)

    workers = [asyncio.create_task(work(name)) for name in "abcd"]
    await reached(told, "done", 20)
    await asyncio.to_thread(postgres.kill)
    await reached(told, "away", 8)
    with pytest.raises(StoreUnavailable) as caught:
        await database.ping()
    assert database.url.query["host"] not in str(caught.value)
    await asyncio.to_thread(postgres.start)
    told.clear()
    await reached(told, "done", 20)
    stop.set()
    await asyncio.gather(*workers)  # which met no other error
    await database.ping()
    assert accepted <= set(await emails(database))


async def test_a_postgres_that_was_stopped_at_the_start_is_found_later(database_settings, postgres):
    database = Database.of(database_settings)
    await asyncio.to_thread(postgres.stop)
    try:
        with pytest.raises(StoreUnavailable):
            await database.start()
        with pytest.raises(StoreUnavailable):
            await database.ping()
    finally:
        await asyncio.to_thread(postgres.start)
    await add(database, "ann@x")
    assert await emails(database) == ["ann@x"]
    await database.close()


async def reached(told, what, count):
    async with asyncio.timeout(60):
        while told.count(what) < count:
            await asyncio.sleep(0.01)


async def test_a_wrong_password_or_name_is_no_secret_told(database_settings, postgres):
    url = postgres.url("no_such_database")
    with pytest.raises(StoreUnavailable, match="does not exist") as caught:
        await Database.of(Settings(database_url=url)).ping()
    assert "no_such_database" not in str(caught.value)


async def test_a_postgres_that_may_only_be_read(database, postgres):
    await add(database, "ann@x")
    name = database.url.database
    postgres.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await database.close()
    with pytest.raises(StoreFull, match="25006"):
        await add(database, "ben@x")
    assert await emails(database) == ["ann@x"]
