from __future__ import annotations

import base64
import json
import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.errors import NodeFailed
from bpaz_lab.guard.emit import LOUD, Bounds, emit, quiet_loggers
from bpaz_lab.guard.mask import Masker
from bpaz_lab.guard.secret import Secret
from bpaz_lab.guard.strict_json import compact

pytestmark = pytest.mark.unit

KEY = "canary-0123456789"


class Holder:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return f"Holder({self.text!r})"


class Broken:
    def __repr__(self):
        raise RuntimeError(KEY)


@pytest.mark.parametrize(
    "payload",
    [
        KEY,
        {KEY: 1},
        {"a": [{"b": (KEY,)}]},
        {("tuple", KEY): 1},
        Holder(KEY),
        [Holder({"key": KEY})],
        Broken(),
        Secret(KEY),
        {"key": Secret(KEY)},
        ValueError(f"401 for key {KEY}"),
        NodeFailed(f"the key {KEY}", hint=KEY, path=f"nodes.{KEY}"),
        f"https://example.org/?k={KEY}",
        base64.b64encode(f"user:{KEY}".encode()).decode(),
        {KEY},
        KEY.encode(),
    ],
    ids=lambda payload: type(payload).__name__,
)
def test_a_secret_does_not_leave(payload):
    text = compact(emit(payload, Masker([KEY])))
    assert KEY not in text
    assert KEY.encode().hex() not in text
    assert base64.b64encode(KEY.encode()).decode()[2:-4] not in text


@given(st.integers(0, 40), st.integers(1, 40))
def test_a_secret_that_the_cut_goes_through_does_not_show(before, most):
    text = emit("." * before + KEY + "!" * 50, Masker([KEY]), bounds=Bounds(text=most))
    shown = text.split("… (")[0]
    assert not any(shown.endswith(KEY[:length]) for length in range(1, len(KEY) + 1))
    assert KEY not in text


def test_a_secret_number_does_not_leave():
    assert emit({"pin": 12345678}, Masker(["12345678"])) == {"pin": "•••"}


def test_json_is_kept():
    payload = {"a": [1, 2.5, "é", True, None, {"b": []}]}
    assert emit(payload, Masker()) == payload
    assert emit(payload, Masker()) is not payload


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (2**53, 2**53),
        (2**70, str(2**70)),
        ("a\0b\ud800", "a\ufffdb?"),
        (b"abc", "<3 bytes>"),
        (KeyError("x"), "KeyError: 'x'"),
        ((1, 2), [1, 2]),
        ({1: "a", "1": "b"}, {"1": "a", "1•": "b"}),
        (Broken(), "<Broken, whose repr raised RuntimeError>"),
    ],
)
def test_other_values_become_json(payload, shown):
    assert emit(payload, Masker()) == shown


def test_errors_keep_code_path_and_hint():
    shown = emit(NodeFailed("it broke", hint="mend it", path="nodes.a"), Masker())
    assert shown == {"code": "node_failed", "message": "it broke", "hint": "mend it", "path": "nodes.a"}


def test_previews_are_bounded_and_say_so():
    bounds = Bounds(text=5, items=2, depth=2)
    assert emit("abcdef", Masker(), bounds=bounds) == "abcde… (6 characters)"
    assert emit("abcde", Masker(), bounds=bounds) == "abcde"
    assert emit([1, 2, 3, 4], Masker(), bounds=bounds) == [1, 2, "… 2 more"]
    assert emit({"a": 1, "b": 2, "c": 3}, Masker(), bounds=bounds) == {"a": 1, "b": 2, "…": "1 more"}
    assert emit([[[1, 2]]], Masker(), bounds=bounds) == [["<list of 2>"]]
    ring: list = []
    ring.append(ring)
    assert json.dumps(emit(ring, Masker()))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


@given(anything)
def test_whatever_comes_leaves_as_strict_json(value):
    compact(emit(value, Masker(["aaaa"])))


def test_loud_loggers_are_quiet_during_runs():
    logger = logging.getLogger("httpx")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        with quiet_loggers():
            with quiet_loggers():
                assert not logger.isEnabledFor(logging.INFO)
                assert logger.isEnabledFor(logging.WARNING)
            assert not logger.isEnabledFor(logging.INFO)
            assert all(not logging.getLogger(name).isEnabledFor(logging.INFO) for name in LOUD)
        assert logger.level == logging.DEBUG
    finally:
        logger.setLevel(level)


def test_a_logger_that_is_quieter_stays_so():
    logger = logging.getLogger("urllib3")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with quiet_loggers():
            assert not logger.isEnabledFor(logging.ERROR)
        assert logger.level == logging.CRITICAL
    finally:
        logger.setLevel(level)
