from __future__ import annotations

import pytest

from bpaz_lab.engine.steps import StepRow, intact, seal, sealed

pytestmark = pytest.mark.unit

ROW = StepRow("send", "done", "once", b"\x80", ("ab",), 3, 1, 0.25, 1.5)
OTHERS = {
    "address": "other",
    "state": "given",
    "effect": "pure",
    "data": b"\x81",
    "parts": ("a", "b"),
    "size": 4,
    "epoch": 2,
    "began": 0.5,
    "ended": 2.5,
    "digest": "00",
}


def test_a_row_is_whole_in_its_own_run_alone():
    row = sealed("a1", ROW)
    assert intact("a1", row)
    assert not intact("a2", row)
    assert row.digest == seal("a1", *ROW[:-1])
    assert len(row.digest) == 32


@pytest.mark.parametrize("field", StepRow._fields)
def test_a_change_of_any_field_shows(field):
    assert not intact("a1", sealed("a1", ROW)._replace(**{field: OTHERS[field]}))


@pytest.mark.parametrize(
    ("field", "value"), [("ended", "x"), ("data", "text"), ("size", object()), ("began", None)]
)
def test_a_row_of_the_wrong_kinds_is_damaged_and_no_error(field, value):
    assert not intact("a1", sealed("a1", ROW)._replace(**{field: value}))


def test_whole_seconds_are_seconds():
    assert intact("a1", sealed("a1", ROW._replace(ended=2.0))._replace(ended=2))
