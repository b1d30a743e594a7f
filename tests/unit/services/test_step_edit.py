from __future__ import annotations

import pytest

from bpaz_lab.engine.steps import StepRow
from bpaz_lab.engine.values import ABOUT, INLINE, pack, unpack
from bpaz_lab.errors import IntegrityError, Invalid
from bpaz_lab.services.step_edit import edited

pytestmark = pytest.mark.unit


def row(**values):
    packed = pack(values)
    return StepRow("load", "done", "pure", packed.data, tuple(packed.parts), packed.size, 1, 0.0, 1.0), packed


def test_the_other_outputs_stay_bytes_however_large():
    large, text = "x" * (2 * INLINE), "y" * (2 * INLINE)
    old, packed = row(whole=large, pair=(1, {2}), text="old")
    new, parts = edited(old, {"text": text})
    assert (new.state, new.address, new.digest) == ("given", "load", "")
    assert set(new.parts) == {*packed.parts, *parts}
    assert unpack(new.data, {**packed.parts, **parts}.__getitem__) == {
        "whole": large, "pair": (1, {2}), "text": text,
    }  # fmt: skip
    assert new.size > 4 * INLINE


def test_what_it_had_cost_does_not_come_along():
    old, _ = row(text="old", **{ABOUT: {"usage": {"model": [1, 2]}}})
    new, parts = edited(old, {"text": "new"})
    assert b"usage" not in new.data
    assert (unpack(new.data, parts.__getitem__), new.parts) == ({"text": "new"}, ())


def test_a_step_that_gave_nothing_is_given_something():
    new, _ = edited(StepRow("load", "failed", "once", b"", (), 0, 1, 0.0, 1.0), {"text": "new"})
    assert unpack(new.data, {}.__getitem__) == {"text": "new"}


def test_what_has_no_form_or_cannot_be_read_is_said():
    old, _ = row(text="old")
    with pytest.raises(Invalid, match="text"):
        edited(old, {"text": object()})
    with pytest.raises(IntegrityError):
        edited(old._replace(data=b"\xc1"), {"text": "new"})
