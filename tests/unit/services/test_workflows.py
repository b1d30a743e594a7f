from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from bpaz_lab.errors import (
    Conflict,
    DocumentError,
    Forbidden,
    InputError,
    NotFound,
    RequestError,
    TooLarge,
    Unauthenticated,
)
from bpaz_lab.services.workflow_views import CheckQuery, WorkflowChange, WorkflowMade, WorkflowQuery
from bpaz_lab.services.workflows import (
    create_workflow,
    delete_workflow,
    get_workflow,
    list_workflows,
    update_workflow,
)
from bpaz_lab.store.tables import AuditLog, ChatMessage, Workflow, WorkflowVersion

pytestmark = [pytest.mark.integration, pytest.mark.api]

PLAIN = CheckQuery()
INJECTIONS = (
    "'; DROP TABLE workflows; --",
    '" OR 1=1 --',
    "x' UNION SELECT password_hash FROM users --",
    "%",
    "_",
    "\\",
    "$1 :name %(name)s {name}",
    "Robert'); DELETE FROM workflows WHERE ('1'='1",
)


def flow(name="Notes", **nodes):
    entries = {id: {"type": kind} for id, kind in (nodes or {"hello": "PromptTemplate"}).items()}
    return {"bpaz": 1, "name": name, "nodes": entries}


async def made(house, caller, called="Notes", **more):
    answer = await create_workflow(house.call(caller), PLAIN, WorkflowMade(flow_data=flow(called), **more))
    return answer.value


async def saved(house, caller, id, version=None, headers=None, **more):
    call = house.call(caller, headers=headers or {})
    return (await update_workflow(call, id, PLAIN, WorkflowChange(version=version, **more))).value


async def got(house, caller, id):
    return (await get_workflow(house.call(caller), id, PLAIN)).value


async def names(house, caller, **query):
    found = await list_workflows(house.call(caller), WorkflowQuery(**query))
    return [each.name for each in found.items]


# ---- one's own ------------------------------------------------------------------------------------


async def test_a_workflow_is_kept_and_found(house):
    ann = await house.person("ann", full_name="Ann")
    body = WorkflowMade(flow_data=flow("Notes"), description="Mine", message="begun")
    answer = await create_workflow(house.call(ann), PLAIN, body)
    assert answer.status == 201
    assert answer.headers == {"ETag": '"1"', "Location": str(answer.value.id)}
    found = await got(house, ann, answer.value.id)
    assert (found.name, found.description, found.version, found.is_public) == ("Notes", "Mine", 1, False)
    assert found.flow_data["nodes"]["hello"] == {"type": "PromptTemplate", "version": 1, "settings": {}}
    assert found.mine
    assert found.may == ["read", "execute", "update", "delete", "share", "publish"]
    assert found.problems is None
    assert [each.action for each in await house.rows(AuditLog)] == ["workflow.create"]


async def test_the_name_stands_in_the_document_too(house):
    ann = await house.person("ann")
    found = await made(house, ann, "In the document", name="Given")
    assert (found.name, found.flow_data["name"]) == ("Given", "Given")
    found = await saved(house, ann, found.id, 1, name="Again")
    assert (found.name, found.flow_data["name"]) == ("Again", "Again")
    found = await saved(house, ann, found.id, 2, flow_data=flow("From the document"))
    assert (found.name, found.flow_data["name"]) == ("From the document", "From the document")
    with pytest.raises(InputError, match="needs a name"):
        await made(house, ann, " ")


async def test_what_a_save_leaves_out_stays(house):
    ann = await house.person("ann")
    first = await made(house, ann, description="Mine", is_public=True)
    found = await saved(house, ann, first.id, 1, flow_data=flow("Other"))
    assert (found.version, found.description, found.is_public) == (2, "Mine", True)
    found = await saved(house, ann, first.id, 2, description="", is_public=False)
    assert (found.version, found.description, found.is_public, found.name) == (3, None, False, "Other")
    assert found.created_at == first.created_at
    assert found.updated_at >= first.updated_at


