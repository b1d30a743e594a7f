import pytest

from bpaz_lab.errors import RunCrashed
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
    late = await tell(lab, ada, id, tokens(2))
    assert late.over


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

    async def found(server, before):
        async with lab.database.session(read_only=True) as session:
            return await abandoned(session, server, before)

    began = utcnow()
    assert await found("another", utcnow()) == [id]
    assert await found(lab.server_id, utcnow()) == []
    async with lab.database.session() as session:
        await beat(session, lab.server_id)
    assert await found("another", began) == []
    await end(lab, id, "failed", CRASH)
    assert await found("another", utcnow()) == []
