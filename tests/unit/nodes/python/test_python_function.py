from __future__ import annotations

import threading
from functools import partial

import pytest

from bpaz_lab.errors import InputError, SettingError
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.python.python_function import PythonFunction

pytestmark = pytest.mark.unit


async def call(function, inputs=("value",), **arguments):
    node = PythonFunction.of({"name": "function", "inputs": list(inputs)})
    context = Context("call", services=Services(namespace={"function": function}))
    return (await node.execute(arguments, context))["result"]


async def test_a_function_gets_the_very_objects_by_name():
    given = object()
    assert await call(lambda value: value, value=given) is given
    assert await call(lambda a, b=2, *, c: (a, b, c), ["a", "c"], a=1, c=3) == (1, 2, 3)


async def test_a_sync_function_runs_in_a_thread_and_an_async_one_on_the_loop():
    async def here(value):
        return threading.current_thread() is threading.main_thread()

    assert await call(lambda value: threading.current_thread() is threading.main_thread(), value=0) is False
    assert await call(here, value=0) is True


async def test_what_a_function_gives_to_be_awaited_is_awaited():
    async def double(value):
        return value * 2

    assert await call(partial(double), value=2) == 4


async def test_without_inputs():
    assert await call(lambda: 7, []) == 7


async def test_a_function_of_c_that_tells_no_signature():
    assert await call(dict, value=1) == {"value": 1}


async def test_a_class_can_be_called_too():
    assert str(await call(complex, ["real", "imag"], real=1, imag=2)) == "(1+2j)"


async def test_what_cannot_be_called():
    with pytest.raises(InputError, match="'function' is a int, which cannot be called") as caught:
        await call(3, value=1)
    assert "Variable" in caught.value.hint


async def test_arguments_that_do_not_fit_are_told_with_the_signature():
    def total(table, column):
        return table[column]

    with pytest.raises(
        InputError, match=r"do not fit function\(table, column\): missing a required"
    ) as caught:
        await call(total, ["table"], table=1)
    assert caught.value.path == "inputs"


async def test_a_type_error_inside_the_function_stays_its_own():
    with pytest.raises(TypeError, match="unsupported operand"):
        await call(lambda value: value + "x", value=1)


def test_a_port_for_each_input():
    ports = PythonFunction.ports({"name": "f", "inputs": ["table", "column"]})
    assert [(port.name, port.tag, port.required) for port in ports.inputs] == [
        ("table", "any", True),
        ("column", "any", True),
    ]
    assert ports.main.needs == ("table", "column")
    assert PythonFunction.ports({"inputs": "x"}).inputs == ()


@pytest.mark.parametrize("settings", [{}, {"name": "os.system"}, {"name": "f", "inputs": ["a b"]}])
def test_only_names(settings):
    with pytest.raises(SettingError):
        PythonFunction.of(settings)
