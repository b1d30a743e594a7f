"""The ports of runnables, from their schemas."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AnyMessage  # noqa: TC002 (the hint is resolved)
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_core.tools import StructuredTool
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from bpaz_lab.nodes.schema import graph_ports, plain_ports, tag_of, tool_inputs


def told(ports: Any) -> list[tuple[str, str]]:
    return [(port.name, port.tag) for port in ports]


@pytest.mark.parametrize(
    ("schema", "tag"),
    [
        ({}, "any"),
        ({"type": "string"}, "text"),
        ({"type": "integer"}, "data"),
        ({"type": "object"}, "data"),
        ({"type": "array"}, "data"),
        ({"type": "array", "items": {"type": "string"}}, "list[text]"),
        ({"type": "array", "items": {"$ref": "#/$defs/Document"}}, "documents"),
        ({"type": "array", "items": {"oneOf": [{"$ref": "#/$defs/AIMessage"}]}}, "messages"),
        ({"$ref": "#/$defs/HumanMessageChunk"}, "message"),
        ({"$ref": "#/$defs/Point"}, "data"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "any"),
        ({"anyOf": [{"$ref": "#/$defs/StringPromptValue"}]}, "prompt"),
    ],
)
def test_tags_of_schemas(schema: dict[str, Any], tag: str) -> None:
    assert tag_of(schema) == tag


def test_what_a_model_takes_are_messages() -> None:
    messages = {"type": "array", "items": {"$ref": "#/$defs/HumanMessage"}}
    assert (
        tag_of({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/StringPromptValue"}, messages]}) == "messages"
    )


def test_functions_say_what_they_take_and_give() -> None:
    def find(question: str) -> list[Document]:
        return [Document(question)]

    ports, single, kind = plain_ports(RunnableLambda(find))
    assert (told(ports.inputs), single, kind) == ([("input", "text")], True, "documents")
    ports, single, kind = plain_ports(RunnableLambda(lambda text: text))
    assert (told(ports.inputs), told(ports.outputs), kind) == (
        [("input", "any")],
        [("result", "any")],
        "result",
    )


def test_a_schema_that_cannot_be_made_falls_back_to_the_parts() -> None:
    def find(question: str) -> list[Document]:  # its hint is a text here, which LangChain does not resolve
        return [Document(question)]

    ports, _, kind = plain_ports(RunnableParallel(found=RunnableLambda(find), other=RunnablePassthrough()))
    assert kind == "object"
    assert told(ports.outputs) == [("result", "data"), ("found", "documents"), ("other", "any")]


def test_a_key_that_is_no_name_makes_one_input() -> None:
    prompt = PromptTemplate.from_template("{class} {x}")
    ports, single, _ = plain_ports(prompt)
    assert (told(ports.inputs), single) == ([("input", "data")], True)


def test_a_tool_that_is_told_by_json_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Where."}, "days": {"type": "integer"}},
        "required": ["city"],
    }
    tool = StructuredTool(name="weather", description="Tells it.", args_schema=schema, func=lambda **_: "")
    inputs = tool_inputs(tool)
    assert [(each.name, each.tag, each.required) for each in inputs] == [
        ("city", "text", True),
        ("days", "data", False),
    ]
    assert inputs[0].help == "Where."


class Dict(TypedDict):
    topic: str
    messages: list[AnyMessage]


class Model(BaseModel):
    topic: str
    notes: list[str] = []


@dataclasses.dataclass
class Plain:
    topic: str
    count: int = 0


@pytest.mark.parametrize(
    ("state", "inputs", "main"),
    [
        (Dict, [("topic", "text", False), ("messages", "messages", True)], "text"),
        (Model, [("topic", "text", True), ("notes", "list[text]", False)], "state"),
        (Plain, [("topic", "text", True), ("count", "data", False)], "state"),
        (dict, [("input", "data", True)], "state"),
    ],
)
def test_the_state_of_a_graph(state: Any, inputs: list[Any], main: str) -> None:
    graph = StateGraph(state).add_node("a", lambda _state: {}).add_edge(START, "a").compile()
    ports, _ = graph_ports(graph)
    assert [(each.name, each.tag, each.required) for each in ports.inputs] == inputs
    assert ports.main is not None
    assert ports.main.name == main


def test_a_graph_of_the_functional_api() -> None:
    @entrypoint()
    def double(number: int) -> int:
        return number * 2

    ports, single = graph_ports(double)
    assert (told(ports.inputs), told(ports.outputs), single) == (
        [("input", "data")],
        [("result", "any")],
        True,
    )
