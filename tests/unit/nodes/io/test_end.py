from __future__ import annotations

import pytest

from bpaz_lab.errors import InputError, SettingError
from bpaz_lab.nodes.io.end import End

pytestmark = pytest.mark.unit


async def test_the_results_are_a_dict_in_the_order_of_the_fields():
    table = object()
    found = await End.of({"fields": ["answer", "sources"]}).execute({"sources": table, "answer": "yes"})
    assert found == {"results": {"answer": "yes", "sources": table}}
    assert list(found["results"]) == ["answer", "sources"]
    assert found["results"]["sources"] is table


async def test_one_field_is_a_dict_too():
    assert await End().execute({"result": 3}) == {"results": {"result": 3}}


async def test_what_did_not_come_is_missing():
    assert await End.of({"fields": ["a", "b"]}).execute({"b": 1}) == {"results": {"b": 1}}


async def test_an_input_that_is_no_field_is_refused():
    with pytest.raises(InputError, match="does not know other"):
        await End().execute({"other": 1})


@pytest.mark.parametrize(
    ("fields", "said"), [([], "at least 1"), (["a", "a"], "twice"), (["a b"], "no name of Python")]
)
def test_fields_that_make_no_sense(fields, said):
    with pytest.raises(SettingError, match=said):
        End.of({"fields": fields})


def test_ports_of_half_typed_settings_never_fail():
    assert End.ports({"fields": "a"}).inputs == ()
    assert [port.name for port in End.ports({"fields": ["a", "a"]}).inputs] == ["a"]
