from __future__ import annotations

import threading

import pytest

from bpaz_lab.errors import InputError
from bpaz_lab.nodes.standing import (
    MISSING,
    credential,
    gathered,
    named,
    reached,
    several,
    step,
    told,
    tried,
    via,
    way,
)

pytestmark = pytest.mark.unit


def test_a_step_is_left_out_when_what_it_needs_did_not_come():
    def shown(**given):
        return given

    assert step(shown, ("a",), {"a": 1, "b": MISSING}, c=3) == {"a": 1, "c": 3}
    assert step(shown, ("b",), {"a": 1, "b": MISSING}) is MISSING
    assert step(shown, (), {"a": MISSING}) is MISSING
    assert way(MISSING, "x") is way({}, "x") is MISSING
    assert via(str, MISSING) is MISSING
    assert via(str, 1) == "1"
    assert several(MISSING, 1, MISSING, 2) == [1, 2]
    assert several(MISSING) is MISSING
    assert gathered(a=MISSING, b=None) == {"b": None}
    assert reached({"a": MISSING, "b": 2}) == 2
    assert reached({"a": 1, "b": 2}) == {"a": 1, "b": 2}
    assert reached({"a": MISSING}) is None


def failing(*errors):
    left = list(errors)

    def function(**given):
        if left:
            raise left.pop(0)
        return given

    return function


def test_repeats():
    assert tried(failing(ValueError(), ValueError()), retries=2, wait=0)(a=1) == {"a": 1}
    with pytest.raises(ValueError, match="b"):
        tried(failing(ValueError("a"), ValueError("b")), retries=1, wait=0)()
    with pytest.raises(TypeError):
        tried(failing(TypeError()), retries=3, wait=0)()
    assert tried(failing(TypeError()), retries=1, wait=0, retry_on=["TypeError"])() == {}
    with pytest.raises(ValueError, match="b"):
        tried(failing(ValueError("b")), retries=1, wait=0, retry_on=["KeyError"])()


def test_what_comes_instead():
    assert tried(failing(ValueError("no")), on_error="default", default=3)() == 3
    assert tried(failing(ValueError("no")), on_error="default", default=3, main="x")() == {"x": 3}
    error = tried(failing(InputError("no", hint="yes")), on_error="port")()["error"]
    assert error == {"code": "input", "message": "no", "hint": "yes", "path": ""}
    assert told(ValueError("x")) == {
        "code": "node_failed",
        "message": "ValueError: x",
        "hint": "",
        "path": "",
    }
    assert named(lambda a: a + 1, "text")(a=1) == {"text": 2}


def test_a_time_limit():
    stop = threading.Event()
    with pytest.raises(TimeoutError):
        tried(lambda: stop.wait(30), timeout=0.01)()
    stop.set()
    assert tried(lambda: 1, timeout=30)() == 1


def test_a_key(monkeypatch):
    monkeypatch.setenv("A_KEY", " k ")
    assert credential("A_KEY") == "k"
    monkeypatch.delenv("A_KEY")
    with pytest.raises(SystemExit, match="A_KEY"):
        credential("A_KEY")
