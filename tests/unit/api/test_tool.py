"""A workflow as a tool of LangChain."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import BaseLanguageModel  # noqa: TC002 (the hint is resolved)
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import StructuredTool, ToolException
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from bpaz_lab import Workflow
from bpaz_lab.errors import InputError, MissingInput


@pytest.fixture
def create_agent() -> Any:
    return pytest.importorskip("langchain.agents").create_agent


class Caller(GenericFakeChatModel):
    """Says what it was given, tool calls as well; it takes any tools."""

    def bind_tools(self, tools: Any, **_options: Any) -> Any:
        return self


def greeting() -> Workflow:
    wf = Workflow("Say hello")
    fields = [
        {"name": "who"},
        {"name": "times", "kind": "number", "default": 1},
        {"name": "loud", "kind": "boolean", "required": False},
        {"name": "more", "kind": "json", "required": False},
    ]
    start = wf.add("Start", fields=fields)

    def hello(who: str, times: Any, loud: Any, more: Any) -> str:
        said = " ".join([f"Hello {who}!"] * int(times))
        return (said.upper() if loud else said) + (str(more) if more else "")

    greet = wf.add(hello, id="greet")
    for field in fields:
        wf.connect(start[field["name"]], greet[field["name"]])
    greet >> wf.add("ChatOutput")
    return wf


def call(args: dict[str, Any], name: str = "say_hello") -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": "1"}])


def test_the_arguments_are_the_inputs() -> None:
    tool = greeting().as_tool(description="Greets.")
    assert isinstance(tool, StructuredTool)
    assert (tool.name, tool.description) == ("say_hello", "Greets.")
    schema = tool.tool_call_schema.model_json_schema()
    assert schema["required"] == ["who"]
    assert schema["properties"]["who"]["type"] == "string"
    assert schema["properties"]["times"]["default"] == 1
    assert {"type": "number"} in schema["properties"]["times"]["anyOf"]
    assert {"type": "boolean"} in schema["properties"]["loud"]["anyOf"]
    assert all(each["description"] for each in schema["properties"].values())


def test_it_is_called_in_both_ways() -> None:
    tool = greeting().as_tool()
    assert tool.invoke({"who": "Ada"}) == "Hello Ada!"
    assert tool.invoke({"who": "Ada", "times": 2}) == "Hello Ada! Hello Ada!"
    assert asyncio.run(tool.ainvoke({"who": "Ada", "loud": True})) == "HELLO ADA!"
    assert tool.invoke({"who": "Ada", "more": {"a": 1}}) == "Hello Ada!{'a': 1}"


def test_it_runs_the_workflow_as_it_is() -> None:
    wf = Workflow("Say")
    prompt = wf.add("PromptTemplate", template="Hello {who}!")
    tool = wf.as_tool(name="say", description="Says hello.")
    prompt.set(template="Bye {who}!")
    assert tool.invoke({"who": "you"}) == "Bye you!"


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("as it is", "as it is"),
        ({"b": [1, 2], "ä": None}, '{"b": [1, 2], "ä": null}'),
        ([Document("one"), Document("two")], "one\n\ntwo"),
        (AIMessage("said"), "said"),
        ([HumanMessage("a"), AIMessage("b")], "human: a\nai: b"),
        (3, "3"),
        (None, "null"),
        ([], "[]"),
    ],
)
def test_what_comes_out_can_be_read(output: Any, told: str) -> None:
    def give(text: str) -> Any:
        return output

    wf = Workflow()
    wf.add(give)
    assert wf.as_tool().invoke({"text": "x"}) == told


def test_an_object_that_is_no_json_is_shown() -> None:
    def give(text: str) -> Any:
        return {"it": object}

    wf = Workflow()
    wf.add(give)
    assert "object" in wf.as_tool().invoke({"text": "x"})


def test_an_error_is_one_of_the_tool_and_says_what_to_do() -> None:
    wf = Workflow("Fails")

    def broken(text: str) -> str:
        raise InputError("too short", hint="Write more.")

    wf.add(broken)
    tool = wf.as_tool()
    with pytest.raises(ToolException, match="broken failed: too short") as caught:
        tool.invoke({"text": "x"})
    assert "Write more." in str(caught.value)
    with pytest.raises(ToolException, match="Write more"):
        asyncio.run(tool.ainvoke({"text": "x"}))
    tool.handle_tool_error = True
    assert "too short" in tool.invoke({"text": "x"})


def test_a_workflow_that_asks_a_person_says_that_a_tool_cannot_wait() -> None:
    wf = Workflow("Ask")
    start = wf.add("ChatInput", name="text")
    start >> wf.add("HumanApproval", question="Sure?")
    with pytest.raises(ToolException, match="to_langgraph") as caught:
        wf.as_tool().invoke({"text": "x"})
    assert "Sure?" in str(caught.value)
    assert wf.latest is not None
    assert wf.latest.wait(10).status == "cancelled"


def test_a_live_object_is_no_argument() -> None:
    def ask(text: str, model: BaseLanguageModel | None = None) -> str:
        return text

    wf = Workflow()
    wf.add(ask)
    assert list(wf.as_tool().args) == ["text"]


def test_a_workflow_with_problems_is_no_tool() -> None:
    wf = Workflow()
    wf.add("LLMChain")
    with pytest.raises(MissingInput, match="model"):
        wf.as_tool()


def test_names_that_no_argument_may_have() -> None:
    wf = Workflow()
    end = wf.add("End", fields=["a", "b"])
    for number, field in enumerate(("a", "b")):

        def take(config: str, model_name: str = "") -> str:
            return config + model_name

        node = wf.add(take, id=f"take_{number}")
        wf.connect(node["result"], end[field])
    tool = wf.as_tool()
    arguments = {"take_0_config": "x", "take_1_config": "y", "take_1_model_name": "z"}
    assert tool.invoke(arguments) == '{"a": "x", "b": "yz"}'
    one = Workflow()

    def only(config: str) -> str:
        return config

    one.add(only)
    (name,) = one.as_tool().args
    assert one.as_tool().invoke({name: "x"}) == "x"


def test_a_tool_node_calls_it() -> None:
    graph = StateGraph(MessagesState).add_node("tools", ToolNode([greeting().as_tool()]))
    compiled = graph.add_edge(START, "tools").compile()
    found = compiled.invoke({"messages": [call({"who": "Ada"})]})
    (answer,) = [each for each in found["messages"] if isinstance(each, ToolMessage)]
    assert (answer.content, answer.status) == ("Hello Ada!", "success")
    found = asyncio.run(compiled.ainvoke({"messages": [call({"who": "Bob"})]}))
    assert found["messages"][-1].content == "Hello Bob!"


def test_an_agent_calls_it(create_agent: Any) -> None:
    model = Caller(messages=iter([call({"who": "Ada", "times": 2}), AIMessage("Done.")]))
    agent = create_agent(model, [greeting().as_tool()])
    messages = agent.invoke({"messages": [HumanMessage("Greet Ada twice.")]})["messages"]
    assert [each.type for each in messages] == ["human", "ai", "tool", "ai"]
    assert messages[2].content == "Hello Ada! Hello Ada!"


def test_an_agent_that_calls_a_workflow_is_a_node_of_a_workflow(create_agent: Any) -> None:
    model = Caller(messages=iter([call({"who": "Ada"}), AIMessage("I greeted her.")]), disable_streaming=True)
    greeter = create_agent(model, [greeting().as_tool()])
    wf = Workflow()
    ask, node = wf.add("ChatInput"), wf.add(greeter)
    wf.connect(ask["text"], node["messages"])
    run = wf.run(question="Greet Ada.")
    assert run.output == "I greeted her."
    steps = [event.message for event in run.events if event.type == "node.progress"]
    assert steps == ["model", "tools", "model"]
