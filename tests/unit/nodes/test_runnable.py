"""Runnables of LangChain and graphs of LangGraph as nodes."""

from __future__ import annotations

import asyncio
import operator
import threading
from typing import Annotated, Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_core.tools import tool
from langchain_core.tracers.context import collect_runs
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

from bpaz_lab import Workflow
from bpaz_lab.errors import NodeTypeError, RunError


def model(*answers: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(answer) for answer in answers]))


def tokens(run: Any) -> str:
    return "".join(event.text for event in run.events if event.type == "token")


def sides(node: Any) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    ports = node.ports
    return [(p.name, p.tag) for p in ports.inputs], [(p.name, p.tag) for p in ports.outputs]


# ---- names ------------------------------------------------------------------------------------------------


def test_a_runnable_is_known_by_its_variable() -> None:
    greeting = PromptTemplate.from_template("Hello {who}!")
    wf = Workflow()
    node = wf.add(greeting)
    assert (node.type, node.id) == ("greeting", "greeting")
    assert wf.run(who="you").output == "Hello you!"
    assert wf.to_dict()["nodes"]["greeting"] == {"type": "greeting", "version": 1, "settings": {}}


def test_adding_it_again_replaces_it_and_edges_stay() -> None:
    answer = PromptTemplate.from_template("one {x}")
    wf = Workflow()
    wf.add(answer) >> wf.add("ChatOutput")
    assert wf.run(x="a").output == "one a"
    answer = PromptTemplate.from_template("two {x}")
    wf.remove(wf.add(answer, id="other"))
    assert wf.run(x="a").output == "two a"


def test_the_same_runnable_is_one_type() -> None:
    same_prompt = PromptTemplate.from_template("{x}")
    wf = Workflow()
    first, second = wf.add(same_prompt), wf.add(same_prompt)
    assert (first.type, second.type, second.id) == ("same_prompt", "same_prompt", "same_prompt_2")


def test_without_a_variable_the_id_names_it_and_nameless_ones_do_not_mix() -> None:
    wf = Workflow()
    assert wf.add(PromptTemplate.from_template("{x}"), id="named_by_id").type == "named_by_id"
    one = wf.add(PromptTemplate.from_template("one {x}"))
    two = wf.add(PromptTemplate.from_template("two {x}"))
    assert one.type != two.type
    run = wf.run({f"{one.id}.x": "a", f"{two.id}.x": "b", "named_by_id.x": "c"})
    assert (run[one.id]["text"], run[two.id]["text"]) == ("one a", "two b")


def test_its_own_name_comes_first_and_may_not_be_that_of_a_built_in_type() -> None:
    wf = Workflow()
    something = RunnableLambda(lambda text: text).with_config(run_name="x")
    something.name = "my-chain"
    assert wf.add(something).type == "my_chain"
    something.name = "TextInput"
    with pytest.raises(NodeTypeError, match="already provided"):
        wf.add(something)


# ---- ports and results -------------------------------------------------------------------------------------


def test_a_prompt_has_its_variables() -> None:
    talk = ChatPromptTemplate.from_messages(
        [("system", "In {context}."), MessagesPlaceholder("history", optional=True), ("human", "{question}")]
    )
    wf = Workflow()
    node = wf.add(talk)
    inputs, outputs = sides(node)
    assert sorted(inputs) == [("context", "text"), ("history", "messages"), ("question", "text")]
    assert outputs == [("messages", "messages"), ("text", "text")]
    run = wf.run(context="Rome", question="Who?")
    assert [message.content for message in run["talk"]["messages"]] == ["In Rome.", "Who?"]


def test_a_chat_model_answers_and_is_handed_on() -> None:
    fake = model("It is a kernel.", "Again.")
    wf = Workflow()
    node = wf.add(fake)
    assert sides(node) == (
        [("messages", "messages")],
        [("text", "text"), ("message", "message"), ("model", "model")],
    )
    chain = wf.add("LLMChain")
    wf.connect(node["model"], chain["model"])
    run = wf.run(prompt="What?")
    assert run.output == "It is a kernel."
    ask = wf.add("ChatInput")
    wf.connect(ask["text"], node["messages"])
    run = wf.run({"question": "What?"}, target="fake.message")
    assert run.output.content == "Again."
    assert tokens(run) == "Again."


