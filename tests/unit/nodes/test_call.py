from __future__ import annotations

from typing import Any

import pytest

from bpaz_lab.errors import NodeTypeError, RunCancelled
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.call import calls_of, results
from bpaz_lab.nodes.context import Context  # noqa: TC001 (hints are read)

pytestmark = pytest.mark.unit


class Wrong(Node):
    """Returns what it likes."""

    @outputs(a="any", b="any")
    def run(self, value: Any) -> Any:
        return value


class Slow(Node):
    """Never ends by itself."""

    def run(self, context: Context) -> Any:
        while True:
            context.services.cancel.set()
            yield "x"


def call(node, *wanted):
    return calls_of(node, node.ports({}), wanted)


def test_a_method_of_several_outputs_is_called_once():
    assert len(call(Wrong(), "a", "b")) == 1


@pytest.mark.parametrize(
    ("value", "said", "hint"),
    [(3, "returns a dict of outputs, not int", "a, b"), ({"a": 1, "c": 2}, "unknown output 'c'", "a, b")],
)
async def test_what_a_method_returns_must_be_its_outputs(value, said, hint):
    with pytest.raises(NodeTypeError, match=said) as caught:
        await Wrong().execute({"value": value})
    assert hint in caught.value.hint


def test_one_value_goes_to_the_one_output():
    (found,) = call(Slow(), "result")
    assert results(found, 3) == {"result": 3}


async def test_a_generator_in_a_thread_ends_with_the_run():
    with pytest.raises(RunCancelled):
        await Slow().execute({})
