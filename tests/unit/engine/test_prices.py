from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from importlib.resources import files

import pytest

from bpaz_lab.engine.prices import Prices, cost, prices
from bpaz_lab.errors import InputError

pytestmark = pytest.mark.unit

OWN = Prices(
    {"gpt-4": (30.0, 60.0), "gpt-4o": (2.5, 10.0), "gpt-4o-2024-05-13": (5.0, 15.0), "mine/": (0.0, 0.0)}
)


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-4", 30.0),
        ("gpt-4o", 2.5),
        ("gpt-4o-2024-08-06", 2.5),
        ("gpt-4o-2024-05-13", 5.0),  # the longest name that fits
        ("openai/gpt-4o", 2.5),
        ("gpt-4o-latest", 2.5),
        ("gpt-4-0613", 30.0),
        ("gpt-4o:free", 2.5),
        ("mine/anything", 0.0),
        ("gpt-4.5", None),  # another model, not an edition of gpt-4
        ("gpt-4o-mini", None),
        ("gpt-4o-audio-preview", None),
        ("mine", None),
        ("", None),
    ],
)
def test_a_name_stands_for_the_editions_of_its_model(model, price):
    assert OWN.cost(model, 1_000_000, 0) == price


def test_input_and_output_have_their_prices():
    assert OWN.cost("gpt-4o", 100_000, 10_000) == 0.35
    assert OWN.cost("gpt-4o", 0, 0) == 0.0


@pytest.mark.parametrize("wrong", [1.0, (1.0,), (1.0, -1.0), (1.0, float("nan")), ("1", "2")])
def test_a_wrong_price_is_told_when_it_is_needed(wrong):
    with pytest.raises(InputError, match="the price of 'mine'"):
        Prices(mine=wrong).cost("mine", 1, 1)


def test_the_prices_are_data_with_a_date_and_a_word_on_them():
    told = json.loads((files("bpaz_lab.engine") / "prices.json").read_text(encoding="utf-8"))
    assert date.fromisoformat(told["date"]) < date.today()  # noqa: DTZ011
    assert "BPAZ_PRICES" in told["note"]
    for name in told["models"]:
        assert prices.cost(name if not name.endswith("/") else name + "x", 1, 1) is not None


@pytest.mark.parametrize(
    "model",
    ["gpt-4.1-mini", "o4-mini-2025-04-16", "claude-sonnet-4-5-20250929", "models/gemini-2.5-pro",
     "anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-haiku-latest"],
)  # fmt: skip
def test_names_as_providers_tell_them(model):
    assert cost(model, 1000, 1000) > 0


def test_a_model_of_this_process_costs_nothing():
    assert cost("local/SmolLM2-135M", 1000, 1000) == 0.0


def test_ones_own_prices_come_from_a_file(tmp_path):
    file = tmp_path / "prices.json"
    file.write_text('{"mine": [1, 2], "gpt-4o": [0, 0]}')
    code = (
        "import bpaz_lab as bz; print(bz.prices.cost('mine', 10**6, 10**6), bz.prices.cost('gpt-4o', 1, 1))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"BPAZ_PRICES": str(file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["3.0", "0.0"]