def test_a_chain_streams_and_counts_its_tokens() -> None:
    said = AIMessage(
        "one two three",
        usage_metadata={"input_tokens": 3, "output_tokens": 5, "total_tokens": 8},
        response_metadata={"model_name": "fake-1"},
    )
    chain = (
        ChatPromptTemplate.from_template("{topic}")
        | GenericFakeChatModel(messages=iter([said]))
        | StrOutputParser()
    )
    wf = Workflow()
    wf.add(chain)
    run = wf.run(topic="x")
    assert run.output == "one two three"
    pieces = [event.text for event in run.events if event.type == "token"]
    assert len(pieces) > 1
    assert "".join(pieces) == "one two three"


def test_tokens_of_a_model_inside_are_reported() -> None:
    said = AIMessage("ok", usage_metadata={"input_tokens": 3, "output_tokens": 5, "total_tokens": 8})
    inner = GenericFakeChatModel(messages=iter([said]))

    async def ask(text: str) -> dict[str, str]:
        return {"said": (await inner.ainvoke(text)).text}

    asking = RunnableLambda(ask)
    wf = Workflow()
    wf.add(asking)
    run = wf.run(input="x")
    assert (run.usage.input_tokens, run.usage.output_tokens) == (3, 5)


def test_a_parser_of_json_gives_the_whole_list_once() -> None:
    chain = ChatPromptTemplate.from_template("{topic}") | model("[1, 2, 3]") | JsonOutputParser()
    wf = Workflow()
    wf.add(chain)
    assert wf.run(topic="x").output == [1, 2, 3]


def test_an_answer_that_is_a_message_comes_as_text_too() -> None:
    chain = ChatPromptTemplate.from_template("{topic}") | model("yes it is")
    wf = Workflow()
    node = wf.add(chain)
    assert sides(node)[1] == [("text", "text"), ("message", "message")]
    run = wf.run(topic="x", target=f"{node.id}.message")
    assert isinstance(run.output, AIMessage)
    assert run.output.content == "yes it is"


def test_functions_and_parallel_runnables() -> None:
    def find(question: str) -> list[Document]:
        return [Document(question)]

    find_documents = RunnableLambda(find)
    both = RunnableParallel(found=find_documents, question=RunnablePassthrough())
    wf = Workflow()
    node = wf.add(both)
    assert sides(node) == (
        [("input", "text")],
        [("result", "data"), ("found", "documents"), ("question", "any")],
    )
    run = wf.run(input="why", target="both.found")
    assert run.output == [Document("why")]
    assert wf.run(input="why").output == {"found": [Document("why")], "question": "why"}


def test_a_retriever_and_a_tool() -> None:
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    store.add_texts(["alpha", "beta"])
    retriever = store.as_retriever(search_kwargs={"k": 1})

    @tool
    def add(a: int, b: int = 2) -> int:
        """Adds two numbers.

        Args:
            a: One.
            b: The other.
        """
        return a + b

    wf = Workflow()
    found = wf.add(retriever)
    assert sides(found) == ([("query", "text")], [("documents", "documents"), ("retriever", "retriever")])
    assert [each.page_content for each in wf.run(query="alpha").output] == ["alpha"]
    node = wf.add(add)
    assert node.type == "add"
    assert [(port.name, port.required) for port in node.ports.inputs] == [("a", True), ("b", False)]
    assert wf.run(a=1, target="add").output == 3
    assert wf.run(a=1, b=5, target="add").output == 6
    assert wf.run(target="add.tool").output is add


def test_what_looks_or_acts_outside_is_called_in_every_run_and_a_chain_is_not() -> None:
    calls: list[str] = []

    @tool
    def look(place: str) -> str:
        """Looks."""
        calls.append("look")
        return place

    def shout(text: str) -> str:
        calls.append("shout")
        return text.upper()

    shouting = RunnableLambda(shout)
    wf = Workflow()
    wf.add(look) >> wf.add("ChatOutput", id="a")
    wf.add(shouting) >> wf.add("ChatOutput", id="b")
    for _ in range(2):
        run = wf.run(place="x", input="y")
        assert run.output == {"a": "x", "b": "Y"}
    assert sorted(calls) == ["look", "look", "shout"]


# ---- graphs -----------------------------------------------------------------------------------------------


class State(TypedDict, total=False):
    topic: str
    notes: Annotated[list[str], operator.add]


