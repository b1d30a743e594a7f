from __future__ import annotations

import json

import pytest

from bpaz_lab.engine.events import as_json
from bpaz_lab.engine.record import Record
from bpaz_lab.errors import SettingError
from bpaz_lab.guard.mask import Masker

pytestmark = pytest.mark.unit

SECRET = "correct-horse-battery"


def record(*secrets):
    return Record(Masker(secrets))


def test_the_position_is_the_sequence_number():
    kept = record()
    for _ in range(3):
        kept.add("node.started", "a", None)
    assert [event.seq for event in kept.since()] == [0, 1, 2]
    assert [event.seq for event in kept.since(2)] == [2]
    assert len(kept) == 3


def test_wakers_are_called_until_they_end():
    kept, calls = record(), []
    end = kept.on_event(lambda: calls.append(1))
    kept.add("node.started", "a", None)
    end()
    end()  # once more does no harm
    kept.add("node.started", "b", None)
    assert calls == [1]


@pytest.mark.parametrize("cut", range(1, len(SECRET)))
def test_a_secret_split_over_two_tokens_is_masked(cut):
    kept = record(SECRET)
    for piece in (f"a {SECRET[:cut]}", f"{SECRET[cut:]} b"):
        kept.told("token", "n", {"port": "text", "text": piece})
    kept.release("n")
    assert "".join(event.text for event in kept.since()) == "a ••• b"


def test_streams_of_two_nodes_and_two_ports_do_not_mix():
    kept = record(SECRET)
    for node, port in (("n", "x"), ("m", "x"), ("n", "y")):
        kept.told("token", node, {"port": port, "text": SECRET[:6]})
    kept.release("n")
    kept.release("m")
    told = [(event.node, event.port, event.text) for event in kept.since()]
    assert sorted(told) == [("m", "x", SECRET[:6]), ("n", "x", SECRET[:6]), ("n", "y", SECRET[:6])]


def test_without_secrets_tokens_pass_as_they_come():
    kept = record()
    kept.told("token", "n", {"port": "text", "text": "corr"})
    assert [event.text for event in kept.since()] == ["corr"]


def test_errors_leave_masked_with_their_place():
    kept = record(SECRET)
    plain = kept.failure(ValueError(f"bad {SECRET}"), "nodes.n")
    assert (plain.code, plain.message, plain.path) == ("node_failed", "ValueError: bad •••", "nodes.n")
    assert kept.failure(ValueError()).message == "ValueError"
    own = kept.failure(SettingError("no", hint=f"not {SECRET}", path="nodes.x.settings.y"), "nodes.n")
    assert (own.code, own.hint, own.path) == ("setting", "not •••", "nodes.x.settings.y")


def test_a_token_with_half_a_character_is_fit_for_json():
    kept = record()
    kept.told("token", "n", {"port": "text", "text": "a\ud800"})
    assert [event.text for event in kept.since()] == ["a?"]
    json.dumps(as_json(kept.since()[0])).encode()
