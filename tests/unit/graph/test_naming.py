from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.graph.document import is_id
from bpaz_lab.graph.naming import snake, unique

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("TextInput", "text_input"),
        ("LLMChain", "llm_chain"),
        ("OpenAICompatibleChat", "open_ai_compatible_chat"),
        ("End", "end"),
        ("clean up!", "clean_up"),
        ("2nd", "node_2nd"),
        ("é", "node"),
    ],
)
def test_snake(name, id):
    assert snake(name) == id


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,40}", fullmatch=True))
def test_of_a_types_name_comes_an_id(name):
    assert is_id(snake(name))


@given(st.sets(st.sampled_from(["a", "a_2", "a_3", "b"])))
def test_unique_is_free(taken):
    assert unique("a", taken) not in taken


def test_unique_takes_the_first_free_number():
    assert unique("a", set()) == "a"
    assert unique("a", {"a", "a_2", "a_4"}) == "a_3"
