from __future__ import annotations

import builtins
import keyword

import pytest

from bpaz_lab.code.names import Names

pytestmark = pytest.mark.unit


def test_a_name_is_given_once():
    names = Names("wf")
    assert [names.take("a"), names.take("a"), names.take("a"), names.take("a", "b_a")] == [
        "a",
        "a_node",
        "a_node_2",
        "b_a",
    ]
    assert names.take("wf") == "wf_node"


@pytest.mark.parametrize("name", [*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "__a__", "___", "_"])
def test_no_name_of_python_is_taken(name):
    taken = Names().take(name)
    assert taken != name
    assert taken.isidentifier()
    assert not keyword.iskeyword(taken)
    assert not hasattr(builtins, taken)
