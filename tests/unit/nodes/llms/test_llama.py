from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.output_parsers import JsonOutputParser
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from bpaz_lab.errors import MissingPackage
from bpaz_lab.nodes.llms import _llama_engine
from bpaz_lab.nodes.llms._llama import SYSTEM, _request, bounded, llama_chat
from bpaz_lab.nodes.llms._weights import LocalModelError, find_model

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

QUESTION = "What is a kernel?"
# Some 4,000 tokens that the grammar insists on: a minute of work unless somebody stops it.
ENDLESS = {
    "type": "array",
    "items": {"type": "string", "minLength": 200, "maxLength": 200},
    "minItems": 100,
    "maxItems": 100,
}


class Animal(BaseModel):
    name: str
    legs: int
    foods: list[str]


@pytest.fixture
def chat():
    return llama_chat(temperature=0, max_tokens=12, seed=1)


def text_of(chunks):
    return "".join(chunk.content for chunk in chunks)


def test_it_is_a_langchain_chat_model(chat):
    assert isinstance(chat, BaseChatModel)
    assert chat._llm_type == "llama.cpp"
    assert chat._identifying_params["model"] == str(find_model())


def test_invoke_gives_text_usage_and_the_reason_for_ending(chat):
    answer = chat.invoke(QUESTION)
    assert answer.content.strip()
    assert answer.usage_metadata["output_tokens"] == 12
    assert answer.usage_metadata["input_tokens"] > 12
    assert answer.response_metadata["finish_reason"] == "length"


def test_stream_gives_a_token_at_a_time_and_the_same_text_as_invoke(chat):
    chunks = list(chat.stream(QUESTION))
    assert len([chunk for chunk in chunks if chunk.content]) > 1
    assert text_of(chunks) == chat.invoke(QUESTION).content
    assert chunks[-1].chunk_position == "last"
    assert chunks[-1].usage_metadata["output_tokens"] == 12


async def test_the_async_ways_give_the_same_text(chat):
    chunks = [chunk async for chunk in chat.astream(QUESTION)]
    answer = await chat.ainvoke(QUESTION)
    assert len([chunk for chunk in chunks if chunk.content]) > 1
    assert text_of(chunks) == answer.content == chat.invoke(QUESTION).content
    assert answer.usage_metadata == chunks[-1].usage_metadata


def test_a_seed_repeats_a_sampled_answer():
    answers = {llama_chat(temperature=1.5, max_tokens=12, seed=7).invoke(QUESTION).content for _ in range(2)}
    other = llama_chat(temperature=1.5, max_tokens=12, seed=8).invoke(QUESTION).content
    assert len(answers) == 1
    assert other not in answers


def test_a_stop_text_ends_the_answer(chat):
    word = chat.invoke(QUESTION).content.split()[2]
    stopped = llama_chat(temperature=0, max_tokens=12, seed=1, stop=[word]).invoke(QUESTION)
    assert word not in stopped.content
    assert stopped.response_metadata["finish_reason"] == "stop"
    assert chat.invoke(QUESTION, stop=[word]).content == stopped.content


def test_options_can_be_bound_and_unknown_ones_are_refused(chat):
    assert chat.bind(max_tokens=3).invoke(QUESTION).usage_metadata["output_tokens"] == 3
    with pytest.raises(LocalModelError, match="does not take top_k") as caught:
        chat.invoke(QUESTION, top_k=1)
    assert "temperature" in caught.value.hint


@pytest.mark.parametrize(
    "options", [{"temprature": 0}, {"max_tokens": 0}, {"temperature": -1}, {"n_threads": 0}]
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        llama_chat(**options)


def test_there_is_always_one_system_message():
    options = {"max_tokens": 1, "temperature": 0, "seed": None, "json_schema": None}
    added = _request(SYSTEM, [HumanMessage("hi")], [], options)["messages"]
    kept = _request(SYSTEM, [SystemMessage("Be rude."), HumanMessage("hi")], [], options)["messages"]
    assert added == [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "hi"}]
    assert kept[0] == {"role": "system", "content": "Be rude."}
    assert len(kept) == 2


def test_structured_output_is_an_object_of_the_class():
    animal = llama_chat(seed=1).with_structured_output(Animal).invoke("Describe a cat.")
    assert isinstance(animal, Animal)


async def test_structured_output_takes_json_schemas_and_typed_dicts():
    class Named(TypedDict):
        """Somebody's name."""

        name: str

    chat = llama_chat(seed=1)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert isinstance(chat.with_structured_output(schema).invoke("Pick a number.")["n"], int)
    assert isinstance((await chat.with_structured_output(Named).ainvoke("Name a cat."))["name"], str)


def test_structured_output_can_keep_the_raw_answer():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    both = llama_chat(seed=1).with_structured_output(schema, include_raw=True).invoke("Pick a number.")
    assert JsonOutputParser().invoke(both["raw"]) == both["parsed"]
    assert both["parsing_error"] is None


def test_a_json_answer_that_is_cut_off_says_so():
    chat = llama_chat(json_schema=Animal.model_json_schema(), max_tokens=4)
    with pytest.raises(LocalModelError, match="cut off at 4 tokens") as caught:
        chat.invoke("Describe a cat.")
    assert "max_tokens" in caught.value.hint


