import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from bpaz_lab.errors import Conflict, DocumentError, Forbidden, InputError, Invalid, NotFound, Throttled
from bpaz_lab.services.dispatch import dispatch
from bpaz_lab.services.execution_claim import claim_execution
from bpaz_lab.services.execution_resume import resume_execution
from bpaz_lab.services.execution_views import (
    EventsQuery,
    ExecuteDocument,
    ExecuteQuery,
    GetQuery,
    ListQuery,
    Resume,
)
from bpaz_lab.services.executions import (
    cancel_execution,
    delete_execution,
    execute_document,
    get_execution,
    list_executions,
    listen_to_execution,
    stream_document,
)
from bpaz_lab.services.lab import Lab
from tests.support.executions import (
    GREETING,
    Waiting,
    admitted,
    call_of,
    finished,
    paused,
    person,
    tell,
    tokens,
)

BODY = ExecuteDocument(flow_data=GREETING, inputs={"name": "you"})


@pytest.fixture
async def lab(database_settings):
    made = Lab.of(database_settings.model_copy(update={"runs_per_user": 3}))
    await made.ready()
    made.runner = Waiting(made)
    yield made
    made.runner = None
    await made.close()


async def test_an_execution_is_answered_when_it_has_ended(lab):
    ada = await person(lab)

    assigned = asyncio.Event()

    class Telling(Waiting):
        async def start(self, execution_id, caller):
            await super().start(execution_id, caller)
            assigned.set()

    lab.runner = Telling(lab)

    async def kernel():
        await assigned.wait()
        (row,) = (await list_executions(call_of(lab, ada), ListQuery())).items
        id = row.id
        outcome = {"status": "completed", "output": "Hello you!", "outputs": {"hello.text": "Hello you!"}}
        await tell(lab, ada, id, [*tokens(0), finished(1)], outcome)

    answer, _ = await asyncio.gather(
        execute_document(call_of(lab, ada), ExecuteQuery(wait=20), BODY), kernel()
    )
    assert (answer.status, answer.value.status, answer.value.output) == (200, "completed", "Hello you!")
    assert answer.value.outputs == {"hello.text": "Hello you!"}
    assert answer.value.flow_data is None


async def test_who_does_not_wait_gets_the_place_to_look(lab):
    ada = await person(lab)
    answer = await execute_document(call_of(lab, ada), ExecuteQuery(wait=0), BODY)
    assert answer.status == 202
    assert answer.headers == {"Location": f"executions/{answer.value.id}"}
    row = await get_execution(call_of(lab, ada), answer.value.id, GetQuery(document=True))
    assert row.flow_data["nodes"]["hello"]["type"] == "PromptTemplate"
    assert (row.inputs, row.status) == ({"name": "you"}, "pending")


async def test_a_stream_begins_with_the_executions_id(lab):
    ada = await person(lab)
    stream = await stream_document(call_of(lab, ada), BODY)
    first = await anext(stream.messages)
    assert (first.event, stream.headers["Location"]) == ("execution", f"executions/{first.data['id']}")
    from uuid import UUID

    await tell(lab, ada, UUID(first.data["id"]), [*tokens(0), finished(1)], {"status": "completed"})
    assert [message.event async for message in stream.messages] == ["token", "run.finished"]


async def test_as_many_at_a_time_as_are_allowed_also_when_all_come_at_once(lab):
    ada, bob = await person(lab), await person(lab, "bob")
    asked = [execute_document(call_of(lab, ada), ExecuteQuery(wait=0), BODY) for _ in range(8)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, Throttled) for each in answers) == 5
    assert sum(getattr(each, "status", 0) == 202 for each in answers) == 3
    assert (await execute_document(call_of(lab, bob), ExecuteQuery(wait=0), BODY)).status == 202
    done = (await list_executions(call_of(lab, ada), ListQuery())).items[0].id
    await tell(lab, ada, done, [finished(0)], {"status": "completed"})
    assert (await execute_document(call_of(lab, ada), ExecuteQuery(wait=0), BODY)).status == 202


async def test_the_same_idempotency_key_is_the_same_execution(lab):
    ada, bob = await person(lab), await person(lab, "bob")
    call = call_of(lab, ada, idempotency_key="a-key")
    answers = await asyncio.gather(*(execute_document(call, ExecuteQuery(wait=0), BODY) for _ in range(4)))
    assert len({answer.value.id for answer in answers}) == 1
    other = await execute_document(call_of(lab, bob, idempotency_key="a-key"), ExecuteQuery(wait=0), BODY)
    assert other.value.id != answers[0].value.id
    with pytest.raises(Invalid):
        await execute_document(call_of(lab, ada, idempotency_key="k" * 300), ExecuteQuery(wait=0), BODY)


async def test_what_cannot_run_is_refused_before_it_is_admitted(lab):
    ada = await person(lab)
    viewer = await person(lab, "vera", "view_workflows")
    call = call_of(lab, ada)
    with pytest.raises(InputError):
        await execute_document(call, ExecuteQuery(), ExecuteDocument(flow_data=GREETING))
    with pytest.raises(DocumentError):
        await execute_document(call, ExecuteQuery(), ExecuteDocument(flow_data={"bpaz": 1}))
    with pytest.raises(Forbidden):
        await execute_document(call_of(lab, viewer), ExecuteQuery(), BODY)
    assert (await list_executions(call, ListQuery())).items == []


async def test_an_execution_takes_no_longer_than_the_server_allows(lab):
    ada = await person(lab)
    for asked, given in ((None, 1800), (5, 5), (1e9, 1800)):
        id = await admitted(lab, ada, timeout=asked)
        assert (await claim_execution(call_of(lab, ada, "kernel-1"), id)).timeout == given