def test_a_graph_shows_its_steps() -> None:
    graph = StateGraph(State)
    graph.add_node("plan", lambda state: {"notes": [f"plan {state['topic']}"]})
    graph.add_node("write", lambda _state: {"notes": ["write"]})
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "write")
    research = graph.compile()
    wf = Workflow()
    node = wf.add(research)
    assert sides(node) == (
        [("topic", "text"), ("notes", "list[text]")],
        [("state", "data"), ("topic", "text"), ("notes", "list[text]")],
    )
    run = wf.run(topic="bees")
    assert run.output == {"topic": "bees", "notes": ["plan bees", "write"]}
    steps = [event.message for event in run.events if event.type == "node.progress"]
    assert steps == ["plan", "write"]
    assert wf.run(topic="bees", target="research.notes").output == ["plan bees", "write"]


def test_a_graph_of_messages_streams_and_gives_the_last_text() -> None:
    inner = model("a long answer")

    async def speak(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await inner.ainvoke(state["messages"])]}

    talker = StateGraph(MessagesState).add_node("speak", speak).add_edge(START, "speak").compile()
    wf = Workflow()
    node = wf.add(talker)
    assert sides(node)[0] == [("messages", "messages")]
    ask = wf.add("ChatInput")
    wf.connect(ask["text"], node["messages"])
    run = wf.run(question="Hm?")
    assert run.output == "a long answer"
    assert tokens(run) == "a long answer"


def test_a_graph_of_many_steps_is_not_cut_off_inside_a_runnable() -> None:
    class Count(TypedDict):
        n: int

    graph = StateGraph(Count).add_node("up", lambda state: {"n": state["n"] + 1}).add_edge(START, "up")
    graph.add_conditional_edges("up", lambda state: "up" if state["n"] < 60 else "__end__")
    counter = graph.compile()
    wf = Workflow()
    wf.add(counter)
    outer = RunnableLambda(lambda n: wf.run(n=n, target="counter.n").output)
    assert outer.invoke(0) == 60


def test_an_interrupt_of_a_graph_is_a_question() -> None:
    class Asked(TypedDict):
        text: str

    def ask(state: Asked) -> dict[str, str]:
        return {"text": f"{state['text']} {interrupt('Which colour?')}"}

    graph = StateGraph(Asked).add_node("ask", ask).add_edge(START, "ask")
    asking_graph = graph.compile(checkpointer=InMemorySaver())
    wf = Workflow()
    wf.add(asking_graph)
    run = wf.run(text="It is")
    assert run.status == "paused"
    assert run.questions["asking_graph"].text == "Which colour?"
    assert run.resume(answer="red").output == "It is red"


def test_tracing_that_was_switched_on_sees_the_runnable() -> None:
    traced_chain = ChatPromptTemplate.from_template("{topic}") | model("yes")
    wf = Workflow()
    wf.add(traced_chain)
    with collect_runs() as collected:
        wf.run(topic="x")
    (run,) = collected.traced_runs
    assert run.name == "RunnableSequence"
    assert [child.name for child in run.child_runs] == ["ChatPromptTemplate", "GenericFakeChatModel"]


# ---- errors and stopping -----------------------------------------------------------------------------------


def test_an_error_inside_is_the_node_s() -> None:
    def broken(text: str) -> str:
        raise ValueError("no " + text)

    failing = RunnableLambda(broken)
    wf = Workflow()
    wf.add(failing)
    with pytest.raises(RunError, match="no luck") as caught:
        wf.run(input="luck")
    assert caught.value.path == "nodes.broken"


def test_stopping_the_run_stops_the_runnable() -> None:
    begun, stopped = threading.Event(), threading.Event()

    async def wait(text: str) -> str:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.set()
            raise
        return text

    waiting = RunnableLambda(wait)
    wf = Workflow()
    wf.add(waiting)
    run = wf.start(input="x")
    assert begun.wait(10)
    run.cancel()
    assert stopped.wait(10)
    assert run.wait(10).status == "cancelled"


def test_messages_enter_a_model_as_they_are() -> None:
    heard: list[Any] = []

    class Listening(GenericFakeChatModel):
        def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            heard.extend(messages)
            return super()._generate(messages, *args, **kwargs)

    listening = Listening(messages=iter([AIMessage("ok")]))
    wf = Workflow()
    wf.add(listening)
    wf.run(messages=[HumanMessage("Hi")])
    assert [message.content for message in heard] == ["Hi"]
