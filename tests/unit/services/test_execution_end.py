import pytest

from bpaz_lab.errors import LeaseLost, RunCrashed
from bpaz_lab.services.execution_end import end
from bpaz_lab.services.execution_stream import follow
from bpaz_lab.services.execution_views import GetQuery
from bpaz_lab.services.executions import get_execution
from bpaz_lab.services.lab import Lab
from bpaz_lab.store.repositories.executions import abandoned, beat
from bpaz_lab.store.tables.columns import utcnow
from tests.support.executions import Waiting, admitted, call_of, person, tell, tokens

CRASH = RunCrashed("the kernel died", hint="Run it again.")


@pytest.fixture
async def lab(database_settings):
    made = Lab.of(database_settings)
    await made.ready()
    made.runner = Waiting(made)
    yield made
    made.runner = None
    await made.close()


async def test_a_crashed_run_keeps_its_events_and_its_streams_end(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, tokens(0, 1))
    listening = follow(lab, ada, id)
    assert [(await anext(listening))["seq"] for _ in range(2)] == [0, 1]
    assert await end(lab, id, "failed", CRASH)
    (last,) = [event async for event in listening]
    assert (last["type"], last["seq"], last["status"]) == ("run.finished", 2, "failed")
    assert last["error"]["code"] == "run_crashed"
    assert [event["seq"] async for event in follow(lab, ada, id)] == [0, 1, 2]
    row = await get_execution(call_of(lab, ada), id, GetQuery())
    assert (row.status, row.error["code"], row.error["hint"]) == ("failed", "run_crashed", "Run it again.")
    assert not await end(lab, id, "failed", CRASH)
    with pytest.raises(LeaseLost):
        await tell(lab, ada, id, tokens(2))


async def test_what_was_heard_and_not_stored_yet_is_stored_with_the_end(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, tokens(0))
    lab.live.publish(id, tokens(1, 2))  # the kernel's request died between the two
    await end(lab, id, "failed", CRASH)
    events = [event async for event in follow(lab, ada, id)]
    assert [event["seq"] for event in events] == [0, 1, 2, 3]
    assert events[-1]["type"] == "run.finished"
    assert events[-1]["time"] == events[-2]["time"]


async def test_executions_without_a_server_are_found_by_its_last_sign_of_life(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)

    async def found(before):
        async with lab.database.session(read_only=True) as session:
            return [each.id for each in await abandoned(session, before)]

    began = utcnow()
    assert await found(utcnow()) == [id]
    async with lab.database.session() as session:
        await beat(session, lab.server_id, lab.pulse.heard())
    assert await found(began) == []
    await end(lab, id, "failed", CRASH)
    assert await found(utcnow()) == []


async def test_who_goes_on_with_it_meanwhile_is_not_ended_and_who_was_ended_writes_no_more(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    assert not await end(lab, id, "failed", CRASH, epoch=7)
    await tell(lab, ada, id, tokens(0))
    assert await end(lab, id, "failed", CRASH, epoch=1)
    with pytest.raises(LeaseLost):
        await tell(lab, ada, id, tokens(1))
