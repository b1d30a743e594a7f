from __future__ import annotations

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage

from bpaz_lab.errors import InputError
from bpaz_lab.nodes.chains.llm_chain import LLMChain
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.llms.local_chat import LocalChat

pytestmark = pytest.mark.unit


class Recorder(GenericFakeChatModel):
    """Keeps what it was asked."""

    asked: list = []  # noqa: RUF012 (a pydantic field)

    def _generate(self, messages, *args, **kwargs):
        self.asked.append(messages)
        return super()._generate(messages, *args, **kwargs)


def recorder():
    return Recorder(messages=iter([AIMessage("one two")]))


async def test_one_call_gives_text_and_message_and_streams():
    events, model = [], recorder()
    context = Context("chain", services=Services(emit=lambda *event: events.append(event)))
    found = await LLMChain().execute({"model": model, "prompt": "Hi"}, context, wanted=("text", "message"))
    assert found["text"] == found["message"].text == "one two"
    assert [data["text"] for _, _, data in events] == ["one", " ", "two"]
    assert len(model.asked) == 1


async def test_system_history_and_prompt_reach_the_model_in_order():
    model = recorder()
    chain = LLMChain(system_prompt="Be brief.")
    history = [HumanMessage("before"), AIMessage("said")]
    await chain.execute({"model": model, "prompt": "now", "history": history})
    assert [message.content for message in model.asked[0]] == ["Be brief.", "before", "said", "now"]


async def test_without_settings_the_prompt_stands_alone():
    model = recorder()
    await LLMChain().execute({"model": model, "prompt": "now"})
    assert [message.content for message in model.asked[0]] == ["now"]


async def test_the_history_is_no_form_field():
    assert [field.name for field in LLMChain.spec().fields] == ["system_prompt"]


async def test_it_needs_a_model_that_is_one():
    with pytest.raises(InputError, match="lacks model"):
        await LLMChain().execute({"prompt": "Hi"})
    with pytest.raises(InputError, match="no language model"):
        await LLMChain().execute({"model": 3, "prompt": "Hi"})


@pytest.mark.integration
async def test_with_a_real_model():
    model = (await LocalChat(temperature=0, max_tokens=5).execute({}, wanted=("model",)))["model"]
    found = await LLMChain().execute({"model": model, "prompt": "Count to five."})
    assert found["text"].strip()
