"""What an evaluation found: scores of a workflow over a table, and how another compares with it."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from math import comb, sqrt
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.table.rows import TOLD
from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

SURE: Final = 1.96
"""Standard errors in a 95 % interval of a mean."""
SHOWN: Final = 10
"""Rows that a notebook shows."""


@dataclass
class Evaluation:
    """What an evaluation found.

    Attributes:
        rows: The data with the outputs and a column for each score; where a row could not be scored, a column
            ``<metric> error`` says why.
        summary: One row for each score: ``mean``, its standard error ``stderr``, ``low`` and ``high`` (a 95 %
            interval of the mean by the normal distribution, from 0 to 1 where the scores are), ``count``, and
            how many rows ``failed`` and scored 0 for that.
        comparison: With ``against``: one row for each score, the means of both, ``wins``, ``ties`` and
            ``losses`` of this workflow, and ``p``, the chance of such a result if both were equally good
            (two-sided sign test). Else None.
        other: With ``against``: the rows of the other workflow. Else None.
    """

    rows: pd.DataFrame
    summary: pd.DataFrame
    comparison: pd.DataFrame | None = None
    other: pd.DataFrame | None = None
    _data: Sequence[Any] = field(default=(), repr=False)
    """The columns of the data."""

    def differences(self, metric: str) -> pd.DataFrame:
        """The rows that the two workflows scored differently, the greatest losses first.

        What the other one gave is in columns ``other ...``; ``difference`` is below 0 for a loss.

        Raises:
            InputError: There is nothing to compare with, or no such metric.
        """
        import pandas as pd

        if self.other is None or metric not in self.summary.index:
            raise InputError(
                "there is nothing to compare" if self.other is None else f"there is no metric {metric!r}",
                hint="Pass against=other_workflow, and one of: " + ", ".join(self.summary.index),
            )
        new = [name for name in self.other.columns if name not in (*self._data, *TOLD)]
        theirs = self.other[new].add_prefix("other ")
        gap = (self.rows[metric] - self.other[metric]).rename("difference")
        found = pd.concat([self.rows, theirs, gap], axis=1)
        return found[gap != 0].sort_values("difference", kind="stable")

    def to_csv(self, path: Any) -> None:
        """Writes the rows to a file."""
        self.rows.to_csv(path, index=False)

    def __repr__(self) -> str:
        means = ", ".join(f"{name} {mean:.3g}" for name, mean in self.summary["mean"].items())
        return f"<Evaluation of {len(self.rows)} rows: {means}>"

    def _repr_html_(self) -> str:
        parts = [_html(self.summary, "Scores")]
        if self.comparison is not None:
            parts.append(_html(self.comparison, "Compared with the other workflow"))
        shown = [name for name in self.rows.columns if name not in TOLD]
        parts.append(_html(self.rows[shown].head(SHOWN), f"The first of {len(self.rows)} rows"))
        return "".join(parts)


def summed(table: pd.DataFrame, scores: dict[str, str]) -> pd.DataFrame:
    """One row for each score.

    Args:
        table: The rows.
        scores: Each score's column, to the column that says why a row has none.
    """
    import pandas as pd

    found = {}
    for name, error in scores.items():
        count, mean = len(table), float(table[name].mean()) if len(table) else 0.0
        spread = float(table[name].std(ddof=1)) / sqrt(count) if count > 1 else 0.0
        failed = int(table[error].notna().sum()) if error in table else 0
        low, high = mean - spread * SURE, mean + spread * SURE
        if table[name].between(0, 1).all():
            low, high = max(low, 0.0), min(high, 1.0)
        found[name] = {
            "mean": mean,
            "stderr": spread,
            "low": low,
            "high": high,
            "count": count,
            "failed": failed,
        }
    return pd.DataFrame(found).T.astype({"count": int, "failed": int}).rename_axis("metric")


def compared(rows: pd.DataFrame, other: pd.DataFrame, scores: Sequence[str]) -> pd.DataFrame:
    """One row for each score: the means of both, wins, ties and losses of the first, and how likely."""
    import pandas as pd

    found = {}
    for name in scores:
        difference = rows[name] - other[name]
        wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
        found[name] = {
            "mean": float(rows[name].mean()),
            "other": float(other[name].mean()),
            "wins": wins,
            "ties": len(difference) - wins - losses,
            "losses": losses,
            "p": sign_test(wins, losses),
        }
    return pd.DataFrame(found).T.astype({"wins": int, "ties": int, "losses": int}).rename_axis("metric")


def sign_test(wins: int, losses: int) -> float:
    """The chance of a result at least as uneven if both sides were equally likely (exact, two-sided).

    Example:
        >>> sign_test(5, 0)
        0.0625
    """
    count = wins + losses
    tail: int = sum(comb(count, each) for each in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / float(2**count))


def _html(table: pd.DataFrame, title: str) -> str:
    return f"<p><strong>{html.escape(title)}</strong></p>{table.to_html(float_format='{:.3g}'.format)}"
