import asyncio
from contextlib import aclosing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpaz_lab.errors import NotFound
from bpaz_lab.services.execution_stream import as_messages, follow
from bpaz_lab.services.lab import Lab
from bpaz_lab.services.live import Live
from bpaz_lab.store.repositories.events import Events
from tests.support.executions import Waiting, admitted, finished, person, tell, tokens


@pytest.fixture
async def lab(database_settings):
    made = Lab.of(database_settings)
    await made.ready()
    made.runner = Waiting(made)
    yield made
    made.runner = None
    await made.close()


async def take(lab, caller, id, after=-1, most=None):
    """Listens for a while; the numbers, and whether it ended by itself."""
    got = []
    async with aclosing(follow(lab, caller, id, after)) as events:
        async for event in events:
            got.append(event.get("seq", event["type"]))
            if most is not None and len(got) >= most:
                return got, False
    return got, True


async def test_from_the_store_then_live_without_gap_or_double(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, tokens(0, 1, 2))
    listening = asyncio.create_task(take(lab, ada, id))
    await asyncio.sleep(0.05)
    await tell(lab, ada, id, tokens(3, 4))
    await tell(lab, ada, id, [*tokens(5), finished(6)], {"status": "completed"})
    assert await listening == ([0, 1, 2, 3, 4, 5, 6], True)
    assert await take(lab, ada, id, after=4) == ([5, 6], True)
    assert await take(lab, ada, id, after=6) == ([], True)
    assert lab.live.readers == 0


async def test_a_token_is_heard_and_answered_before_it_is_stored(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    reader = lab.live.subscribe(id)
    async with lab.database.session() as holds_the_writer:
        await holds_the_writer.connection()
        assert (await tell(lab, ada, id, tokens(0))).received == 1
        assert (await reader.next(5))["seq"] == 0
        async with lab.database.session(read_only=True) as session:
            assert await Events(session, ada).after(id, -1, 10) == []
    await lab.keeper.close()
    async with lab.database.session(read_only=True) as session:
        assert [each["seq"] for each in await Events(session, ada).after(id, -1, 10)] == [0]
    reader.close()


async def test_another_persons_execution_is_not_there(lab):
    ada, eve = await person(lab), await person(lab, "eve")
    id = await admitted(lab, ada)
    with pytest.raises(NotFound):
        await take(lab, eve, id)
    assert lab.live.readers == 0


async def test_messages_carry_number_and_type(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, [*tokens(0), finished(1)], {"status": "completed"})
    messages = [message async for message in as_messages(follow(lab, ada, id))]
    assert [(each.id, each.event) for each in messages] == [("0", "token"), ("1", "run.finished")]


async def test_an_execution_of_another_server_is_read_from_the_store(lab, database_settings):
    ada = await person(lab)
    id = await admitted(lab, ada)
    other = Lab.of(database_settings)
    await other.ready()
    listening = asyncio.create_task(take(other, ada, id))
    await tell(lab, ada, id, tokens(0, 1))
    await asyncio.sleep(0.1)
    await tell(lab, ada, id, [finished(2)], {"status": "completed"})
    assert await asyncio.wait_for(listening, 20) == ([0, 1, 2], True)
    await other.close()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    batches=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    cuts=st.lists(st.integers(1, 7), max_size=6),
    queue=st.integers(2, 6),
    pauses=st.lists(st.sampled_from([0, 0, 0.002]), min_size=8, max_size=8),
    repeat=st.booleans(),
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_random_cuts_and_slow_readers_see_every_event_once(lab, batches, cuts, queue, pauses, repeat):
    lab.live = Live(queue)
    ada = await person(lab)
    id = await admitted(lab, ada)
    total = sum(batches) + 1

    async def write():
        seq = 0
        for batch, pause in zip(batches, pauses, strict=False):
            events = tokens(*range(seq, seq + batch))
            seq += batch
            await tell(lab, ada, id, events)
            if repeat:
                await tell(lab, ada, id, events)
            await asyncio.sleep(pause)
        await tell(lab, ada, id, [finished(seq)], {"status": "completed"})

    async def read():
        got, left = [], list(cuts)
        while not got or got[-1] != total - 1:
            most = left.pop(0) if left else None
            some, _ = await take(lab, ada, id, got[-1] if got else -1, most)
            got += [seq for seq in some if seq != "resync"]
        return got

    writing = asyncio.create_task(write())
    first, second = await asyncio.wait_for(asyncio.gather(read(), read()), 60)
    await writing
    assert first == second == list(range(total))
    assert lab.live.readers == 0
