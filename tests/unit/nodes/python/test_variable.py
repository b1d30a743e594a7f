from __future__ import annotations

import pandas as pd
import pytest

from bpaz_lab.errors import InputError, SettingError
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.python.variable import Variable

pytestmark = pytest.mark.unit


def named(**objects):
    return Context("table", services=Services(namespace=objects))


async def test_the_very_same_object_comes_out():
    df = pd.DataFrame({"x": [1]})
    found = await Variable(name="df").execute({}, named(df=df))
    assert found["value"] is df


async def test_an_object_that_is_none_is_an_object():
    assert await Variable(name="x").execute({}, named(x=None)) == {"value": None}


async def test_a_name_that_nothing_has():
    with pytest.raises(InputError, match="nothing is called 'dff' here") as caught:
        await Variable(name="dff").execute({}, named(df=1))
    assert caught.value.hint == "Did you mean df?"
    assert caught.value.path == "nodes.table.settings.name"
    with pytest.raises(InputError) as caught:
        await Variable(name="dff").execute({}, named())
    assert "Define it in a cell" in caught.value.hint


@pytest.mark.parametrize("settings", [{}, {"name": "df.x"}, {"name": "__import__('os')"}])
def test_only_a_name_is_a_name(settings):
    with pytest.raises(SettingError) as caught:
        Variable.of(settings)
    assert caught.value.path == "name"


def test_a_missing_name_says_what_it_is():
    with pytest.raises(SettingError, match="Variable needs the setting 'name'") as caught:
        Variable.of({})
    assert caught.value.hint == "The name of the object."