def test_bounded_caps_what_has_no_bound_and_nothing_else():
    schema = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "short": {"type": ["string", "null"], "maxLength": 3},
            "many": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 20},
        },
        "$defs": {"Part": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
    }
    result = bounded(schema)
    assert result["properties"] == {
        "type": {"type": "string", "maxLength": 200},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "short": {"type": ["string", "null"], "maxLength": 3},
        "many": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 20, "maxItems": 20},
    }
    assert result["$defs"]["Part"]["anyOf"] == [{"type": "string", "maxLength": 200}, {"type": "integer"}]
    assert "maxLength" not in schema["properties"]["type"]


async def test_the_loop_stays_live_while_the_model_works(chat):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    seen = [ticks async for chunk in chat.astream(QUESTION) if chunk.content]
    ticker.cancel()
    assert seen[-1] - seen[0] > 10 * len(seen)


async def test_cancelling_the_consumer_stops_the_model(chat):
    endless = llama_chat(json_schema=ENDLESS, max_tokens=4000)
    started = asyncio.Event()

    async def consume():
        async for chunk in endless.astream("Write."):
            if chunk.content:
                started.set()

    task = asyncio.create_task(consume())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The engine answers one request at a time: this answer comes only once the other is dropped.
    async with asyncio.timeout(20):
        await chat.ainvoke(QUESTION)


def test_leaving_a_stream_stops_the_model(chat):
    for chunk in llama_chat(json_schema=ENDLESS, max_tokens=4000).stream("Write."):
        if chunk.content:
            break
    engine = chat._engine
    assert engine._worker.submit(lambda: "free").result(timeout=20) == "free"


async def test_a_request_that_waits_can_be_cancelled(chat):
    async with asyncio.timeout(20):
        first = asyncio.create_task(llama_chat(json_schema=ENDLESS, max_tokens=4000).ainvoke("Write."))
        waiting = asyncio.create_task(chat.ainvoke(QUESTION))
        await asyncio.sleep(0.1)
        for task in (waiting, first):
            task.cancel()
        await asyncio.gather(waiting, first, return_exceptions=True)
        assert waiting.cancelled()
        assert first.cancelled()
        await chat.ainvoke(QUESTION)


async def test_concurrent_calls_all_finish(chat):
    alone = chat.invoke(QUESTION).content
    threads = [
        threading.Thread(target=lambda: answers.append(chat.invoke(QUESTION).content)) for _ in range(2)
    ]
    answers = []
    for thread in threads:
        thread.start()
    together = await asyncio.gather(*(chat.ainvoke(QUESTION) for _ in range(2)))
    await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
    assert [answer.content for answer in together] + answers == [alone] * 4


def test_the_model_is_loaded_once_for_the_same_options(chat):
    chat.invoke(QUESTION)
    server = chat._engine._server
    again = llama_chat(temperature=1, system="Other.", max_tokens=3, model_path=str(find_model()))
    assert again._engine is chat._engine
    assert again._engine.loaded
    again.invoke(QUESTION)
    assert again._engine._server is server
    assert llama_chat(n_ctx=512)._engine is not chat._engine


def test_few_models_stay_loaded_and_a_changed_file_is_loaded_anew(tmp_path):
    path = tmp_path / "model.gguf"
    path.symlink_to(find_model())
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(b"GGUF")
    first = _llama_engine.engine_for(copy, 512, 1)
    os.utime(copy, (1, 1))
    assert _llama_engine.engine_for(copy, 512, 1) is not first
    for n_ctx in (513, 514, 515):
        _llama_engine.engine_for(copy, n_ctx, 1)
    assert len(_llama_engine._engines) == _llama_engine.KEPT
    same = _llama_engine.engine_for(path, 4096, 1)
    assert same is _llama_engine.engine_for(find_model(), 4096, 1)


def test_nothing_listens_where_anybody_could_knock(chat):
    chat.invoke(QUESTION)
    kind, _, address = chat._engine._server.listening_address.partition("://")
    assert kind == "unix"
    assert not Path(address).exists()


def test_a_prompt_that_is_too_long_says_what_to_do(chat):
    with pytest.raises(LocalModelError, match="context") as caught:
        chat.invoke("word " * 5000)
    assert "n_ctx" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no model file"), (b"PK\x03\x04", "not a GGUF file")]
)
def test_a_wrong_path_is_refused_before_anything_is_loaded(tmp_path, content, message):
    path = tmp_path / "model.gguf"
    if content:
        path.write_bytes(content)
    with pytest.raises(LocalModelError, match=message) as caught:
        llama_chat(model_path=str(path))
    assert caught.value.path == str(path)
    assert caught.value.hint


async def test_a_damaged_model_file_is_an_error_both_ways(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    chat = llama_chat(model_path=str(path))
    with pytest.raises(LocalModelError, match="cannot load") as caught:
        chat.invoke(QUESTION)
    assert caught.value.path == str(path)
    with pytest.raises(LocalModelError, match="cannot load"):
        await chat.ainvoke(QUESTION)


def test_a_missing_package_says_how_to_get_it(tmp_path, monkeypatch):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingPackage) as caught:
        llama_chat(model_path=str(path)).invoke(QUESTION)
    assert caught.value.hint == "pip install 'bpaz-lab[local]'"


def test_importing_is_light_and_leaving_in_the_middle_of_an_answer_is_clean():
    script = f"""
import sys
from bpaz_lab.nodes.llms._llama import llama_chat
heavy = {{"langchain_core", "xllamacpp", "pydantic", "jupyter_core"}} & set(sys.modules)
assert not heavy, heavy
stream = llama_chat(temperature=0, max_tokens=30).stream({QUESTION!r})
print(next(chunk.content for chunk in stream if chunk.content))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not done.stderr.strip()
