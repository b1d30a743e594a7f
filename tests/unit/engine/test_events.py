from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace
from typing import get_args

import pytest
from pydantic import ValidationError

from bpaz_lab.engine.events import KINDS, Event, as_json, from_json, later

pytestmark = pytest.mark.unit

FAILURE = {"code": "node_failed", "message": "no", "hint": "", "path": "nodes.a"}
QUESTION = {
    "text": "Send?",
    "value": {"type": "str", "text": "x"},
    "form": [{"name": "approve", "title": "Approve", "kind": "boolean"}],
    "data": ["x", {"y": 1}],
}
SAMPLES = {
    "run.started": {"run": "r", "workflow": "w", "nodes": ["a"]},
    "node.started": {"node": "a", "why": "chunk_size is another"},
    "token": {"node": "a", "port": "text", "text": "Hi"},
    "node.progress": {"node": "a", "done": 1.0, "total": 2.0, "message": "half"},
    "node.finished": {
        "node": "a",
        "duration": 0.1,
        "outputs": {"x": {"type": "int", "text": "1"}},
        "usage": {"input_tokens": 3, "output_tokens": 4, "cost": 0.5},
        "cached": True,
        "saved": 2.5,
    },
    "node.failed": {"node": "a", "duration": 0.1, "error": FAILURE},
    "node.skipped": {"node": "a", "reason": "no branch"},
    "node.retried": {"node": "a", "attempt": 1, "wait": 0.5, "error": FAILURE},
    "node.asked": {"node": "a", "question": QUESTION},
    "node.answered": {"node": "a"},
    "run.paused": {"nodes": ["a"]},
    "run.resumed": {},
    "run.finished": {
        "status": "failed",
        "duration": 1.0,
        "output": {"type": "int", "text": "1"},
        "usage": {"input_tokens": 3, "output_tokens": 4, "cost": None},
        "error": FAILURE,
    },
}
every = pytest.mark.parametrize("kind", SAMPLES)


def sample(kind):
    return from_json({"type": kind, "seq": 3, "time": 0.25, **SAMPLES[kind]})


def one(kind, node, rest):
    """An event as a reader of a run gets it."""
    return next(later([(3, 0.25, kind, node, None)], rest))


def lazy(kind):
    whole = sample(kind)
    names = as_json(whole).keys() - {"type", "seq", "time", "node"}
    rest = {name: getattr(whole, name) for name in names}
    return one(kind, getattr(whole, "node", ""), lambda raw: rest if raw[2] == kind else {})


def test_every_kind_has_a_sample():
    assert SAMPLES.keys() == KINDS.keys()
    assert set(KINDS.values()) == set(get_args(get_args(Event)[0]))


@every
def test_an_event_survives_json(kind):
    typed = sample(kind)
    assert type(typed) is KINDS[kind]
    assert (typed.type, typed.seq, typed.time) == (kind, 3, 0.25)
    told = as_json(typed)
    assert (
        told.items() >= {name: value for name, value in SAMPLES[kind].items() if name != "question"}.items()
    )
    assert from_json(json.loads(json.dumps(told))) == typed


@every
def test_what_is_worked_out_later_is_the_same_event(kind):
    typed = sample(kind)
    assert lazy(kind) == typed
    assert typed == lazy(kind)
    assert repr(lazy(kind)) == repr(typed)
    assert as_json(lazy(kind)) == as_json(typed)
    assert replace(lazy(kind), seq=4) == replace(typed, seq=4)


@every
def test_an_event_is_copied_and_pickled_by_its_fields(kind):
    assert pickle.loads(pickle.dumps(lazy(kind))) == sample(kind)  # noqa: S301
    assert copy.deepcopy(lazy(kind)) == sample(kind)


def test_nothing_is_worked_out_before_somebody_looks():
    looked = []

    def rest(_raw):
        looked.append(1)
        return {"duration": 0.5, "outputs": {}}

    event = one("node.finished", "a", rest)
    assert (event.type, event.seq, event.time, event.node) == ("node.finished", 3, 0.25, "a")
    assert not hasattr(event, "_repr_html_")
    assert not looked
    assert (event.duration, event.cached, event.usage) == (0.5, False, None)
    assert looked == [1]


@pytest.mark.parametrize("make", [sample, lazy])
def test_a_name_that_it_has_not_is_told(make):
    with pytest.raises(AttributeError, match="NodeSkipped has no 'colour'"):
        _ = make("node.skipped").colour
    with pytest.raises(AttributeError, match="RunPaused has no 'node'"):
        _ = make("run.paused").node


def test_events_of_two_kinds_differ():
    assert one("run.resumed", "", lambda _: {}) != one("run.paused", "", lambda _: {"nodes": []})


@pytest.mark.parametrize("wrong", [{"type": "node.exploded"}, {"type": "node.skipped", "node": "a"}])
def test_what_is_no_event_is_refused(wrong):
    with pytest.raises(ValidationError):
        from_json({"seq": 0, "time": 0.0, **wrong})
