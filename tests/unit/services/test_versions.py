from __future__ import annotations

import pytest

from bpaz_lab.errors import Conflict, Forbidden, NotFound, RequestError
from bpaz_lab.services.versions import diff_versions, get_version, list_versions, restore_version
from bpaz_lab.services.workflow_views import (
    CheckQuery,
    DiffQuery,
    Restore,
    VersionQuery,
    WorkflowChange,
    WorkflowMade,
)
from bpaz_lab.services.workflows import create_workflow, delete_workflow, update_workflow
from bpaz_lab.store.tables import AuditLog

pytestmark = [pytest.mark.integration, pytest.mark.api]
PLAIN = CheckQuery()


def flow(template, name="Greeting"):
    hello = {"type": "PromptTemplate", "settings": {"template": template}}
    return {"bpaz": 1, "name": name, "nodes": {"hello": hello}}


@pytest.fixture
async def ann(house):
    return await house.person("ann", full_name="Ann")


@pytest.fixture
async def greeting(house, ann):
    """A public workflow with three versions."""
    body = WorkflowMade(flow_data=flow("Hi"), description="One", is_public=True, message="begun")
    id = (await create_workflow(house.call(ann), PLAIN, body)).value.id
    for version, (template, message) in enumerate([("Hello", "longer"), ("Good day", "")], start=1):
        change = WorkflowChange(
            flow_data=flow(template, f"Greeting {version}"), message=message, version=version
        )
        await update_workflow(house.call(ann), id, PLAIN, change)
    return id


async def versions(house, caller, id, **query):
    return await list_versions(house.call(caller), id, VersionQuery(**query))


async def test_who_when_and_why(house, ann, greeting):
    found = (await versions(house, ann, greeting)).items
    assert [(each.version, each.message, each.name) for each in found] == [
        (3, "", "Greeting 2"),
        (2, "longer", "Greeting 1"),
        (1, "begun", "Greeting"),
    ]
    assert all(each.created_at for each in found)
    bob = await house.person("bob")
    assert {each.saved_by for each in (await versions(house, bob, greeting)).items} == {"Ann"}


async def test_pages_of_versions(house, ann, greeting):
    first = await versions(house, ann, greeting, limit=2)
    rest = await versions(house, ann, greeting, limit=2, cursor=first.next)
    assert [each.version for each in first.items + rest.items] == [3, 2, 1]
    assert rest.next == ""
    assert [each.version for each in (await versions(house, ann, greeting, sort="version")).items] == [
        1,
        2,
        3,
    ]
    with pytest.raises(RequestError):
        await versions(house, ann, greeting, sort="message")


async def test_one_version(house, ann, greeting):
    found = await get_version(house.call(ann), greeting, 2)
    assert found.flow_data["nodes"]["hello"]["settings"]["template"] == "Hello"
    assert (found.version, found.message) == (2, "longer")
    with pytest.raises(NotFound):
        await get_version(house.call(ann), greeting, 9)


async def test_what_differs(house, ann, greeting):
    found = await diff_versions(house.call(ann), greeting, DiffQuery())
    assert (found.from_version, found.to_version) == (2, 3)
    assert [(each["kind"], each["path"]) for each in found.changes] == [
        ("name", "name"),
        ("setting", "nodes.hello.settings.template"),
    ]
    assert (found.changes[1]["old"], found.changes[1]["new"]) == ("Hello", "Good day")
    assert '~ hello: template "Hello" -> "Good day"' in found.text
    back = await diff_versions(house.call(ann), greeting, DiffQuery.model_validate({"from": 3, "to": 1}))
    assert back.changes[1]["new"] == "Hi"
    same = await diff_versions(house.call(ann), greeting, DiffQuery.model_validate({"from": 1, "to": 1}))
    assert same.changes == []


async def test_bringing_one_back_is_a_version_of_its_own(house, ann, greeting):
    answer = await restore_version(house.call(ann), greeting, 1, Restore())
    assert (answer.status, answer.headers["ETag"]) == (201, '"4"')
    found = answer.value
    assert (found.version, found.name, found.description, found.is_public) == (4, "Greeting", "One", True)
    assert found.flow_data["nodes"]["hello"]["settings"]["template"] == "Hi"
    newest = (await versions(house, ann, greeting)).items[0]
    assert (newest.version, newest.message) == (4, "as in version 1")
    assert (await house.rows(AuditLog, action="workflow.update"))[-1].details == {"version": 4, "restored": 1}


async def test_bringing_one_back_overwrites_nothing_unseen(house, ann, greeting):
    with pytest.raises(Conflict) as caught:
        await restore_version(house.call(ann), greeting, 1, Restore(version=2))
    assert caught.value.current["version"] == 3
    with pytest.raises(Conflict):
        await restore_version(house.call(ann, headers={"if-match": '"1"'}), greeting, 1, Restore())
    answer = await restore_version(house.call(ann), greeting, 1, Restore(version=3, message="better"))
    assert answer.value.version == 4


async def test_who_may_not_change_may_look(house, ann, greeting):
    bob = await house.person("bob")
    assert (await get_version(house.call(bob), greeting, 1)).version == 1
    with pytest.raises(Forbidden):
        await restore_version(house.call(bob), greeting, 1, Restore())
    change = WorkflowChange(is_public=False, version=3)
    await update_workflow(house.call(ann), greeting, PLAIN, change)
    for ask in (
        versions(house, bob, greeting),
        get_version(house.call(bob), greeting, 1),
        diff_versions(house.call(bob), greeting, DiffQuery()),
        restore_version(house.call(bob), greeting, 1, Restore()),
    ):
        with pytest.raises(NotFound):
            await ask


async def test_versions_go_with_their_workflow(house, ann, greeting):
    await delete_workflow(house.call(ann), greeting)
    with pytest.raises(NotFound):
        await versions(house, ann, greeting)
