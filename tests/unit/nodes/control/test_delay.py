from __future__ import annotations

import asyncio

import pytest

from bpaz_lab.errors import SettingError
from bpaz_lab.nodes.control.delay import Delay

pytestmark = pytest.mark.unit


async def test_it_passes_on_what_came_and_lets_others_go_on():
    order = []

    async def waits():
        order.append(await Delay().execute({"value": "a", "seconds": 0.05}))

    async def beside():
        await asyncio.sleep(0)
        order.append("beside")

    await asyncio.gather(waits(), beside())
    assert order == ["beside", {"value": "a"}]


@pytest.mark.parametrize("seconds", [-1, 1e9, "soon"])
def test_its_time_has_bounds(seconds):
    with pytest.raises(SettingError):
        Delay.of({"seconds": seconds})
