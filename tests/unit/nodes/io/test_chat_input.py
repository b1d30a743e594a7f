from __future__ import annotations

import pytest

from bpaz_lab.errors import InputError, SettingError
from bpaz_lab.nodes.io.chat_input import ChatInput

pytestmark = pytest.mark.unit


async def test_the_question_of_the_run_comes_out():
    assert await ChatInput().execute({"question": "Why?"}) == {"text": "Why?"}


async def test_the_input_has_the_name_of_the_setting():
    node = ChatInput.of({"name": "topic"})
    assert await node.execute({"topic": "tea"}) == {"text": "tea"}
    (port,) = node.ports(node.settings()).inputs
    assert (port.name, port.source, port.required, port.title) == ("topic", "run", True, "Topic")
    with pytest.raises(InputError, match="lacks topic"):
        await node.execute({})


async def test_with_a_default_the_run_may_bring_nothing():
    node = ChatInput(default="What is a kernel?")
    assert await node.execute({}) == {"text": "What is a kernel?"}
    assert await node.execute({"question": "Why?"}) == {"text": "Why?"}


@pytest.mark.parametrize("name", ["my question", "1st", "class", ""])
def test_a_name_that_no_keyword_argument_could_have(name):
    with pytest.raises(SettingError, match="no name of Python") as caught:
        ChatInput.of({"name": name})
    assert caught.value.path == "name"
    assert "letters" in caught.value.hint
