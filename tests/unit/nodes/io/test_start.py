from __future__ import annotations

import pytest

from bpaz_lab.errors import InputError, SettingError
from bpaz_lab.nodes.io.start import Start

pytestmark = pytest.mark.unit

FIELDS = [
    {"name": "topic"},
    {"name": "count", "kind": "number", "default": 3},
    {"name": "polite", "kind": "boolean", "required": False},
    {"name": "rows", "kind": "json", "required": False},
]


async def test_each_field_is_an_input_of_the_run_and_an_output():
    node = Start.of({"fields": FIELDS})
    ports = node.ports(node.settings())
    assert [(port.name, port.tag, port.required, port.source) for port in ports.inputs] == [
        ("topic", "text", True, "run"),
        ("count", "data", False, "run"),
        ("polite", "data", False, "run"),
        ("rows", "data", False, "run"),
    ]
    assert [port.name for port in ports.outputs] == ["topic", "count", "polite", "rows"]
    assert ports.main.name == "topic"


async def test_values_come_out_and_defaults_are_filled_in():
    rows = [object()]
    found = await Start.of({"fields": FIELDS}).execute({"topic": "tea", "rows": rows})
    assert found == {"topic": "tea", "count": 3, "polite": None, "rows": rows}
    assert found["rows"] is rows


async def test_text_of_a_command_line_becomes_the_kind():
    found = await Start.of({"fields": FIELDS}).execute({"topic": "tea", "count": "2.5", "polite": "no"})
    assert (found["count"], found["polite"]) == (2.5, False)
    whole = (await Start.of({"fields": FIELDS}).execute({"topic": "tea", "count": "2"}))["count"]
    assert whole == 2
    assert isinstance(whole, int)


@pytest.mark.parametrize("inputs", [{"topic": 3}, {"topic": None}, {"topic": "tea", "count": "many"}])
async def test_a_value_of_another_kind_is_refused(inputs):
    with pytest.raises(InputError, match=r"(topic is a text|count is a number), not") as caught:
        await Start.of({"fields": FIELDS}).execute(inputs)
    assert caught.value.path in ("topic", "count")


async def test_a_missing_input_is_named():
    with pytest.raises(InputError, match="lacks topic"):
        await Start.of({"fields": FIELDS}).execute({})


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ([{"name": "a"}, {"name": "a"}], "fields", "there twice"),
        ([{"name": "a b"}], "fields.0.name", "no name of Python"),
        ([{"name": "a", "kind": "colour"}], "fields.0.kind", "'text', 'number'"),
        ([{"name": "a", "colour": "red"}], "fields.0.colour", "colour"),
    ],
)
def test_a_field_that_makes_no_sense(fields, path, said):
    with pytest.raises(SettingError, match=said) as caught:
        Start.of({"fields": fields})
    assert caught.value.path == path


@pytest.mark.parametrize("fields", [None, "a", [3], [{"kind": "text"}], [{"name": "a"}, {"name": "a"}]])
def test_ports_of_half_typed_settings_never_fail(fields):
    names = [port.name for port in Start.ports({"fields": fields}).inputs]
    assert names in ([], ["a"])
