from __future__ import annotations

import pytest
from pydantic import ValidationError

from bpaz_lab.graph.spec import Ports, PortSpec

pytestmark = pytest.mark.unit

PORTS = Ports(
    inputs=(PortSpec(name="x", tag="any"),),
    outputs=(PortSpec(name="a", tag="any"), PortSpec(name="b", tag="text", main=True)),
)


def test_ports_by_name():
    assert PORTS.input("x").tag == "any"
    assert PORTS.input("a") is None
    assert PORTS.output("b").tag == "text"
    assert PORTS.output("x") is None
    assert PORTS.main.name == "b"
    assert Ports().main is None


def test_specs_do_not_change_and_know_their_keys():
    with pytest.raises(ValidationError):
        PORTS.inputs[0].tag = "text"
    with pytest.raises(ValidationError):
        PortSpec(name="x", tag="any", colour="red")
