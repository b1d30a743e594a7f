from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from bpaz_lab.engine.events import Event, event

pytestmark = pytest.mark.unit

SAMPLES = {
    "run.started": ("", {"run": "r", "workflow": "w", "nodes": ["a"]}),
    "node.started": ("a", {}),
    "token": ("a", {"port": "text", "text": "Hi"}),
    "node.progress": ("a", {"done": 1, "total": 2, "message": "half"}),
    "node.finished": ("a", {"duration": 0.1, "outputs": {"x": {"type": "int", "text": "1"}}}),
    "node.failed": ("a", {"duration": 0.1, "error": {"code": "node_failed", "message": "no"}}),
    "node.skipped": ("a", {"reason": "no branch"}),
    "node.retried": ("a", {"attempt": 1, "wait": 0.5, "error": {"code": "node_failed", "message": "no"}}),
    "node.asked": ("a", {"question": {"text": "Send?", "value": {"type": "str", "text": "x"}, "form": []}}),
    "node.answered": ("a", {}),
    "run.paused": ("", {"nodes": ["a"]}),
    "run.resumed": ("", {}),
    "run.finished": ("", {"status": "completed", "duration": 1.0}),
}
MODELS = {cls.model_fields["type"].default: cls for cls in get_args(get_args(Event)[0])}


def test_every_kind_has_a_sample():
    assert SAMPLES.keys() == MODELS.keys()


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_has_its_model_and_survives_json(kind):
    node, data = SAMPLES[kind]
    typed = event((3, 0.25, kind, node, data))
    assert type(typed) is MODELS[kind]
    assert (typed.seq, typed.time, typed.type) == (3, 0.25, kind)
    assert getattr(typed, "node", "") == node
    assert MODELS[kind].model_validate_json(typed.model_dump_json()) == typed


def test_an_event_does_not_change():
    with pytest.raises(ValidationError):
        event((0, 0.0, "node.started", "a", {})).node = "b"


def test_an_unknown_kind_or_field_is_refused():
    with pytest.raises(ValidationError):
        event((0, 0.0, "node.exploded", "a", {}))
    with pytest.raises(ValidationError):
        event((0, 0.0, "node.started", "a", {"colour": "red"}))
