from __future__ import annotations

import json

import pytest

from bpaz_lab.errors import DocumentError, InputError
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.llms._weights import LocalModelError
from bpaz_lab.nodes.llms.local_chat import LocalChat

pytestmark = pytest.mark.integration


async def test_it_answers_streams_and_counts():
    events = []
    context = Context("chat", services=Services(emit=lambda *event: events.append(event)))
    chat = LocalChat.of({"temperature": 0, "max_tokens": 8})
    found = await chat.execute({"prompt": "What is a kernel?"}, context)
    pieces = [data["text"] for kind, _, data in events if kind == "token"]
    assert len(pieces) > 1
    assert found == {"text": "".join(pieces)}
    (usage,) = [data for kind, _, data in events if kind == "usage"]
    assert usage["output_tokens"] == 8
    assert usage["input_tokens"] > 8


async def test_the_answer_follows_a_schema():
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "green"]}, "count": {"type": "integer", "maximum": 9}},
        "required": ["colour", "count"],
        "additionalProperties": False,
    }
    chat = LocalChat.of({"temperature": 0, "max_tokens": 40, "json_schema": schema})
    answer = json.loads((await chat.execute({"prompt": "A red apple. Give colour and count."}))["text"])
    assert answer.keys() == {"colour", "count"}
    assert answer["colour"] in ("red", "green")


async def test_the_model_is_offered_without_a_prompt_and_costs_nothing():
    found = await LocalChat.of({"seed": 1, "n_ctx": 1024}).execute({}, wanted=("model",))
    model = found["model"]
    assert (model.seed, model.n_ctx, model.temperature, model.max_tokens) == (1, 1024, 0.2, 512)


async def test_the_text_needs_a_prompt():
    with pytest.raises(InputError, match="lacks prompt"):
        await LocalChat().execute({})


async def test_an_empty_system_prompt_is_the_models_usual_one():
    usual = (await LocalChat().execute({}, wanted=("model",)))["model"]
    empty = (await LocalChat(system_prompt="").execute({}, wanted=("model",)))["model"]
    assert empty.system == usual.system != ""


async def test_a_model_file_that_is_not_there(tmp_path):
    chat = LocalChat.of({"model_path": str(tmp_path / "none.gguf")})
    with pytest.raises(LocalModelError, match="no model file"):
        await chat.execute({"prompt": "Hi"})


def test_all_settings_that_do_not_fit_are_named():
    with pytest.raises(DocumentError) as caught:
        LocalChat.of({"temperature": 3, "max_tokens": 0, "seed": -1})
    assert [problem.path for problem in caught.value.problems] == ["temperature", "max_tokens", "seed"]
