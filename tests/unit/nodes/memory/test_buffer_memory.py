from __future__ import annotations

import uuid

import pytest
from langchain_core.messages import AIMessage, HumanMessage

import bpaz_lab as bz
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.memory._sessions import PROCESS
from bpaz_lab.nodes.memory.buffer_memory import BufferMemory, buffer_memory

pytestmark = pytest.mark.unit


@pytest.fixture
def session():
    return uuid.uuid4().hex


class Kept:
    def __init__(self, *messages):
        self.told = list(messages)

    def messages(self, limit):
        return self.told[-limit:]


def said(role, content):
    return {"role": role, "content": content}


@bz.node
def last(messages: list, question: str) -> str:
    """Says what was said before."""
    return f"{question}! after {[message.content for message in messages]}"


def workflow(**settings):
    wf = bz.Workflow("Chat")
    ask = wf.add("ChatInput", id="ask")
    memory = wf.add("BufferMemory", id="memory", **settings)
    answer = wf.add(last, id="last")
    wf.connect(memory["messages"], answer["messages"])
    wf.connect(ask["text"], answer["question"])
    answer >> wf.add("ChatOutput", id="out")
    return wf


def test_a_run_knows_what_the_one_before_said(session):
    wf = workflow()
    assert wf.run(question="one", session=session).output == "one! after []"
    assert wf.run(question="two", session=session).output == "two! after ['one', 'one! after []']"
    assert "'two'" in wf.run(question="two", session=session).output  # the same again is another run


def test_another_session_and_none_know_nothing(session):
    wf = workflow()
    wf.run(question="one", session=session)
    assert wf.run(question="one", session=session + "x").output == "one! after []"
    assert wf.run(question="one").output == "one! after []"
    assert wf.run(question="one").output == "one! after []"


def test_the_last_ones_count(session):
    wf = workflow(limit=1)
    for question in ("one", "two"):
        run = wf.run(question=question, session=session)
    assert run.output == "two! after ['one! after []']"


def test_a_run_that_failed_is_not_remembered(session):
    wf = workflow()

    @bz.node
    def breaks(text: str) -> str:
        """Fails."""
        raise ValueError(text)

    wf["last"] >> wf.add(breaks) >> wf.add("ChatOutput", id="more")
    with pytest.raises(bz.RunError):
        wf.run(question="one", session=session)
    assert PROCESS.messages(session, 5) == []


def test_a_store_goes_before_this_process(session):
    PROCESS.add(session, "mine", "yours")
    history = Kept(said("user", "Hi"), said("assistant", "Hello"))
    context = Context(services=Services(session=session, history=history))
    found = BufferMemory(limit=5).recall(context)
    assert found == [HumanMessage("Hi"), AIMessage("Hello")]
    assert BufferMemory(limit=1).recall(context) == [AIMessage("Hello")]


def test_it_is_computed_again_when_something_was_said(session):
    wf = workflow()
    wf.run(question="one", session=session)
    first = BufferMemory().fingerprint(Context(services=Services(session=session)))
    wf.run(question="two", session=session)
    assert BufferMemory().fingerprint(Context(services=Services(session=session))) != first


def test_a_script_begins_a_conversation():
    assert buffer_memory() == []
