from __future__ import annotations

import asyncio

import httpx
import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableGenerator

from bpaz_lab.errors import EgressRefused, InputError, RunCancelled
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.llms._model import ModelError, ask, conversation

pytestmark = pytest.mark.unit


class Whole(BaseChatModel):
    """A chat model that cannot stream."""

    @property
    def _llm_type(self):
        return "whole"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        spent = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
        return ChatResult(
            generations=[ChatGeneration(message=AIMessage("All at once", usage_metadata=spent))]
        )


def failing(error):
    async def stream(_):
        raise error
        yield

    return RunnableGenerator(stream)


@pytest.fixture
def events():
    return []


@pytest.fixture
def context(events):
    return Context("n", services=Services(emit=lambda *event: events.append(event)))


def test_a_conversation_begins_with_the_system_and_ends_with_the_prompt():
    history = [HumanMessage("one"), AIMessage("two")]
    found = conversation("three", system="Be brief.", history=history)
    assert [message.content for message in found] == ["Be brief.", "one", "two", "three"]
    assert [message.type for message in conversation("Hi")] == ["human"]


async def test_pieces_are_streamed_to_the_output_that_is_named(events, context):
    model = GenericFakeChatModel(messages=iter([AIMessage("one two three")]))
    message = await ask(model, conversation("Hi"), context, "answer")
    assert type(message) is AIMessage
    assert message.content == "one two three"
    assert [data for _, _, data in events] == [
        {"port": "answer", "text": text} for text in ("one", " ", "two", " ", "three")
    ]


async def test_a_model_that_cannot_stream_gives_one_piece_and_its_usage(events, context):
    message = await ask(Whole(), conversation("Hi"), context)
    assert message.text == "All at once"
    assert events == [
        ("token", "n", {"port": "text", "text": "All at once"}),
        ("usage", "n", {"input_tokens": 3, "output_tokens": 2, "model": ""}),
    ]


async def test_a_runnable_that_streams_text_will_do(events, context):
    async def stream(_):
        yield "a"
        yield "b"

    message = await ask(RunnableGenerator(stream), conversation("Hi"), context)
    assert message.text == "ab"
    assert len(events) == 2


async def test_an_object_that_is_no_model(context):
    with pytest.raises(InputError, match="got a str, which is no language model"):
        await ask("gpt", conversation("Hi"), context)


async def test_a_model_without_an_answer(context):
    async def stream(_):
        return
        yield

    with pytest.raises(ModelError, match="no answer at all"):
        await ask(RunnableGenerator(stream), conversation("Hi"), context)


async def test_a_stopped_run_gets_no_further_piece(events, context):
    async def stream(_):
        yield "a"
        context.services.cancel.set()
        yield "b"

    with pytest.raises(RunCancelled):
        await ask(RunnableGenerator(stream), conversation("Hi"), context)
    assert len(events) == 1


def wrapped(inner):
    error = RuntimeError("a package's own error")
    error.__cause__ = inner
    return error


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (wrapped(EgressRefused("not there")), EgressRefused, "not there"),
        (wrapped(httpx.ReadTimeout("slow")), ModelError, "in time"),
        (wrapped(httpx.ConnectError("refused")), ModelError, "failed: refused"),
        (TimeoutError(), ModelError, "in time"),
    ],
)
async def test_what_lies_beneath_an_error_is_what_is_said(context, error, kind, said):
    with pytest.raises(kind, match=said):
        await ask(failing(error), conversation("Hi"), context)


class ProviderError(Exception):
    def __init__(self, status, body=None):
        super().__init__("the package's text")
        self.status_code, self.body = status, body


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "plain"}, "plain"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "Overloaded"),
        ("text", "text"),
        (None, "the package's text"),
    ],
)
async def test_the_body_of_every_provider_is_read(context, body, said):
    with pytest.raises(ModelError, match=rf"answered 529: {said}") as caught:
        await ask(failing(ProviderError(529, body)), conversation("Hi"), context)
    assert "try again later" in caught.value.hint


async def test_a_fault_of_somebodys_code_stays_what_it_is(context):
    with pytest.raises(ZeroDivisionError):
        await ask(failing(ZeroDivisionError()), conversation("Hi"), context)


async def test_being_cancelled_is_no_error(context):
    with pytest.raises(asyncio.CancelledError):
        await ask(failing(asyncio.CancelledError()), conversation("Hi"), context)
