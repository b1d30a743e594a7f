import json

import pytest

from bpaz_lab.api.hosted.outcome import LONGEST, LONGEST_TOKEN, as_value, fitting
from bpaz_lab.guard.mask import Masker

OPEN = Masker()


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "text", [1, {"a": None}], {"b": [True]}, []])
def test_what_is_json_is_kept(value):
    assert as_value(value, OPEN, 1000)[0] == value


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), {1: 2}, b"x", [object()], "\ud800"])
def test_what_is_no_json_is_shown(value):
    told, _ = as_value(value, OPEN, 1000)
    assert told["why"] == "it is no JSON"
    assert told["type"] == type(value).__name__
    json.dumps(told, allow_nan=False).encode()


def test_what_is_too_large_is_shown_and_says_so():
    told, size = as_value("x" * 1001, OPEN, 1000)
    assert told["why"] == "it has 1,003 bytes as JSON, more than is kept"
    assert told["text"].startswith("xxx")
    assert size < 1000
    assert as_value("x" * LONGEST, OPEN, 10**9)[0]["type"] == "str"


def test_a_circle_is_no_json():
    circle = []
    circle.append(circle)
    assert as_value(circle, OPEN, 1000)[0]["why"] == "it is no JSON"


@pytest.mark.parametrize("value", ["the key open-sesame", {"open-sesame": ["open-sesame"]}, {b"open-sesame"}])
def test_no_secret_leaves(value):
    told, _ = as_value(value, Masker(["open-sesame"]), 10_000)
    assert "sesame" not in json.dumps(told)


def test_an_event_that_no_server_takes_is_cut():
    token = {"type": "token", "text": "x" * (LONGEST_TOKEN + 5), "seq": 0}
    assert fitting(token)["text"] == "x" * LONGEST_TOKEN + "…"
    asked = {"type": "node.asked", "question": {"text": "?", "data": ["x" * 1000] * 300}}
    assert fitting(asked) == {"type": "node.asked", "question": {"text": "?", "data": None}}
    small = {"type": "token", "text": "x"}
    assert fitting(small) is small
