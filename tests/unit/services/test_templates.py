from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from bpaz_lab.errors import DocumentError, Forbidden, NotFound, RequestError, Unauthenticated
from bpaz_lab.services.templates import (
    Begin,
    Publish,
    TemplateMade,
    TemplateQuery,
    create_template,
    delete_template,
    get_template,
    instantiate_template,
    list_templates,
    publish_template,
)
from bpaz_lab.services.workflow_views import CheckQuery
from bpaz_lab.services.workflows import get_workflow
from bpaz_lab.store.tables import AuditLog, Workflow, WorkflowTemplate
from bpaz_lab.templates.builtin import builtins

pytestmark = [pytest.mark.integration, pytest.mark.api]
FLOW = {"bpaz": 1, "name": "Mine", "nodes": {"hello": {"type": "PromptTemplate"}}}
COME_ALONG = [each.id for each in builtins()]


@pytest.fixture
async def ann(house):
    return await house.person("ann")


async def listed(house, caller, **query):
    found = await list_templates(house.call(caller), TemplateQuery(**query))
    return [each.name if each.origin != "builtin" else each.id for each in found.items]


async def made(house, caller, name="Mine", **more):
    return await create_template(house.call(caller), TemplateMade(flow_data=FLOW, name=name, **more))


async def test_some_come_along(house, ann):
    assert await listed(house, ann) == COME_ALONG
    found = await get_template(house.call(ann), "ask_files")
    assert (found.origin, found.may, found.is_published) == ("builtin", [], True)
    assert found.flow_data["nodes"]
    assert found.inputs
    assert await house.rows(WorkflowTemplate) == []


@pytest.mark.parametrize("id", COME_ALONG)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_workflow_begins_with_each(house, ann, id):
    answer = await instantiate_template(house.call(ann), id, Begin())
    assert answer.status == 201
    assert answer.headers["Location"] == f"../../workflows/{answer.value.id}"
    kept = (await get_workflow(house.call(ann), answer.value.id, CheckQuery(check=True))).value
    assert kept.problems == []
    assert kept.mine
    assert not kept.is_public


async def test_a_template_of_ones_own(house, ann):
    kept = await made(house, ann, description="For me", category="Greetings")
    assert (kept.origin, kept.is_published, kept.may) == ("mine", False, ["delete"])
    assert await listed(house, ann) == [*COME_ALONG, "Mine"]
    assert await listed(house, ann, category="Greetings") == ["Mine"]
    assert await listed(house, ann, contains="MIN") == ["Mine"]
    assert (await get_template(house.call(ann), kept.id)).flow_data["name"] == "Mine"
    answer = await instantiate_template(house.call(ann), kept.id, Begin(name="Begun"))
    assert (answer.value.name, answer.value.flow_data["name"], answer.value.description) == (
        "Begun",
        "Begun",
        "For me",
    )
    await delete_template(house.call(ann), UUID(kept.id))
    assert await listed(house, ann) == COME_ALONG
    assert len(await house.rows(Workflow)) == 1
    told = [each.action for each in await house.rows(AuditLog)]
    assert sorted(told) == ["template.create", "template.delete", "workflow.create"]


async def test_others_see_it_when_an_administrator_has_published_it(house, ann):
    root, bob = await house.person("root", role="admin"), await house.person("bob")
    kept = await made(house, ann)
    for ask in (get_template, lambda call, which: instantiate_template(call, which, Begin())):
        with pytest.raises(NotFound):
            await ask(house.call(bob), kept.id)
    assert await listed(house, bob) == COME_ALONG
    with pytest.raises(Forbidden):
        await publish_template(house.call(ann), UUID(kept.id), Publish())
    with pytest.raises(NotFound):  # who manages accounts does not read what others keep
        await publish_template(house.call(root), UUID(kept.id), Publish())
    ours = await made(house, root, "Ours")
    assert (await publish_template(house.call(root), UUID(ours.id), Publish())).is_published
    assert await listed(house, bob) == [*COME_ALONG, "Ours"]
    found = await get_template(house.call(bob), ours.id)
    assert (found.origin, found.may) == ("published", [])
    assert (await instantiate_template(house.call(bob), ours.id, Begin())).value.mine
    with pytest.raises(Forbidden):
        await delete_template(house.call(bob), UUID(ours.id))
    await publish_template(house.call(root), UUID(ours.id), Publish(published=False))
    assert await listed(house, bob) == COME_ALONG


@pytest.mark.parametrize("limit", [1, 3, 5, 6, 200])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_pages_hold_each_once_and_no_more_than_asked(house, ann, limit):
    for name in "abcd":
        await made(house, ann, name)
    seen, cursor = [], ""
    while True:
        page = await list_templates(house.call(ann), TemplateQuery(limit=limit, cursor=cursor))
        assert len(page.items) <= limit
        seen += [each.name for each in page.items]
        cursor = page.next
        if not cursor:
            break
    assert seen == [*(each.name for each in builtins()), *"abcd"]


async def test_what_is_no_template(house, ann):
    for id in ("nothing", str(uuid4()), "../ask_files", "ask_files.bpaz", ""):
        with pytest.raises(NotFound):
            await get_template(house.call(ann), id)
    with pytest.raises(RequestError):
        await listed(house, ann, cursor="builtin-x")
    with pytest.raises(RequestError):
        await listed(house, ann, sort="flow_data")
    with pytest.raises(DocumentError):
        await create_template(house.call(ann), TemplateMade(flow_data={"bpaz": 1}))
    with pytest.raises(Unauthenticated):
        await listed(house, None)
    vera = await house.person("vera", role="viewer")
    assert await listed(house, vera) == COME_ALONG
    with pytest.raises(Forbidden):
        await instantiate_template(house.call(vera), "ask_files", Begin())
