from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.errors import InputError, SettingError
from bpaz_lab.nodes.prompts.prompt_template import PromptTemplate

pytestmark = pytest.mark.unit


async def filled(template, **values):
    return (await PromptTemplate.of({"template": template}).execute(values))["text"]


async def test_variables_are_filled():
    assert await filled("{a} and {b}, {a}", a="one", b="two") == "one and two, one"


async def test_doubled_braces_stay_as_braces():
    assert await filled("{{{a}}} {{}} }}{{", a="x") == "{x} {} }{"


async def test_what_fills_a_place_is_not_looked_through():
    assert await filled("{a} {b}", a="{b} {{ {0.__class__}", b="x") == "{b} {{ {0.__class__} x"


async def test_what_is_no_text_comes_as_json():
    assert await filled("{a}|{b}", a={"x": [1, None]}, b=3) == '{"x": [1, null]}|3'


def test_a_port_for_each_variable_in_the_order_of_the_text():
    ports = PromptTemplate.ports({"template": "{second} {first} {second}"})
    assert [(port.name, port.tag, port.required) for port in ports.inputs] == [
        ("second", "text", True),
        ("first", "text", True),
    ]
    assert ports.main.needs == ("second", "first")


async def test_a_template_without_variables_is_a_text():
    assert await filled("Hello") == "Hello"
    assert PromptTemplate.ports({"template": "Hello"}).inputs == ()


async def test_a_variable_that_nothing_fills():
    with pytest.raises(InputError, match="lacks b"):
        await filled("{a}{b}", a="x")


@pytest.mark.parametrize(
    ("template", "where", "said"),
    [
        ("say {", "line 1, column 5", "'{' has no partner"),
        ("a\nbc } d", "line 2, column 4", "'}' has no partner"),
        ("a\n\n{x.y}", "line 3, column 1", "'{x.y}' is not the name of a variable"),
        ("{}", "line 1, column 1", "is not the name"),
        ("{a!r}", "line 1, column 1", "is not the name"),
        ("{a:>10}", "line 1, column 1", "is not the name"),
        ("{a[0]}", "line 1, column 1", "is not the name"),
        ("{ a }", "line 1, column 1", "is not the name"),
        ("{{ {% if x %} }}", "line 1, column 4", "is not the name"),
        ("{a", "line 1, column 1", "no partner"),
    ],
)
def test_a_brace_that_is_no_variable_is_refused_with_its_place(template, where, said):
    with pytest.raises(SettingError) as caught:
        PromptTemplate.of({"template": template})
    assert caught.value.path == "template"
    assert where in caught.value.message
    assert said in caught.value.message
    assert "{{ and }}" in caught.value.hint


def test_wires_stay_while_a_brace_is_being_typed():
    assert [port.name for port in PromptTemplate.ports({"template": "{a} {b} {c"}).inputs] == ["a", "b"]
    assert PromptTemplate.ports({"template": None}).inputs == ()


@given(st.text(alphabet="ab{}\n.!", max_size=30))
async def test_a_template_that_is_taken_means_what_it_means_to_python(template):
    try:
        node = PromptTemplate.of({"template": template})
    except SettingError:
        return
    names = [port.name for port in node.ports(node.settings()).inputs]
    values = {name: f"<{name}>" for name in names}
    assert (await node.execute(values))["text"] == template.format(**values)
