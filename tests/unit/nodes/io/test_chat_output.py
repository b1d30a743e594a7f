from __future__ import annotations

import pytest

from bpaz_lab.errors import InputError
from bpaz_lab.nodes.io.chat_output import ChatOutput

pytestmark = pytest.mark.unit


async def test_the_text_is_the_output_of_the_run():
    assert await ChatOutput().execute({"text": "Because."}) == {"text": "Because."}
    assert ChatOutput.collects


async def test_it_needs_a_text():
    with pytest.raises(InputError, match="lacks text"):
        await ChatOutput().execute({})