async def test_deleting_takes_everything_along(house):
    ann = await house.person("ann")
    first, other = await made(house, ann), await made(house, ann)
    for each in (first, other):
        await house.add(ChatMessage(role="user", chatflow_id=each.id, content="Hi", user_id=ann.user_id))
    await delete_workflow(house.call(ann), first.id)
    with pytest.raises(NotFound):
        await got(house, ann, first.id)
    assert {row.workflow_id for row in await house.rows(WorkflowVersion)} == {other.id}
    assert {row.chatflow_id for row in await house.rows(ChatMessage)} == {other.id}
    assert (await house.rows(AuditLog, action="workflow.delete"))[0].details == {
        "name": "Notes",
        "version": 1,
    }


async def test_problems_are_told_where_they_are_asked_for(house):
    ann = await house.person("ann")
    document = {**flow("Odd", hello="Nope"), "edges": [["nowhere.x", "hello.y"]]}
    answer = await create_workflow(house.call(ann), CheckQuery(check=True), WorkflowMade(flow_data=document))
    assert {each.code for each in answer.value.problems} == {"unknown_node_type", "edge"}
    assert (await got(house, ann, answer.value.id)).flow_data["edges"] == [["nowhere.x", "hello.y"]]


# ---- two writers ----------------------------------------------------------------------------------


async def test_a_save_says_which_version_it_changes(house):
    ann = await house.person("ann")
    first = await made(house, ann)
    with pytest.raises(InputError, match="which version") as caught:
        await saved(house, ann, first.id)
    assert "If-Match" in caught.value.hint
    assert (await saved(house, ann, first.id, headers={"if-match": '"1"'})).version == 2
    assert (await saved(house, ann, first.id, headers={"if-match": 'W/"2"'})).version == 3
    assert (await saved(house, ann, first.id, 3, headers={"if-match": "3"})).version == 4
    for header, version in (("*", None), ('"x"', None), ('"4"', 3), ('"4", "5"', None)):
        with pytest.raises(InputError, match="If-Match"):
            await saved(house, ann, first.id, version, headers={"if-match": header})


async def test_who_comes_late_gets_what_is_there_now(house):
    ann = await house.person("ann", full_name="Ann")
    first = await made(house, ann)
    await saved(house, ann, first.id, 1, flow_data=flow("Quick"), message="was quick")
    with pytest.raises(Conflict, match="it is at version 2, by Ann") as caught:
        await saved(house, ann, first.id, 1, flow_data=flow("Slow"))
    current = caught.value.current
    assert (current["version"], current["by"], current["message"], current["name"]) == (
        2,
        "Ann",
        "was quick",
        "Quick",
    )
    assert current["flow_data"]["name"] == "Quick"
    assert current["updated_at"]
    assert (await got(house, ann, first.id)).name == "Quick"
    with pytest.raises(Conflict):  # of the future
        await saved(house, ann, first.id, 7, flow_data=flow("Slow"))


async def test_of_many_saves_of_one_version_one_wins_and_nothing_is_lost(house, full):
    ann = await house.person("ann")
    first = await made(house, ann)
    rounds, writers = (50, 20) if full else (4, 10)
    for version in range(1, rounds + 1):
        saves = (
            saved(house, ann, first.id, version, flow_data=flow(f"by {n}"), message=str(n))
            for n in range(writers)
        )
        answers = await asyncio.gather(*saves, return_exceptions=True)
        (winner,) = [each for each in answers if not isinstance(each, BaseException)]
        assert winner.version == version + 1
        assert all(isinstance(each, Conflict) for each in answers if each is not winner)
        assert (await got(house, ann, first.id)).name == winner.name
    rows = sorted(await house.rows(WorkflowVersion), key=lambda row: row.version)
    assert [row.version for row in rows] == list(range(1, rounds + 2))
    assert all(row.name == f"by {row.message}" for row in rows[1:])
    assert len(await house.rows(AuditLog, action="workflow.update")) == rounds


# ---- what may not be kept -------------------------------------------------------------------------


async def test_a_secret_is_refused(house):
    ann = await house.person("ann")
    document = flow()
    document["nodes"]["hello"]["settings"] = {"api_key": "sk-" + "a1B2" * 12}
    with pytest.raises(DocumentError) as caught:
        await create_workflow(house.call(ann), PLAIN, WorkflowMade(flow_data=document))
    assert [each.code for each in caught.value.problems] == ["literal_secret"]
    first = await made(house, ann)
    with pytest.raises(DocumentError):
        await saved(house, ann, first.id, 1, flow_data=document)
    assert len(await house.rows(Workflow)) == 1


