import asyncio

import pytest

from bpaz_lab.errors import Conflict, Invalid, NotFound
from bpaz_lab.services import keeper
from bpaz_lab.services.execution_claim import claim_execution
from bpaz_lab.services.execution_views import GetQuery
from bpaz_lab.services.executions import get_execution
from bpaz_lab.services.lab import Lab
from bpaz_lab.store.repositories.events import Events
from bpaz_lab.store.repositories.executions import open_one
from bpaz_lab.store.tables.columns import utcnow
from tests.support.executions import Waiting, admitted, call_of, finished, paused, person, tell, tokens


@pytest.fixture
async def lab(database_settings):
    made = Lab.of(database_settings)
    await made.ready()
    made.runner = Waiting(made)
    yield made
    made.runner = None
    await made.close()


async def stored(lab, caller, id):
    async with lab.database.session(read_only=True) as session:
        return [event["seq"] for event in await Events(session, caller).after(id, -1, 500)]


async def test_events_may_be_sent_again_and_are_kept_once(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    assert (await tell(lab, ada, id, tokens(0, 1))).received == 2
    assert (await tell(lab, ada, id, tokens(0, 1))).received == 2
    assert (await tell(lab, ada, id, tokens(1, 2, 3))).received == 4
    assert await stored(lab, ada, id) == [0, 1, 2, 3]


@pytest.mark.parametrize("numbers", [(3,), (2, 4), (2, 2), (2, 3, 5)])
async def test_a_gap_is_refused_and_the_right_number_is_told(lab, numbers):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, tokens(0, 1))
    with pytest.raises(Conflict) as refused:
        await tell(lab, ada, id, tokens(*numbers))
    assert refused.value.current == {"received": 2}
    await lab.keeper.close()
    assert await stored(lab, ada, id) == [0, 1]


async def test_no_other_kernel_and_nobody_elses_may_claim_or_tell(lab):
    ada, eve = await person(lab), await person(lab, "eve")
    id = await admitted(lab, ada)
    for caller, kernel in ((ada, "kernel-2"), (eve, "kernel-1"), (ada, "")):
        with pytest.raises(NotFound):
            await claim_execution(call_of(lab, caller, kernel), id)
    for caller, kernel in ((ada, "kernel-2"), (eve, "kernel-1")):
        with pytest.raises(NotFound):
            await tell(lab, caller, id, tokens(0), kernel=kernel)
    assert await stored(lab, ada, id) == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # whose one writer can be held
async def test_what_is_heard_waits_while_the_database_is_busy(database_settings, monkeypatch, caplog):
    monkeypatch.setattr(keeper, "AGAIN", 0.01)
    lab = Lab.of(database_settings.model_copy(update={"database_pool_timeout": 0.2}))
    await lab.ready()
    lab.runner = Waiting(lab)
    ada = await person(lab)
    id = await admitted(lab, ada)
    async with lab.database.session() as holds_the_writer:
        await holds_the_writer.connection()
        assert (await tell(lab, ada, id, tokens(0, 1))).received == 2
        while caplog.text.count("wait for the database") < 2:
            await asyncio.sleep(0.01)
        assert [each["seq"] for each in lab.live.unsaved(id)] == [0, 1]
    assert (await tell(lab, ada, id, [finished(2)], {"status": "completed"})).received == 3
    assert await stored(lab, ada, id) == [0, 1, 2]
    assert lab.live.unsaved(id) == []
    await lab.close()


async def test_more_than_may_wait_waits_for_the_store(lab, monkeypatch):
    ada = await person(lab)
    id = await admitted(lab, ada)
    monkeypatch.setattr(keeper, "MOST", 2)
    await tell(lab, ada, id, tokens(0, 1))
    assert lab.live.unsaved(id)
    assert (await tell(lab, ada, id, tokens(2))).received == 3
    assert lab.live.unsaved(id) == []
    assert await stored(lab, ada, id) == [0, 1, 2]


async def test_a_kernel_that_streams_hears_that_it_is_to_stop(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, tokens(0))
    async with lab.database.session() as session:
        (await open_one(session, id)).cancel_requested_at = utcnow()  # by another server
    await lab.keeper.close()
    assert (await tell(lab, ada, id, tokens(1))).cancel


async def test_a_claim_may_be_repeated_until_something_was_told(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    work = await claim_execution(call_of(lab, ada, "kernel-1"), id)
    assert (work.inputs, work.trusted, work.history) == ({"name": "you"}, True, [])
    assert work.flow_data["name"] == "Greeting"
    await tell(lab, ada, id, tokens(0))
    with pytest.raises(Conflict):
        await claim_execution(call_of(lab, ada, "kernel-1"), id)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "nonsense", "seq": 0, "time": 0},
        {"type": "token", "seq": 0, "time": 0.0},
        {"seq": 0},
        {"type": "token", "seq": "x", "time": 0.0, "node": "a", "port": "b", "text": "c"},
    ],
)
async def test_what_is_no_event_is_refused(lab, event):
    ada = await person(lab)
    id = await admitted(lab, ada)
    with pytest.raises(Invalid) as refused:
        await tell(lab, ada, id, [event])
    assert refused.value.path.startswith("events.0")


async def test_the_end_of_a_run_is_event_and_outcome_at_once(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    with pytest.raises(Invalid):
        await tell(lab, ada, id, [finished(0)])
    with pytest.raises(Invalid):
        await tell(lab, ada, id, tokens(0), {"status": "completed"})
    outcome = {"status": "failed", "error": {"code": "node_failed", "message": "no"}, "usage": {"cost": 1}}
    assert (await tell(lab, ada, id, [finished(0, "failed")], outcome)).received == 1
    row = await get_execution(call_of(lab, ada), id, GetQuery())
    assert (row.status, row.error["message"], row.usage) == ("failed", "no", {"cost": 1})
    assert row.completed_at >= row.started_at >= row.created_at
    assert ("failed", id) in lab.runner.heard
    late = await tell(lab, ada, id, tokens(1))
    assert (late.over, late.received) == (True, 1)


async def test_a_repeated_pause_does_not_undo_the_answer(lab):
    from bpaz_lab.services.execution_resume import resume_execution
    from bpaz_lab.services.execution_views import Resume

    ada = await person(lab)
    id = await admitted(lab, ada)
    events, question = paused(0)
    outcome = {"status": "paused", "questions": {"hello": question}}
    assert (await tell(lab, ada, id, events, outcome)).answers is None
    row = await get_execution(call_of(lab, ada), id, GetQuery())
    assert (row.status, row.questions) == ("paused", {"hello": question})
    await resume_execution(call_of(lab, ada), id, Resume(answers={"approve": True}))
    heard = await tell(lab, ada, id, events, outcome)  # the acknowledgement was lost
    assert heard.answers == {"hello": {"approve": True}}
    resumed = [{"type": "run.resumed", "seq": 2, "time": 0.0}]
    assert (await tell(lab, ada, id, resumed, {"status": "running"})).answers is None
    row = await get_execution(call_of(lab, ada), id, GetQuery())
    assert (row.status, row.questions) == ("running", None)
