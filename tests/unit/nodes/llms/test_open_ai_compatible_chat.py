from __future__ import annotations

import asyncio

import pytest

from bpaz_lab.errors import CredentialError, EgressRefused, LiteralSecret, RunCancelled, SettingError
from bpaz_lab.guard.credentials import EnvironmentResolver
from bpaz_lab.guard.egress import EgressPolicy
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.llms._model import ModelError
from bpaz_lab.nodes.llms.open_ai_compatible_chat import OpenAICompatibleChat
from tests.support.openai_server import OpenAIServer

pytestmark = pytest.mark.unit

KEY = "canary-0123456789-key"
RESOLVER = EnvironmentResolver({"OPENAI_API_KEY": KEY})


@pytest.fixture
async def server():
    async with OpenAIServer() as server:
        yield server


def node(server, **settings):
    return OpenAICompatibleChat.of(
        {"base_url": server.url, "model": "gpt-test", "max_retries": 0, **settings}
    )


def watched(**services):
    events = []
    services.setdefault("resolver", RESOLVER)
    return events, Context("chat", services=Services(emit=lambda *event: events.append(event), **services))


def texts(events):
    return [data["text"] for kind, _, data in events if kind == "token"]


async def test_text_streams_piece_by_piece_and_the_tokens_are_counted(server):
    events, context = watched()
    found = await node(server, system_prompt="Be brief.").execute({"prompt": "What is a kernel?"}, context)
    assert found == {"text": "A kernel runs code."}
    assert texts(events) == ["A kernel", " runs", " code."]
    assert events[-1] == ("usage", "chat", {"input_tokens": 6, "output_tokens": 3, "model": "gpt-test"})


async def test_the_request_is_what_the_settings_say(server):
    _, context = watched()
    chat = node(server, system_prompt="Be brief.", temperature=0.5, max_tokens=9)
    await chat.execute({"prompt": "Hi"}, context)
    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["headers"]["authorization"] == f"Bearer {KEY}"
    assert request["body"]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert request["body"]["temperature"] == 0.5
    assert request["body"]["max_completion_tokens"] == 9
    assert request["body"]["model"] == "gpt-test"


async def test_empty_settings_leave_the_choice_to_the_server(server):
    _, context = watched()
    await node(server).execute({"prompt": "Hi"}, context)
    assert not {"temperature", "max_completion_tokens", "max_tokens"} & server.requests[0]["body"].keys()
    assert [message["role"] for message in server.requests[0]["body"]["messages"]] == ["user"]


async def test_without_a_credential_no_key_of_the_environment_leaves(server, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("OPENAI_PROXY", "http://127.0.0.1:9")
    _, context = watched()
    assert await node(server, api_key=None).execute({"prompt": "Hi"}, context)
    assert KEY not in str(server.requests)


async def test_the_model_is_a_chat_model_that_keeps_no_connection_open(server):
    _, context = watched()
    found = await node(server).execute({}, context, wanted=("model",))
    asked = await found["model"].ainvoke("Hi")
    blocking = await asyncio.to_thread(found["model"].invoke, "Hi")
    assert asked.content == blocking.content == "A kernel runs code."
    assert [request["headers"]["connection"] for request in server.requests] == ["close", "close"]


@pytest.mark.parametrize(
    ("status", "said", "hint"),
    [
        (401, "Incorrect API key", "check the credential"),
        (404, "does not exist", "model's name"),
        (429, "Rate limit reached", "wait a little"),
        (500, "had an error", "try again later"),
    ],
)
async def test_an_error_of_the_server_says_what_it_said_and_what_to_do(server, status, said, hint):
    server.fails = [status]
    _, context = watched()
    with pytest.raises(ModelError, match=said) as caught:
        await node(server).execute({"prompt": "Hi"}, context)
    assert str(status) in caught.value.message
    assert hint in caught.value.hint
    assert KEY not in str(caught.value)


async def test_a_busy_server_is_asked_again(server):
    server.fails = [429]
    _, context = watched()
    assert (await node(server, max_retries=1).execute({"prompt": "Hi"}, context))["text"]
    assert len(server.requests) == 2


async def test_a_silent_server_is_given_up_after_the_timeout(server):
    server.silent = True
    _, context = watched()
    with pytest.raises(ModelError, match="did not answer in time"):
        await node(server, timeout=0.2).execute({"prompt": "Hi"}, context)


async def test_a_server_that_hangs_up_midway_is_no_answer(server):
    server.broken_after = 1
    events, context = watched()
    with pytest.raises(ModelError, match="connection to the model's server failed"):
        await node(server).execute({"prompt": "Hi"}, context)
    assert texts(events) == ["A kernel"]


async def test_a_server_that_is_not_there(server):
    _, context = watched()
    gone = node(server, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ModelError, match="connection to the model's server failed") as caught:
        await gone.execute({"prompt": "Hi"}, context)
    assert "base URL" in caught.value.hint


async def test_the_policy_of_the_run_decides_what_is_reached(server):
    _, context = watched(egress=EgressPolicy())
    with pytest.raises(EgressRefused, match="loopback"):
        await node(server).execute({"prompt": "Hi"}, context)
    assert server.requests == []


async def test_a_key_goes_to_no_host_that_is_not_its_own():
    _, context = watched()
    lure = OpenAICompatibleChat.of({"base_url": "http://keys.invalid/v1"})
    with pytest.raises(CredentialError, match=r"may not be sent to keys\.invalid"):
        await lure.execute({"prompt": "Hi"}, context)


@pytest.fixture
async def asking(server):
    """A question whose answer has begun and would take long."""
    server.pieces, server.gap, begun, events = ["word "] * 500, 0.01, asyncio.Event(), []

    def emit(*event):
        events.append(event)
        begun.set()

    context = Context("chat", services=Services(emit=emit, resolver=RESOLVER))
    task = asyncio.create_task(node(server).execute({"prompt": "Hi"}, context))
    await begun.wait()
    return task, context, events


async def test_stopping_the_run_ends_the_stream(server, asking):
    task, context, events = asking
    context.services.cancel.set()
    with pytest.raises(RunCancelled):
        await task
    await server.dropped.wait()
    assert len(texts(events)) < 500


async def test_cancelling_the_task_ends_the_stream(server, asking):
    task, _, events = asking
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.dropped.wait()
    assert len(texts(events)) < 500


def test_a_key_written_out_is_refused():
    with pytest.raises(LiteralSecret, match="name of a credential"):
        OpenAICompatibleChat.of({"api_key": KEY})


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org/v1", "https://", "https://a.org/v1?key=1"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(SettingError) as caught:
        OpenAICompatibleChat.of({"base_url": url})
    assert caught.value.path == "base_url"
