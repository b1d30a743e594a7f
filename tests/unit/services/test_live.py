import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.services.live import RESYNC, Live


def events(*numbers):
    return [{"seq": number, "type": "token"} for number in numbers]


async def rest(reader):
    return [event["seq"] if event is not RESYNC else "resync" async for event in reader]


async def test_listeners_get_what_comes_each_for_itself():
    live = Live(8)
    one, other = live.subscribe("a"), live.subscribe("a")
    stranger = live.subscribe("b")
    live.publish("a", events(0, 1), saved=True)
    live.close("a")
    assert await rest(one) == await rest(other) == [0, 1]
    assert await stranger.next(0.01) is None


async def test_a_slow_listener_gets_what_fits_then_resync_and_nobody_waits_for_it():
    live = Live(3)
    slow, quick = live.subscribe("a"), live.subscribe("a")
    for number in range(5):
        live.publish("a", events(number), saved=True)
        assert (await quick.next(1))["seq"] == number
    assert await rest(slow) == [0, 1, 2, "resync"]


async def test_who_comes_in_between_gets_what_is_not_stored_yet():
    live = Live(8)
    live.publish("a", events(0, 1, 2))
    live.saved("a", 1)
    late = live.subscribe("a")
    assert live.unsaved("a") == events(1, 2)
    live.publish("a", events(1, 2, 3))  # sent again, since the answer was lost
    live.saved("a", 4)
    live.close("a")
    assert await rest(late) == [1, 2, 3]
    assert live.unsaved("a") == []


async def test_a_listener_waits_until_something_comes():
    live = Live(8)
    reader = live.subscribe("a")
    waiting = asyncio.create_task(anext(reader))
    await asyncio.sleep(0)
    assert not waiting.done()
    live.publish("a", events(7), saved=True)
    assert (await waiting)["seq"] == 7


async def test_it_remembers_who_may_tell_what_next_until_the_end():
    live = Live(8)
    live.hold("a", "kernel", 3)
    assert live.holds("a", "kernel", 3)
    assert not live.holds("a", "kernel", 4)
    assert not live.holds("a", "another", 3)
    assert not live.holds("b", "kernel", 3)
    live.close("a")
    assert not live.holds("a", "kernel", 3)


async def test_who_leaves_costs_nothing_any_more():
    live = Live(8)
    reader = live.subscribe("a")
    assert live.readers == 1
    reader.close()
    reader.close()
    live.publish("a", events(0), saved=True)
    assert live.readers == 0
    assert await rest(reader) == []


@given(st.lists(st.integers(1, 6), max_size=12), st.integers(1, 10), st.integers(0, 40))
def test_whatever_the_batches_a_listener_gets_a_gapless_beginning(batches, size, saved):
    async def run():
        live, seq = Live(size), 0
        reader = live.subscribe("a")
        for batch in batches:
            live.publish("a", events(*range(seq, seq + batch)))
            seq += batch
            live.saved("a", min(saved, seq))
        live.close("a")
        return await rest(reader), seq

    got, total = asyncio.run(run())
    assert got == (list(range(total)) if total <= size else [*range(size), "resync"])
