from __future__ import annotations

import sys
from uuid import uuid4

import pytest

from bpaz_lab.errors import DocumentError, LiteralSecret, NotFound, Unauthenticated
from bpaz_lab.graph.document import shaped
from bpaz_lab.graph.spec import Ports
from bpaz_lab.nodes.catalogue import catalogue
from bpaz_lab.services.call import Call
from bpaz_lab.services.dispatch import dispatch
from bpaz_lab.services.lab import Lab
from bpaz_lab.settings import Settings
from bpaz_lab.store.caller import Caller

pytestmark = pytest.mark.unit


@pytest.fixture
def call(tmp_path):
    settings = Settings(data_folder=str(tmp_path), max_nodes=3)
    return Call(Lab.of(settings), Caller(uuid4(), "ada", frozenset({"create_workflow"})))


async def get(call, path, **query):
    return (await dispatch(call, "GET", path, {name: [value] for name, value in query.items()})).value


async def ports(call, type, **body):
    return (await dispatch(call, "POST", f"nodes/{type}/ports", None, body)).value


async def test_the_catalogue_is_what_the_canvas_gets(call):
    assert await get(call, "nodes") == catalogue().describe()


async def test_types_by_category_and_words(call):
    found = await get(call, "nodes", category="prompts", search="TEMPLATE text")
    assert [node.type for node in found.nodes] == ["PromptTemplate"]
    assert found.categories == catalogue().categories()
    assert (await get(call, "nodes", search="no such words")).nodes == ()


async def test_categories_in_order(call):
    assert tuple((await get(call, "nodes/categories")).items) == catalogue().categories()


async def test_one_type_and_none(call):
    assert (await get(call, "nodes/PromptTemplate")) == catalogue().spec("PromptTemplate")
    with pytest.raises(NotFound, match="PromptTemplat'") as caught:
        await get(call, "nodes/PromptTemplat")
    assert "PromptTemplate" in caught.value.hint


async def test_ports_follow_the_settings(call):
    found = await ports(call, "PromptTemplate", settings={"template": "{who} and {whom}"})
    assert isinstance(found, Ports)
    assert [port.name for port in found.inputs] == ["who", "whom"]


async def test_ports_of_a_container_follow_its_body(call):
    body = {
        "nodes": {
            "start": {"type": "Start", "settings": {"fields": [{"name": "item"}, {"name": "more"}]}},
            "end": {"type": "End"},
        }
    }
    document = shaped({"bpaz": 1, "name": "", "nodes": {"each": {"type": "ForEach", "body": body}}})
    found = await ports(call, "ForEach", body=body)
    assert found == catalogue().ports(document["nodes"]["each"])
    assert "more" in [port.name for port in found.inputs]


async def test_wrong_settings_are_told(call):
    with pytest.raises(DocumentError) as caught:
        await ports(call, "PromptTemplate", settings={"template": 5, "nope": 1})
    assert len(caught.value.problems) == 2


async def test_what_is_wrong_inside_is_told(call):
    with pytest.raises(DocumentError) as caught:
        await ports(call, "ForEach", body={"nodes": {"start": {"type": "Start", "settings": {"fields": 5}}}})
    assert caught.value.path == "body.nodes.start.settings.fields"


async def test_a_literal_secret_is_refused_and_not_repeated(call):
    with pytest.raises(LiteralSecret) as caught:
        await ports(call, "OpenAICompatibleChat", settings={"api_key": "sk-canary-000"})
    assert "canary" not in str(caught.value)


async def test_a_body_has_a_size(call):
    body = {"nodes": {f"n{i}": {"type": "Start"} for i in range(4)}}
    with pytest.raises(DocumentError, match="4 nodes"):
        await ports(call, "ForEach", body=body)
    inner = {
        "nodes": {"a": {"type": "ForEach", "body": {"nodes": {f"n{i}": {"type": "End"} for i in range(3)}}}}
    }
    with pytest.raises(DocumentError, match="4 nodes"):
        await ports(call, "ForEach", body=inner)


@pytest.mark.parametrize(
    "body", [{"nodes": []}, {"nodes": {"a": 1}}, {"edges": {}}, {"nodes": {"a": {"body": 5}}}]
)
async def test_a_body_of_another_shape_is_told(call, body):
    with pytest.raises(DocumentError):
        await ports(call, "ForEach", body=body)


async def test_looking_loads_no_provider(call):
    await get(call, "nodes")
    assert not {"torch", "transformers"} & set(sys.modules)


async def test_nobody_gets_nothing(call):
    with pytest.raises(Unauthenticated):
        await dispatch(Call(call.lab), "GET", "nodes")
