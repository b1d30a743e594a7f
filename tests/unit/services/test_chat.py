from __future__ import annotations

import pytest

from bpaz_lab.errors import NotFound, RequestError
from bpaz_lab.services.chat import (
    ChatDelete,
    ChatQuery,
    ChatSaid,
    SessionsQuery,
    create_message,
    delete_messages,
    list_messages,
    list_sessions,
)
from bpaz_lab.services.workflow_views import CheckQuery, WorkflowMade
from bpaz_lab.services.workflows import create_workflow
from bpaz_lab.store.repositories.chat import Chats
from bpaz_lab.store.tables import AuditLog, ChatMessage

pytestmark = [pytest.mark.integration, pytest.mark.api]


@pytest.fixture
async def ann(house):
    return await house.person("ann")


@pytest.fixture
async def wf(house, ann):
    """A public workflow."""
    body = WorkflowMade(flow_data={"bpaz": 1, "name": "Chat"}, is_public=True)
    return (await create_workflow(house.call(ann), CheckQuery(), body)).value.id


async def say(house, caller, wf, content, session="monday", role="user", **more):
    body = ChatSaid(content=content, session=session, role=role, **more)
    return await create_message(house.call(caller), wf, body)


async def told(house, caller, wf, session="monday", **query):
    found = await list_messages(house.call(caller), wf, ChatQuery(session=session, **query))
    return [each.content for each in found.items]


async def test_messages_are_kept_in_order(house, ann, wf):
    sources = [{"page": 3, "text": "é"}]
    await say(house, ann, wf, "Hi")
    answer = await say(house, ann, wf, "Hello!", role="assistant", sources=sources)
    assert (answer.role, answer.session_id, answer.sources) == ("assistant", "monday", sources)
    await say(house, ann, wf, "elsewhere", session="tuesday")
    assert await told(house, ann, wf) == ["Hi", "Hello!"]
    assert await told(house, ann, wf, sort="-created_at", limit=1) == ["Hello!"]
    assert await told(house, ann, wf, session="") == []
    with pytest.raises(RequestError):
        await told(house, ann, wf, sort="content")


async def test_pages_lose_nothing_while_somebody_talks(house, ann, wf):
    for number in range(5):
        await say(house, ann, wf, str(number))
    seen, cursor = [], ""
    for _ in range(20):
        page = await list_messages(house.call(ann), wf, ChatQuery(session="monday", limit=2, cursor=cursor))
        seen += [each.content for each in page.items]
        cursor = page.next
        if not cursor:
            break
        if len(seen) < 6:
            await say(house, ann, wf, f"later {len(seen)}")
    assert seen[:5] == list("01234")
    assert len(seen) == len({*seen})
    assert seen == await told(house, ann, wf)


async def test_conversations_the_latest_first(house, ann, wf):
    for session, count in (("monday", 2), ("tuesday", 1), ("wednesday", 3)):
        for number in range(count):
            await say(house, ann, wf, str(number), session=session)
    first = await list_sessions(house.call(ann), wf, SessionsQuery(limit=2))
    rest = await list_sessions(house.call(ann), wf, SessionsQuery(limit=2, cursor=first.next))
    found = [(each.session_id, each.messages) for each in first.items + rest.items]
    assert found == [("wednesday", 3), ("tuesday", 1), ("monday", 2)]
    assert all(each.first_at <= each.last_at for each in first.items)
    by_name = await list_sessions(house.call(ann), wf, SessionsQuery(sort="session_id"))
    assert [each.session_id for each in by_name.items] == ["monday", "tuesday", "wednesday"]


async def test_everybody_sees_what_they_said_themselves(house, ann, wf):
    bob = await house.person("bob")
    await say(house, ann, wf, "a secret of Ann")
    await say(house, bob, wf, "Bob was here")
    assert await told(house, bob, wf) == ["Bob was here"]
    assert await told(house, ann, wf) == ["a secret of Ann"]
    assert [s.messages for s in (await list_sessions(house.call(bob), wf, SessionsQuery())).items] == [1]
    assert (await delete_messages(house.call(bob), wf, ChatDelete())).messages == 1
    assert await told(house, ann, wf) == ["a secret of Ann"]


async def test_deleting_a_conversation_or_all(house, ann, wf):
    for session in ("monday", "tuesday", "wednesday"):
        await say(house, ann, wf, "Hi", session=session)
    assert (await delete_messages(house.call(ann), wf, ChatDelete(session="monday"))).messages == 1
    assert (await delete_messages(house.call(ann), wf, ChatDelete(session="monday"))).messages == 0
    assert (await delete_messages(house.call(ann), wf, ChatDelete())).messages == 2
    assert await house.rows(ChatMessage) == []
    details = [each.details for each in await house.rows(AuditLog, action="chat.delete")]
    assert {"messages": 2, "session": None} in details


async def test_a_workflow_that_one_may_not_read_has_no_chat(house, ann):
    bob = await house.person("bob")
    body = WorkflowMade(flow_data={"bpaz": 1, "name": "Private"})
    id = (await create_workflow(house.call(ann), CheckQuery(), body)).value.id
    for ask in (
        say(house, bob, id, "Hi"),
        told(house, bob, id),
        delete_messages(house.call(bob), id, ChatDelete()),
        list_sessions(house.call(bob), id, SessionsQuery()),
    ):
        with pytest.raises(NotFound):
            await ask
    assert await house.rows(ChatMessage) == []


async def test_text_is_text_and_never_sql(house, ann, wf):
    for text in ("'; DROP TABLE chat_message; --", "x' OR '1'='1", "%"):
        await say(house, ann, wf, text, session=text)
        assert await told(house, ann, wf, session=text) == [text]
    assert (await delete_messages(house.call(ann), wf, ChatDelete(session="%"))).messages == 1
    assert len(await house.rows(ChatMessage)) == 2


async def test_the_latest_messages_for_the_memory_of_a_run(house, ann, wf):
    for number in range(6):
        await say(house, ann, wf, str(number))
    async with house.lab.database.session(read_only=True) as session:
        found = await Chats(session, ann).latest(wf, "monday", 3)
    assert [each.content for each in found] == ["3", "4", "5"]
