from __future__ import annotations

import pytest

from bpaz_lab.errors import ExpressionError, SettingError
from bpaz_lab.nodes.control.switch import Switch

pytestmark = pytest.mark.unit
CASES = [{"name": "refund", "when": "value contains 'refund'"}, {"name": "urgent", "when": "score > limit"}]


def test_its_ports_are_its_cases_and_what_they_speak_of():
    ports = Switch.ports({"cases": CASES})
    assert [port.name for port in ports.inputs] == ["value", "limit", "score"]
    assert [port.name for port in ports.outputs] == ["refund", "urgent", "otherwise"]
    assert ports.main.name == "refund"


@pytest.mark.parametrize(
    ("value", "score", "way"),
    [("a refund", 9, "refund"), ("hello", 9, "urgent"), ("hello", 1, "otherwise"), ("a refund", 1, "refund")],
)
async def test_the_first_case_that_holds(value, score, way):
    node = Switch.of({"cases": CASES})
    assert await node.execute({"value": value, "score": score, "limit": 5}) == {way: value}


async def test_a_case_that_does_not_fit_is_an_error():
    node = Switch.of({"cases": CASES})
    with pytest.raises(ExpressionError, match="cannot be ordered"):
        await node.execute({"value": "", "score": "high", "limit": 5})


@pytest.mark.parametrize(
    "cases",
    [
        [],
        [{"name": "a", "when": "value >"}],
        [{"name": "otherwise", "when": "true"}],
        [CASES[0], CASES[0]],
        [{"name": "a b", "when": "true"}],
        [{"name": "a"}],
    ],
)
def test_cases_that_make_no_sense_are_refused(cases):
    with pytest.raises(SettingError) as caught:
        Switch.of({"cases": cases})
    assert caught.value.path.startswith("cases")
    Switch.ports({"cases": cases})
