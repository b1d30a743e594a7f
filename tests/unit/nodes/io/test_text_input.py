from __future__ import annotations

import pytest

from bpaz_lab.nodes.io.text_input import TextInput

pytestmark = pytest.mark.unit


async def test_what_is_written_comes_out():
    assert await TextInput.of({"text": "Hello"}).execute({}) == {"text": "Hello"}
    assert await TextInput().execute({}) == {"text": ""}


async def test_a_wire_takes_the_place_of_what_is_written():
    assert await TextInput.of({"text": "Hello"}).execute({"text": "Bye"}) == {"text": "Bye"}


def test_the_field_is_a_port_and_has_room_for_several_lines():
    (field,) = TextInput.spec().fields
    assert (field.kind, field.port, field.help) == ("multiline", True, "The text itself.")
