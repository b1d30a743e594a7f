from __future__ import annotations

import asyncio

import pytest

from bpaz_lab.engine.workers import Workers

pytestmark = pytest.mark.unit


async def raising():
    raise ValueError("no")


async def test_the_first_fault_ends_the_others_and_leaves_no_mark():
    ended = []

    async def waits():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append("waits")

    workers = Workers()
    workers.add(waits())
    workers.add(raising())
    with pytest.raises(ValueError, match="no"):
        await workers.done()
    assert ended == ["waits"]
    assert asyncio.current_task().cancelling() == 0


async def test_a_stop_reaches_all_and_waits_for_them():
    ended = []

    async def waits():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("waits")

    async def outer():
        workers = Workers()
        workers.add(waits())
        workers.add(waits())
        await workers.done()

    task = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["waits", "waits"]


async def test_a_task_may_add_others():
    found = []
    workers = Workers()

    async def down(number):
        found.append(number)
        if number:
            workers.add(down(number - 1))

    workers.add(down(3))
    await workers.done()
    assert found == [3, 2, 1, 0]
