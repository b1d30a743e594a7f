"""What a run may spend: tokens, and US dollars.

Example:
    >>> meter = Meter(Budget(tokens=100))
    >>> meter.told("usage", "chat", {"input_tokens": 60, "output_tokens": 30, "model": "gpt-4o"})
    >>> meter.told("usage", "chat", {"input_tokens": 60, "output_tokens": 30, "model": "gpt-4o"}).message
    'the run has used 180 tokens, more than its budget of 100'
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import BudgetExceeded, InputError
from bpaz_lab.graph.address import path_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one run may spend; a run that spends more is stopped and fails with ``BudgetExceeded``.

    Attributes:
        tokens: Input and output tokens of all models together; None for no limit.
        cost: US dollars by the prices of ``bz.prices``; None for no limit.

    Raises:
        InputError: A limit is no positive number.

    Example:
        ``wf.run(question="...", budget=bz.Budget(tokens=50_000, cost=0.10))``
    """

    tokens: int | None = None
    cost: float | None = None

    def __post_init__(self) -> None:
        for name in ("tokens", "cost"):
            limit = getattr(self, name)
            if limit is None:
                continue
            number = isinstance(limit, int | float) and not isinstance(limit, bool)
            if not number or not limit > 0 or not isfinite(limit):
                raise InputError(
                    f"a budget's {name} is a number greater than 0, not {limit!r}",
                    hint="For instance: budget=bz.Budget(tokens=50_000, cost=0.10)",
                )


class Meter:
    """Counts what one run spends.

    Models report what they used when they are done. Until then each piece that a node streams counts as
    one token, so that an answer without end is stopped in the middle.

    Args:
        budget: What may be spent.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.tokens = 0
        self.cost = 0.0
        self._streamed: dict[str, int] = {}

    def told(self, kind: str, node: str, data: Mapping[str, Any]) -> BudgetExceeded | None:
        """Counts what a node says of itself; gives the error where that is over the budget.

        Args:
            kind: ``token`` or ``usage``; others cost nothing.
            node: The node's address.
            data: The data of the event.
        """
        if kind == "token":
            self._streamed[node] = self._streamed.get(node, 0) + 1
        elif kind == "usage":
            self._streamed.pop(node, None)
            self.tokens += data["input_tokens"] + data["output_tokens"]
            if self.budget.cost is not None:
                from bpaz_lab.engine.prices import prices

                price = prices.cost(data["model"], data["input_tokens"], data["output_tokens"])
                if price is None:
                    return _unpriced(data["model"], node)
                self.cost += price
        else:
            return None
        return self._over(node)

    def _over(self, node: str) -> BudgetExceeded | None:
        tokens, most = self.tokens + sum(self._streamed.values()), self.budget.tokens
        if most is not None and tokens > most:
            told = f"the run has used {tokens:,} tokens, more than its budget of {most:,}"
        elif self.budget.cost is not None and self.cost > self.budget.cost:
            told = f"the run has cost ${self.cost:.4g}, more than its budget of ${self.budget.cost:.4g}"
        else:
            return None
        return BudgetExceeded(
            told,
            path=path_of(node),
            hint="Raise budget=bz.Budget(...), or ask for shorter answers; run.usage says what was used.",
        )


def _unpriced(model: str, node: str) -> BudgetExceeded:
    name = repr(model) if model else "a model that does not tell its name"
    hint = f"Tell it: bz.prices[{model!r}] = (dollars per million input tokens, per million output tokens)"
    return BudgetExceeded(
        f"the price of {name} is not known, so the budget of the run cannot be kept",
        path=path_of(node),
        hint=hint if model else "Use Budget(tokens=...) instead.",
    )