async def test_what_is_too_large_is_refused(house):
    ann = await house.person("ann")
    house.lab.settings = house.lab.settings.model_copy(update={"max_nodes": 3, "max_edges": 1})
    inside = {
        "type": "ForEach",
        "body": {"nodes": {"a": {"type": "T"}, "b": {"type": "T"}, "c": {"type": "T"}}},
    }
    for part, path in (
        ({"nodes": {"each": inside}}, "flow_data.nodes"),
        ({"nodes": {}, "edges": [["a.x", "b.y"], ["a.x", "c.y"]]}, "flow_data.edges"),
    ):
        with pytest.raises(TooLarge) as caught:
            await create_workflow(house.call(ann), PLAIN, WorkflowMade(flow_data={**flow(), **part}))
        assert caught.value.path == path


# ---- others ---------------------------------------------------------------------------------------


async def test_who_may_do_what(house):
    """The owner, a member who may edit, a member, a stranger, a viewer, nobody; private, shared, public."""
    ann, bob, cleo, dan = [await house.person(name) for name in ("ann", "bob", "cleo", "dan")]
    vera = await house.person("vera", role="viewer")
    team = await house.organization("team", (ann, "user"), (bob, "admin"), (cleo, "user"))
    ann, bob, cleo = [await house.again(each) for each in (ann, bob, cleo)]
    private = await made(house, ann, "private")
    shared = await made(house, ann, "shared", organization_id=team)
    public = await made(house, ann, "public", is_public=True)
    reads = {"ann": ann, "bob": bob, "cleo": cleo, "dan": dan, "vera": vera}
    expected = {
        "private": {"ann": "rw"},
        "shared": {"ann": "rw", "bob": "rw", "cleo": "r"},
        "public": {"ann": "rw", "bob": "r", "cleo": "r", "dan": "r", "vera": "r"},
    }
    for each in (private, shared, public):
        for who, caller in reads.items():
            may = expected[each.name].get(who, "")
            if not may:
                with pytest.raises(NotFound):
                    await got(house, caller, each.id)
            else:
                assert ("update" in (await got(house, caller, each.id)).may) == (may == "rw")
            version = (await got(house, ann, each.id)).version
            if may == "rw":
                assert (await saved(house, caller, each.id, version)).version == version + 1
            else:
                with pytest.raises(Forbidden if may else NotFound):
                    await saved(house, caller, each.id, version)
                with pytest.raises(Forbidden if may else NotFound):
                    await delete_workflow(house.call(caller), each.id)
    for who, caller in reads.items():
        wanted = sorted(name for name, people in expected.items() if who in people)
        assert sorted(await names(house, caller)) == wanted
    with pytest.raises(NotFound):
        await got(house, None, public.id)
    with pytest.raises(Unauthenticated):
        await names(house, None)


async def test_what_is_not_there_and_what_one_may_not_see_sound_the_same(house):
    ann, dan = await house.person("ann"), await house.person("dan")
    private = await made(house, ann)
    told = []
    for id in (private.id, uuid4()):
        with pytest.raises(NotFound) as caught:
            await got(house, dan, id)
        told.append(caught.value.to_dict())
    assert told[0] == told[1]


async def test_a_viewer_keeps_nothing(house):
    vera = await house.person("vera", role="viewer")
    with pytest.raises(Forbidden):
        await made(house, vera)
    assert await house.rows(Workflow) == []


async def test_only_a_member_shares_with_an_organisation(house):
    ann, bob = await house.person("ann"), await house.person("bob")
    team = await house.organization("team", (bob, "admin"))
    mine = await made(house, ann)
    with pytest.raises(NotFound, match="organization"):
        await made(house, ann, organization_id=team)
    with pytest.raises(NotFound, match="organization"):
        await saved(house, ann, mine.id, 1, organization_id=team)
    assert (await got(house, ann, mine.id)).version == 1


