"""What the tokens of a model cost: list prices as data, and one's own beside them.

Example:
    >>> cost("gpt-4o-mini-2024-07-18", input_tokens=1_000_000, output_tokens=100_000)
    0.21
    >>> cost("a-model-of-nobody", 10, 10) is None
    True
    >>> own = Prices({"my-model": (1.0, 2.0)})
    >>> own.cost("my-model", 1_000_000, 500_000)
    2.0
"""

from __future__ import annotations

import json
import os
import re
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any, Final

from bpaz_lab.errors import InputError
from bpaz_lab.guard import strict_json

MILLION: Final = 1_000_000
_EDITION: Final = re.compile(r"(-latest|-preview)?([-@](\d{4}-\d{2}-\d{2}|\d{4,8}))?(-v\d+:\d+)?(:\w+)?")
"""What may follow a model's name and leaves it the same model: a date, ``-latest``, ``-v1:0``, a tag."""

_BEFORE: Final = re.compile(r".*[/.](?=[a-z])")
"""What providers and routers write before it: ``openai/gpt-4o``, ``us.anthropic.claude-sonnet-4``."""


class Prices(dict[str, tuple[float, float]]):
    """Prices by model: US dollars per million tokens, input and output.

    A name stands for the model and its dated editions: ``gpt-4o`` is also ``gpt-4o-2024-08-06`` and no
    ``gpt-4o-mini``. One that ends in ``/`` stands for all that begin so. The longest name that fits wins.
    """

    def cost(self, model: str, input_tokens: int, output_tokens: int) -> float | None:
        """What tokens cost in US dollars; None for a model whose price is not known.

        Raises:
            InputError: The price of the model is no pair of numbers.
        """
        found = max((name for name in self if _stands_for(name, model)), key=len, default=None)
        if found is None:
            return None
        price = self[found]
        if not _is_price(price):
            raise InputError(
                f"the price of {found!r} is {price!r}",
                hint="A price is a pair: US dollars per million input and per million output tokens.",
            )
        return round((price[0] * input_tokens + price[1] * output_tokens) / MILLION, 12)


def _stands_for(name: str, model: str) -> bool:
    if name.endswith("/"):
        return model.startswith(name)
    for told in (model, _BEFORE.sub("", model)):
        if told.startswith(name) and _EDITION.fullmatch(told[len(name) :]):
            return True
    return False


def _is_price(price: Any) -> bool:
    return (
        isinstance(price, tuple | list)
        and len(price) == 2
        and all(isinstance(each, int | float) and isfinite(each) and each >= 0 for each in price)
    )


def _known() -> Prices:
    told = json.loads((files("bpaz_lab.engine") / "prices.json").read_text(encoding="utf-8"))
    found = Prices({name: tuple(price) for name, price in told["models"].items()})
    if own := os.environ.get("BPAZ_PRICES"):
        own_prices = strict_json.loads(Path(own).expanduser().read_text(encoding="utf-8"))
        if not isinstance(own_prices, dict):
            raise InputError(f"BPAZ_PRICES names {own}, which is no JSON object of prices by model")
        found.update(own_prices)
    return found


prices: Final = _known()
"""The prices that runs count with: ``bz.prices["my-model"] = (0.5, 1.5)`` adds one, or changes it."""
cost: Final = prices.cost
"""What tokens cost by those prices."""
