"""A workflow as a graph of LangGraph."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict

import bpaz_lab as bz
from bpaz_lab import Workflow
from bpaz_lab.errors import InputError, NodeFailed
from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.context import APPROVE, Context
from bpaz_lab.nodes.types import Model, Text  # noqa: TC001 (the hints of a node are resolved)

THREAD = {"configurable": {"thread_id": "one"}}
CALLS: list[str] = []


@pytest.fixture(autouse=True)
def fresh() -> None:
    CALLS.clear()


class Talker(Node):
    """Makes a model, and says something itself, which is noted."""

    package = "cell"

    @output("text", main=True)
    def say(self) -> Text:
        """What it says."""
        CALLS.append("say")
        return "said"

    @output("model")
    def make(self) -> Model:
        """The model."""
        CALLS.append("make")
        return GenericFakeChatModel(messages=iter([AIMessage("from the model")] * 9))


def note(text: str) -> str:
    """Notes that it was called."""
    CALLS.append(text)
    return f"{text}!"


def greeting() -> Workflow:
    wf = Workflow("A greeting")
    who = wf.add("ChatInput", name="who")
    hello = wf.add("PromptTemplate", template="Hello {someone}!")
    who >> hello >> wf.add("ChatOutput")
    return wf


def letter(saver: Any = None) -> tuple[Workflow, Any]:
    """Draft, approval, sending."""
    wf = Workflow("Letter")
    topic = wf.add("ChatInput", name="topic")
    draft = wf.add(note, id="draft")
    ask = wf.add("HumanApproval", id="check", question="Send it?", edit=True)
    topic >> draft >> ask
    send = wf.add(note, id="send")
    wf.connect(ask["approved"], send["text"])
    end = wf.add("End", fields=["sent", "refused"])
    wf.connect(send["result"], end["sent"])
    wf.connect(ask["rejected"], end["refused"])
    return wf, wf.to_langgraph(saver)


def asked(result: dict[str, Any]) -> dict[str, Any]:
    return result["__interrupt__"][0].value


# ---- without a person ---------------------------------------------------------------------------------


def test_all_ways_of_calling_give_the_same() -> None:
    graph = greeting().to_langgraph()
    assert graph.invoke({"who": "Ada"}) == {"output": "Hello Ada!"}
    assert asyncio.run(graph.ainvoke({"who": "Ada"})) == {"output": "Hello Ada!"}
    values = list(graph.stream({"who": "Ada"}, stream_mode="values"))
    assert values[-1] == {"who": "Ada", "output": "Hello Ada!"}
    (update,) = graph.stream({"who": "Ada"}, stream_mode="updates")
    assert next(iter(update.values()))["output"] == "Hello Ada!"
    assert graph.batch([{"who": "a"}, {"who": "b"}]) == [{"output": "Hello a!"}, {"output": "Hello b!"}]


def test_the_schemas_are_the_workflow_s() -> None:
    wf = Workflow()
    fields = [{"name": "topic"}, {"name": "count", "kind": "number", "default": 3}]
    start = wf.add("Start", fields=fields)
    end = wf.add("End", fields=["first", "second"])
    wf.connect(start["topic"], end["first"])
    wf.connect(start["count"], end["second"])
    graph = wf.to_langgraph()
    taken = graph.get_input_jsonschema()
    assert taken["required"] == ["topic"]
    assert {name: each.get("type") for name, each in taken["properties"].items()} == {
        "topic": "string",
        "count": "number",
    }
    assert set(graph.get_output_jsonschema()["properties"]) == {"first", "second", "output"}
    assert graph.invoke({"topic": "x"}) == {
        "first": "x",
        "second": 3,
        "output": {"first": "x", "second": 3},
    }


def test_a_workflow_without_inputs_and_one_of_no_name() -> None:
    wf = Workflow("...")
    wf.add("TextInput", text="Hi")
    assert wf.to_langgraph().invoke({}) == {"output": "Hi"}


def test_the_graph_stays_as_the_workflow_was() -> None:
    wf = greeting()
    graph = wf.to_langgraph()
    wf["prompt_template"].set(template="Bye {someone}!")
    assert graph.invoke({"who": "you"}) == {"output": "Hello you!"}
    assert wf.to_langgraph().invoke({"who": "you"}) == {"output": "Bye you!"}


def test_inputs_that_share_a_name_are_told_apart() -> None:
    wf = Workflow()
    one, two = wf.add(note, id="one"), wf.add(note, id="two")
    end = wf.add("End", fields=["a", "b"])
    wf.connect(one["result"], end["a"])
    wf.connect(two["result"], end["b"])
    found = wf.to_langgraph().invoke({"one.text": "x", "two.text": "y"})
    assert found["output"] == {"a": "x!", "b": "y!"}


def test_inputs_may_have_any_name() -> None:
    wf = Workflow()
    names = ["output", "bpaz", "person", "start"]
    start, end = wf.add("Start", fields=[{"name": name} for name in names]), wf.add("End", fields=names)
    for name in names:
        wf.connect(start[name], end[name])
    given = {name: name.upper() for name in names}
    assert wf.to_langgraph().invoke(given) == {**given, "output": given}


def test_a_missing_input_and_a_failure_are_told() -> None:
    graph = greeting().to_langgraph()
    with pytest.raises(InputError, match="who"):
        graph.invoke({})

    def broken(text: str) -> str:
        raise ValueError(f"no {text}")

    wf = Workflow()
    wf.add(broken, id="bad")
    with pytest.raises(NodeFailed, match="no luck") as caught:
        wf.to_langgraph().invoke({"text": "luck"})
    assert caught.value.path == "nodes.bad"
    with pytest.raises(NodeFailed, match="no luck"):
        wf.to_langgraph(InMemorySaver()).invoke({"text": "luck"}, THREAD)
    with pytest.raises(NodeFailed, match="no luck"):
        asyncio.run(wf.to_langgraph().ainvoke({"text": "luck"}))


def test_calls_at_once_do_not_mix() -> None:
    async def slow(text: str) -> str:
        await asyncio.sleep(0.01)
        return text * 2

    wf = Workflow()
    wf.add(slow)
    graph = wf.to_langgraph()

    async def many() -> list[Any]:
        return await asyncio.gather(*(graph.ainvoke({"text": str(n)}) for n in range(20)))

    assert [each["output"] for each in asyncio.run(many())] == [str(n) * 2 for n in range(20)]


def test_stopping_the_caller_stops_the_node() -> None:
    begun, stopped = threading.Event(), threading.Event()

    async def wait(text: str) -> str:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.set()
            raise
        return text

    wf = Workflow()
    wf.add(wait)
    graph = wf.to_langgraph()

    async def stop() -> None:
        task = asyncio.create_task(graph.ainvoke({"text": "x"}))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(stopped.wait, 10)

    asyncio.run(stop())


# ---- what is told on the way ----------------------------------------------------------------------------


def talking() -> Any:
    wf = Workflow()
    fake = GenericFakeChatModel(messages=iter([AIMessage("a b c")] * 9))
    model = wf.add(fake)
    chain = wf.add("LLMChain", id="chain")
    wf.connect(model["model"], chain["model"])
    chain >> wf.add("ChatOutput", id="out")
    return wf.to_langgraph()


def test_every_event_of_a_node_is_in_the_custom_stream() -> None:
    events = list(talking().stream({"prompt": "x"}, stream_mode="custom"))
    assert [(each["type"], each["node"]) for each in events if each["type"] != "token"] == [
        ("node.started", "fake"),
        ("node.finished", "fake"),
        ("node.started", "chain"),
        ("node.finished", "chain"),
        ("node.started", "out"),
        ("node.finished", "out"),
    ]
    assert "".join(each["text"] for each in events if each["type"] == "token") == "a b c"


def test_tokens_of_models_are_in_the_messages_stream() -> None:
    graph = talking()
    said = [piece.text for piece, _ in graph.stream({"prompt": "x"}, stream_mode="messages")]
    assert len(said) > 1
    assert "".join(said) == "a b c"

    async def listen() -> str:
        return "".join(
            [piece.text async for piece, _ in graph.astream({"prompt": "x"}, stream_mode="messages")]
        )

    assert asyncio.run(listen()) == "a b c"


def test_astream_events_has_an_event_of_each_node_and_the_models_tokens() -> None:
    async def listen() -> list[Any]:
        return [each async for each in talking().astream_events({"prompt": "x"}, version="v2")]

    events = asyncio.run(listen())
    told = [each["data"]["node"] for each in events if each["name"] == "node.finished"]
    assert told == ["fake", "chain", "out"]
    pieces = [each["data"]["chunk"].text for each in events if each["event"] == "on_chat_model_stream"]
    assert "".join(pieces) == "a b c"


def test_the_picture_names_the_nodes() -> None:
    _, graph = letter()
    drawn = graph.get_graph().draw_mermaid()
    for name in ("draft", "check", "send", "person"):
        assert name in drawn
    assert "person" not in talking().get_graph().draw_mermaid()


# ---- with a person --------------------------------------------------------------------------------------


def test_an_approval_is_an_interrupt_and_the_answer_goes_on_in_another_graph() -> None:
    saver = InMemorySaver()
    _, graph = letter(saver)
    question = asked(graph.invoke({"topic": "bees"}, THREAD))
    assert question["check"]["text"] == "Send it?"
    assert question["check"]["data"] == "bees!"
    assert CALLS == ["bees"]
    _, other = letter(saver)
    found = other.invoke(Command(resume={"check": {"approve": True, "value": "Bees"}}), THREAD)
    assert found == {"sent": "Bees!", "refused": None, "output": {"sent": "Bees!"}}
    assert CALLS == ["bees", "Bees"]
    assert other.get_state(THREAD).next == ()


def test_an_answer_by_field_and_a_refusal() -> None:
    _, graph = letter(InMemorySaver())
    graph.invoke({"topic": "a"}, THREAD)
    found = asyncio.run(graph.ainvoke(Command(resume={"approve": False}), THREAD))
    assert found["output"] == {"refused": "a!"}
    assert CALLS == ["a"]
    graph.invoke({"topic": "b"}, THREAD)
    assert graph.invoke(Command(resume=True), THREAD)["output"] == {"sent": "b!!"}


def test_an_answer_that_does_not_fit_is_asked_again_with_the_reason() -> None:
    _, graph = letter(InMemorySaver())
    graph.invoke({"topic": "a"}, THREAD)
    again = asked(graph.invoke(Command(resume={"check": {"approve": "yes"}}), THREAD))
    assert "boolean" in again["check"]["problem"]["message"]
    again = asked(graph.invoke(Command(resume=7), THREAD))
    assert "dict" in again["check"]["problem"]["message"]
    assert graph.invoke(Command(resume={"check": {"approve": True}}), THREAD)["sent"] == "a!!"
    assert CALLS == ["a", "a!"]


def test_many_questions_are_no_recursion_inside_a_runnable() -> None:
    wf = Workflow()
    end = wf.add("ChatInput", name="x")["text"]
    for number in range(15):
        ask = wf.add("HumanApproval", id=f"ask_{number}")
        wf.connect(end, ask["value"])
        end = ask["approved"]
    wf.connect(end, wf.add("ChatOutput")["text"])
    graph = wf.to_langgraph(InMemorySaver())

    def drive(x: str) -> str:
        found = graph.invoke({"x": x}, THREAD)
        while "__interrupt__" in found:
            CALLS.append("asked")
            found = graph.invoke(Command(resume=True), THREAD)
        return found["output"]

    assert RunnableLambda(drive).invoke("a") == "a"
    assert len(CALLS) == 15


def test_a_new_input_leaves_an_open_question_behind() -> None:
    _, graph = letter(InMemorySaver())
    graph.invoke({"topic": "old"}, THREAD)
    assert asked(graph.invoke({"topic": "new"}, THREAD))["check"]["data"] == "new!"
    assert graph.invoke(Command(resume=True), THREAD)["sent"] == "new!!"


def test_live_objects_are_made_again_and_values_are_not() -> None:
    bz.register_node(Talker)
    wf = Workflow()
    talker = wf.add("Talker", id="talker")
    ask = wf.add("HumanApproval", id="check")
    wf.connect(talker["text"], ask["value"])
    chain = wf.add("LLMChain", id="chain")
    wf.connect(talker["model"], chain["model"])
    wf.connect(ask["approved"], chain["prompt"])
    end = wf.add("End", fields=["answer", "first"])
    wf.connect(chain["text"], end["answer"])
    wf.connect(talker["text"], end["first"])
    saver = InMemorySaver()
    graph = wf.to_langgraph(saver)
    graph.invoke({}, THREAD)
    assert sorted(CALLS) == ["make", "say"]
    assert "make" not in str(saver.get(THREAD))
    found = wf.to_langgraph(saver).invoke(Command(resume=True), THREAD)
    assert found["output"] == {"answer": "from the model", "first": "said"}
    assert sorted(CALLS) == ["make", "make", "say"]


def test_a_table_waits_as_arrow_and_is_one_afterwards() -> None:
    pd = pytest.importorskip("pandas")

    def rows(text: str) -> Any:
        return pd.DataFrame({"a": [1, 2], "b": ["x", text]})

    wf = Workflow()
    table = wf.add(rows)
    ask = wf.add("HumanApproval", id="check")
    table >> ask
    end = wf.add("End", fields=["kept", "all"])
    wf.connect(ask["approved"], end["kept"])
    wf.connect(table["result"], end["all"])
    saver = InMemorySaver()
    wf.to_langgraph(saver).invoke({"text": "y"}, THREAD)
    found = wf.to_langgraph(saver).invoke(Command(resume=True), THREAD)
    wanted = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    pd.testing.assert_frame_equal(found["kept"], wanted)
    pd.testing.assert_frame_equal(found["output"]["all"], wanted)


def approving_body(wf: Workflow, type: str, field: str, **settings: Any) -> Any:
    box = wf.add(type, id="box", **settings)
    body = box.body
    start = body.add("Start", fields=[{"name": field, "kind": "any"}])
    before = body.add(note, id="before")
    ask = body.add("HumanApproval", id="check")
    after = body.add(note, id="after")
    end = body.add("End", fields=["done"])
    body.connect(start[field], before["text"])
    body.connect(before["result"], ask["value"])
    body.connect(ask["approved"], after["text"])
    body.connect(after["result"], end["done"])
    return box


def test_a_question_inside_a_body_goes_on_from_there() -> None:
    wf = Workflow()
    approving_body(wf, "SubWorkflow", "text")
    saver = InMemorySaver()
    question = asked(wf.to_langgraph(saver).invoke({"text": "x"}, THREAD))
    assert list(question) == ["box/check"]
    found = wf.to_langgraph(saver).invoke(Command(resume=True), THREAD)
    assert found["output"] == "x!!"
    assert CALLS == ["x", "x!"]


@pytest.mark.parametrize("outside", [True, False])
def test_a_body_that_waits_gets_its_live_objects_anew(outside: bool) -> None:
    bz.register_node(Talker)
    wf = Workflow()
    body = wf.add("SubWorkflow", id="box").body
    source = wf.add("Talker", id="talker") if outside else body.add("Talker", id="talker")
    fields = [{"name": "text"}, *([{"name": "model", "kind": "any"}] if outside else [])]
    start = body.add("Start", fields=fields)
    before, ask = body.add(note, id="before"), body.add("HumanApproval", id="check")
    chain, end = body.add("LLMChain", id="chain"), body.add("End", fields=["answer"])
    body.connect(start["text"], before["text"])
    body.connect(before["result"], ask["value"])
    body.connect(ask["approved"], chain["prompt"])
    body.connect(start["model"] if outside else source["model"], chain["model"])
    body.connect(chain["text"], end["answer"])
    if outside:
        wf.connect(source["model"], wf["box"]["model"])
    saver = InMemorySaver()
    assert list(asked(wf.to_langgraph(saver).invoke({"text": "x"}, THREAD))) == ["box/check"]
    assert sorted(CALLS) == ["make", "x"]
    found = wf.to_langgraph(saver).invoke(Command(resume=True), THREAD)
    assert found["output"] == "from the model"
    assert sorted(CALLS) == ["make", "make", "x"]


def test_rounds_are_answered_one_by_one_and_nothing_is_repeated() -> None:
    wf = Workflow()
    approving_body(wf, "ForEach", "item")
    saver = InMemorySaver()
    question = asked(wf.to_langgraph(saver).invoke({"items": ["a", "b"]}, THREAD))
    assert sorted(question) == ["box[0]/check", "box[1]/check"]
    answer = {"box[1]/check": {"approve": True}}
    question = asked(wf.to_langgraph(saver).invoke(Command(resume=answer), THREAD))
    assert list(question) == ["box[0]/check"]
    assert sorted(CALLS) == ["a", "b", "b!"]
    found = wf.to_langgraph(saver).invoke(Command(resume=True), THREAD)
    assert found["output"] == ["a!!", "b!!"]
    assert sorted(CALLS) == ["a", "a!", "b", "b!"]


def test_the_first_answer_is_enough_for_a_merge_of_the_first() -> None:
    wf = Workflow()
    start = wf.add("ChatInput", name="text")
    merge = wf.add("Merge", id="merge", mode="first")
    inputs = [port.name for port in merge.ports.inputs]
    for number in range(2):
        ask = wf.add("HumanApproval", id=f"ask_{number}")
        start >> ask
        target = inputs[number] if len(inputs) > 1 else inputs[0]
        wf.connect(ask["approved"], merge[target])
    merge >> wf.add(note, id="after") >> wf.add("ChatOutput")
    graph = wf.to_langgraph(InMemorySaver())
    assert sorted(asked(graph.invoke({"text": "x"}, THREAD))) == ["ask_0", "ask_1"]
    assert graph.invoke(Command(resume={"ask_1": True}), THREAD)["output"] == "x!"


def test_a_question_that_nobody_could_foresee_is_an_interrupt_too() -> None:
    async def helper(context: Context) -> dict[str, Any]:
        return await context.ask("Really?", form=(APPROVE,))

    async def act(text: str, context: Context) -> str:
        CALLS.append(text)
        return f"{text} {(await helper(context))['approve']}"

    wf = Workflow()
    wf.add(act)
    graph = wf.to_langgraph(InMemorySaver())
    assert asked(graph.invoke({"text": "x"}, THREAD))["act"]["text"] == "Really?"
    assert graph.invoke(Command(resume=True), THREAD)["output"] == "x True"


# ---- as a part of something larger -------------------------------------------------------------------------


class Larger(TypedDict, total=False):
    topic: str
    output: Any
    size: int


def larger(saver: Any) -> Any:
    _, inner = letter()
    graph = StateGraph(Larger)
    graph.add_node("before", lambda state: {"topic": state["topic"].upper()})
    graph.add_node("letter", inner)
    graph.add_node("after", lambda state: {"size": len(state["output"]["sent"])})
    for one, other in zip(
        [START, "before", "letter", "after"], ["before", "letter", "after", END], strict=True
    ):
        graph.add_edge(one, other)
    return graph.compile(checkpointer=saver)


def test_it_is_a_node_of_a_larger_graph_and_its_interrupt_is_that_graph_s() -> None:
    saver = InMemorySaver()
    assert asked(larger(saver).invoke({"topic": "bees"}, THREAD))["check"]["data"] == "BEES!"
    found = larger(saver).invoke(Command(resume=True), THREAD)
    assert (found["size"], found["output"]) == (6, {"sent": "BEES!!"})
    assert CALLS == ["BEES", "BEES!"]


def test_it_is_a_step_of_a_chain() -> None:
    chain = greeting().to_langgraph() | RunnableLambda(lambda state: state["output"].upper())
    assert chain.invoke({"who": "Ada"}) == "HELLO ADA!"


def test_a_graph_of_somebody_inside_stays_apart_from_the_graph_around() -> None:
    class Count(TypedDict):
        n: int

    plus = (
        StateGraph(Count).add_node("up", lambda state: {"n": state["n"] + 1}).add_edge(START, "up").compile()
    )
    wf = Workflow()
    wf.add(plus)
    graph = wf.to_langgraph(InMemorySaver())
    assert graph.invoke({"n": 1}, THREAD)["output"] == 2
    assert graph.invoke({"n": 5}, THREAD)["output"] == 6


# ---- another process ---------------------------------------------------------------------------------------

SCRIPT = """
import sys, sqlite3, json
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from bpaz_lab import Workflow
wf = Workflow.load(sys.argv[1])
graph = wf.to_langgraph(SqliteSaver(sqlite3.connect(sys.argv[2], check_same_thread=False)))
given = Command(resume=True) if sys.argv[3] == "resume" else {"topic": sys.argv[3]}
found = graph.invoke(given, {"configurable": {"thread_id": "one"}})
print(json.dumps({key: value for key, value in found.items() if key != "__interrupt__"}))
"""


def test_another_process_goes_on(tmp_path: Any) -> None:
    pytest.importorskip("langgraph.checkpoint.sqlite")
    wf = Workflow("Letter")
    topic = wf.add("ChatInput", name="topic")
    draft = wf.add("PromptTemplate", template="Dear {reader}", id="draft")
    ask = wf.add("HumanApproval", id="check")
    topic >> draft >> ask
    out = wf.add("ChatOutput")
    wf.connect(ask["approved"], out["text"])
    path = wf.save(tmp_path / "letter.bpaz")

    def call(given: str) -> str:
        command = [sys.executable, "-c", SCRIPT, str(path), str(tmp_path / "kept.sqlite"), given]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.strip()

    assert call("you") == "{}"
    assert call("resume") == '{"output": "Dear you"}'
