from __future__ import annotations

import pytest

from bpaz_lab.engine.budget import Budget, Meter
from bpaz_lab.engine.prices import prices
from bpaz_lab.errors import InputError

pytestmark = pytest.mark.unit


def used(input_tokens, output_tokens, model="gpt-4o"):
    return {"input_tokens": input_tokens, "output_tokens": output_tokens, "model": model}


def piece(meter, node="chat"):
    return meter.told("token", node, {"port": "text", "text": "word"})


def test_a_stream_is_stopped_in_the_middle():
    meter = Meter(Budget(tokens=3))
    assert [piece(meter) for _ in range(3)] == [None] * 3
    over = piece(meter, "each[2]/chat")
    assert over.code == "budget_exceeded"
    assert over.path == "nodes.each.body.nodes.chat"
    assert "used 4 tokens, more than its budget of 3" in over.message
    assert "budget=" in over.hint


def test_what_is_reported_takes_the_place_of_what_was_streamed():
    meter = Meter(Budget(tokens=10))
    for _ in range(6):
        piece(meter)
    piece(meter, "other")
    assert meter.told("usage", "chat", used(2, 6)) is None
    assert meter.tokens == 8
    assert piece(meter, "other") is None
    assert "used 11 tokens" in piece(meter, "other").message


def test_money():
    meter = Meter(Budget(cost=0.02))
    assert meter.told("usage", "chat", used(1000, 1000)) is None
    assert (
        "has cost $0.025, more than its budget of $0.02"
        in meter.told("usage", "chat", used(1000, 1000)).message
    )


def test_what_has_no_price_cannot_be_kept_to_a_budget_of_money(monkeypatch):
    over = Meter(Budget(cost=1)).told("usage", "chat", used(1, 1, "mine"))
    assert "the price of 'mine' is not known" in over.message
    assert "bz.prices['mine']" in over.hint
    assert "Budget(tokens=" in Meter(Budget(cost=1)).told("usage", "chat", used(1, 1, "")).hint
    assert Meter(Budget(tokens=100)).told("usage", "chat", used(1, 1, "mine")) is None
    monkeypatch.setitem(prices, "mine", (1.0, 1.0))
    assert Meter(Budget(cost=1)).told("usage", "chat", used(1, 1, "mine")) is None


def test_other_events_cost_nothing():
    assert Meter(Budget(tokens=1)).told("node.progress", "a", {"done": 1.0}) is None


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "10", True])
@pytest.mark.parametrize("name", ["tokens", "cost"])
def test_a_limit_is_a_positive_number(name, limit):
    with pytest.raises(InputError, match=f"a budget's {name} is a number"):
        Budget(**{name: limit})