async def test_who_may_edit_may_not_share_further(house):
    ann, bob, eve = [await house.person(name) for name in ("ann", "bob", "eve")]
    from bpaz_lab.store.tables import Role

    await house.add(Role(name="editor", permissions="view_workflows,create_workflow,edit_shared_workflows"))
    team = await house.organization("team", (ann, "user"), (bob, "editor"))
    other = await house.organization("other", (bob, "user"), (eve, "user"))
    ann, bob = await house.again(ann), await house.again(bob)
    shared = await made(house, ann, organization_id=team)
    assert (await saved(house, bob, shared.id, 1, flow_data=flow("Edited"))).name == "Edited"
    for change in ({"is_public": True}, {"organization_id": None}, {"organization_id": other}):
        with pytest.raises((Forbidden, NotFound)):
            await saved(house, bob, shared.id, 2, **change)
    assert (await got(house, ann, shared.id)).version == 2


# ---- lists ----------------------------------------------------------------------------------------


async def test_lists_narrow_down_and_sort(house):
    ann, bob = await house.person("ann", full_name="Ann"), await house.person("bob")
    team = await house.organization("team", (ann, "user"), (bob, "user"))
    ann, bob = await house.again(ann), await house.again(bob)
    for name in ("Beta", "alpha 50%", "Gamma"):
        await made(house, ann, name)
    await made(house, ann, "Ours", organization_id=team)
    await made(house, bob, "Theirs", organization_id=team, is_public=True)
    assert await names(house, ann) == ["Theirs", "Ours", "Gamma", "alpha 50%", "Beta"]
    assert await names(house, ann, sort="created_at", scope="mine") == ["Beta", "alpha 50%", "Gamma", "Ours"]
    assert await names(house, ann, scope="shared", sort="name") == ["Ours", "Theirs"]
    assert await names(house, bob, scope="public") == ["Theirs"]
    assert await names(house, ann, contains="AM") == ["Gamma"]
    assert await names(house, ann, contains="%") == ["alpha 50%"]
    assert await names(house, ann, name="Beta") == ["Beta"]
    assert await names(house, ann, organization=team, scope="mine") == ["Ours"]
    found = (await list_workflows(house.call(bob), WorkflowQuery(scope="shared", sort="name"))).items
    assert [(each.owner, each.mine) for each in found] == [("Ann", False), (bob.name, True)]
    assert not hasattr(found[0], "flow_data")
    for sort in ("flow_data", "user_id", "name; --"):
        with pytest.raises(RequestError, match="cannot be sorted"):
            await names(house, ann, sort=sort)


async def test_text_is_text_and_never_sql(house):
    ann, dan = await house.person("ann"), await house.person("dan")
    hidden = await made(house, dan, "hidden")
    for text in INJECTIONS:
        first = await made(house, ann, text, description=text, message=text)
        assert (first.name, first.description) == (text, text)
        changed = await saved(house, ann, first.id, 1, name=text + "2", description=text, message=text)
        assert changed.name == text + "2"
        assert await names(house, ann, name=text + "2") == [text + "2"]
        assert await names(house, ann, contains=text) == [text + "2"]
        assert await names(house, ann) == [text + "2"]
        for query in ({"sort": text}, {"cursor": text}):
            with pytest.raises(RequestError):
                await names(house, ann, **query)
        await delete_workflow(house.call(ann), first.id)
    assert (await got(house, dan, hidden.id)).name == "hidden"


@pytest.mark.parametrize("sort", ["-updated_at", "name"])
async def test_pages_lose_and_repeat_nothing_while_others_save(house, sort):
    ann, bob = await house.person("ann"), await house.person("bob")
    team = await house.organization("team", (ann, "user"), (bob, "user"))
    ann, bob = await house.again(ann), await house.again(bob)
    for number in range(11):
        whose = bob if number % 3 else ann
        await made(house, whose, f"flow {number % 4}", organization_id=team, is_public=number % 2 == 0)
    before = {each.id for each in (await list_workflows(house.call(ann), WorkflowQuery())).items}
    assert len(before) >= 4
    seen, cursor = [], ""
    while True:
        query = WorkflowQuery(sort=sort, limit=2, cursor=cursor)
        found = await list_workflows(house.call(ann), query)
        seen += [each.id for each in found.items]
        await made(house, ann, "flow 2", organization_id=team)
        cursor = found.next
        if not cursor or len(seen) > 60:
            break
    assert len(seen) == len({*seen})
    assert before <= {*seen}