async def test_lists_are_filtered_and_hold_no_values(lab):
    ada, bob = await person(lab), await person(lab, "bob")
    first = await admitted(lab, ada, session_id="morning")
    await tell(lab, ada, first, [finished(0)], {"status": "completed"})
    second = await admitted(lab, ada, session_id="evening")

    async def ids(caller=ada, **query):
        return [each.id for each in (await list_executions(call_of(lab, caller), ListQuery(**query))).items]

    assert await ids() == [second, first]
    assert await ids(status="completed") == [first]
    assert await ids(session="evening") == [second]
    assert await ids(workflow=uuid4()) == []
    assert await ids(bob) == []
    row = await get_execution(call_of(lab, ada), second, GetQuery())
    assert await ids(since=row.created_at) == [second]
    assert await ids(since=row.created_at + timedelta(seconds=1)) == []
    page = await list_executions(call_of(lab, ada), ListQuery(limit=1))
    assert [each.id for each in page.items] == [second]
    assert await ids(limit=1, cursor=page.next) == [first]
    assert not {"inputs", "outputs", "flow_data"} & set(page.items[0].model_dump())


async def test_another_persons_execution_is_not_there(lab):
    ada, eve = await person(lab), await person(lab, "eve")
    id = await admitted(lab, ada)
    call = call_of(lab, eve)
    for asked in (
        get_execution(call, id, GetQuery()),
        listen_to_execution(call, id, EventsQuery()),
        cancel_execution(call, id),
        resume_execution(call, id, Resume(answers={})),
        delete_execution(call, id),
        get_execution(call, uuid4(), GetQuery()),
    ):
        with pytest.raises(NotFound, match="there is no such execution"):
            await asked


async def test_events_as_a_list(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, tokens(0, 1, 2))
    call = call_of(lab, ada, accept="application/json")
    page = await listen_to_execution(call, id, EventsQuery(limit=2))
    assert ([each["seq"] for each in page.items], page.next) == ([0, 1], 1)
    page = await listen_to_execution(call, id, EventsQuery(after=page.next))
    assert ([each["seq"] for each in page.items], page.next) == ([2], 2)
    assert (await listen_to_execution(call, id, EventsQuery(after=2))).next == 2


@pytest.mark.parametrize("told", ["x", "-1", "²", "9" * 20, "1.5"])
async def test_an_id_that_is_none_is_refused(lab, told):
    ada = await person(lab)
    id = await admitted(lab, ada)
    with pytest.raises(Invalid):
        await listen_to_execution(call_of(lab, ada, last_event_id=told), id, EventsQuery())


async def test_a_listener_goes_on_behind_its_last_event(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, [*tokens(0, 1, 2), finished(3)], {"status": "completed"})
    stream = await listen_to_execution(call_of(lab, ada, last_event_id="1"), id, EventsQuery())
    assert [message.id async for message in stream.messages] == ["2", "3"]


async def test_cancelling_reaches_the_kernel_by_both_ways(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    assert not (await tell(lab, ada, id, [])).cancel
    await cancel_execution(call_of(lab, ada), id)
    assert ("cancel", id) in lab.runner.heard
    assert (await tell(lab, ada, id, [])).cancel
    await tell(lab, ada, id, [finished(0, "cancelled")], {"status": "cancelled"})
    assert (await cancel_execution(call_of(lab, ada), id)).status == "cancelled"


async def test_what_no_kernel_has_yet_is_cancelled_at_once(lab):
    class Slow(Waiting):
        async def start(self, execution_id, caller):
            """The kernel is on its way."""

    lab.runner = Slow(lab)
    ada = await person(lab)
    answer = await execute_document(call_of(lab, ada), ExecuteQuery(wait=0), BODY)
    assert (await cancel_execution(call_of(lab, ada), answer.value.id)).status == "cancelled"
    stream = await listen_to_execution(call_of(lab, ada), answer.value.id, EventsQuery())
    (last,) = [message async for message in stream.messages]
    assert (last.event, last.data["status"]) == ("run.finished", "cancelled")


async def test_answers_are_checked_against_the_question(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    call = call_of(lab, ada)
    with pytest.raises(Conflict):
        await resume_execution(call, id, Resume(answers={"approve": True}))
    events, question = paused(0)
    await tell(lab, ada, id, events, {"status": "paused", "questions": {"hello": question}})
    for wrong in ({"approve": "yes"}, {}, {"approve": True, "more": 1}):
        with pytest.raises(InputError):
            await resume_execution(call, id, Resume(answers=wrong))
    assert (
        await resume_execution(call, id, Resume(answers={"hello": {"approve": False}}))
    ).status == "running"
    assert ("answer", id) in lab.runner.heard
    with pytest.raises(Conflict):
        await resume_execution(call, id, Resume(answers={"approve": True}))


async def test_only_what_has_ended_is_deleted(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    with pytest.raises(Conflict):
        await delete_execution(call_of(lab, ada), id)
    await tell(lab, ada, id, [*tokens(0), finished(1)], {"status": "completed"})
    await delete_execution(call_of(lab, ada), id)
    with pytest.raises(NotFound):
        await get_execution(call_of(lab, ada), id, GetQuery())


async def test_only_a_kernel_reaches_the_routes_of_kernels(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    for what in ("claim", "events"):
        with pytest.raises(Forbidden):
            await dispatch(call_of(lab, ada), "POST", f"executions/{id}/{what}", body=None)
