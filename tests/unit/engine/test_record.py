from __future__ import annotations

import json

import pytest

from bpaz_lab.engine.events import Usage, as_json
from bpaz_lab.engine.preview import LENGTH
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


def used(kept, node, input_tokens, output_tokens, model):
    kept.told("usage", node, {"input_tokens": input_tokens, "output_tokens": output_tokens, "model": model})


def test_usage_is_added_up_with_its_price():
    kept = record()
    used(kept, "a", 1_000_000, 0, "gpt-4o")
    used(kept, "a", 0, 100_000, "gpt-4o-mini")
    used(kept, "b", 5, 5, "local/SmolLM2")
    assert kept.usage["a"] == Usage(1_000_000, 100_000, 2.56)
    assert kept.total() == Usage(1_000_005, 100_005, 2.56)
    assert len(kept) == 0


def test_one_unknown_price_makes_the_sum_unknown():
    kept = record()
    used(kept, "a", 5, 5, "gpt-4o")
    used(kept, "b", 5, 5, "")
    assert kept.total() == Usage(10, 10, None)
    assert kept.usage["a"].cost is not None


def test_a_waiter_is_called_once():
    kept, calls = record(), []
    kept.on_next(lambda: calls.append(1))
    taken_back = lambda: calls.append(2)  # noqa: E731
    kept.on_next(taken_back)
    kept.on_next(taken_back)
    kept.forget(taken_back)
    kept.add("node.started", "a", None)
    kept.add("node.started", "b", None)
    assert calls == [1]


def test_a_stopped_node_is_a_skipped_one():
    kept = record()
    kept.add("node.stopped", "a", (0.1, True))
    assert kept.since()[0].type == "node.skipped"
    assert "goes on in its thread" in kept.since()[0].reason


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        {"key": SECRET},
        ["x" * 60 + SECRET + "y" * 60],
        "x" * (LENGTH - 8) + SECRET,
        "x" * 20 + SECRET * 9,
        ValueError("x" * 50 + SECRET + "y" * 300),
    ],
    ids=["whole", "in a dict", "in a long text of a list", "at the cut", "many", "in another's repr"],
)
def test_no_part_of_a_secret_shows_in_a_preview(value):
    kept = record(SECRET)
    kept.add("node.finished", "a", (0.1, {"result": value}, None))
    text = kept.since()[0].outputs["result"].text
    assert not any(SECRET[at : at + 6] in text for at in range(len(SECRET) - 5)), text
