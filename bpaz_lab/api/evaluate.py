"""Scores of a workflow over a table, and the comparison of two workflows row by row."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Mapping
from dataclasses import dataclass
from math import comb, sqrt
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.metrics import Metric, Seen, metric_of
from bpaz_lab.api.rows import AT_ONCE, TOLD, Rows
from bpaz_lab.errors import InputError
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from bpaz_lab.api.over import Over
    from bpaz_lab.engine.run import Run

SURE: Final = 1.96
"""Standard errors in a 95 % interval of a mean."""


@dataclass
class Evaluation:
    """What an evaluation found.

    Attributes:
        rows: The data with the outputs and a column for each metric.
        summary: One row for each metric: ``mean``, ``low`` and ``high`` (a 95 % interval of the mean),
            ``count``, and how many rows ``failed`` and scored 0 for that.
        comparison: With ``against``: one row for each metric, the means of both, ``wins``, ``ties`` and
            ``losses`` of this workflow, and ``p``, the chance of such a result if both were equally good
            (two-sided sign test). Else None.
        other: With ``against``: the rows of the other workflow. Else None.
    """

    rows: pd.DataFrame
    summary: pd.DataFrame
    comparison: pd.DataFrame | None = None
    other: pd.DataFrame | None = None

    def differences(self, metric: str) -> pd.DataFrame:
        """The rows that the two workflows scored differently, the greatest losses first.

        Raises:
            InputError: There is nothing to compare with, or no such metric.
        """
        if self.other is None or metric not in self.summary.index:
            raise InputError(
                "there is nothing to compare" if self.other is None else f"there is no metric {metric!r}",
                hint="Pass against=other_workflow, and one of: " + ", ".join(self.summary.index),
            )
        found = self.rows.assign(other=self.other[metric], difference=self.rows[metric] - self.other[metric])
        return found[found["difference"] != 0].sort_values("difference", kind="stable")

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
        parts.append(_html(self.rows[shown].head(10), f"The first of {len(self.rows)} rows"))
        return "".join(parts)


def evaluated(
    workflow: Over,
    data: Any,
    metrics: Sequence[Any],
    expected: str,
    output: str,
    against: Over | None,
    options: dict[str, Any],
) -> Evaluation:
    """Runs and scores; see ``Workflow.evaluate``."""
    if not metrics:
        raise InputError("there is no metric", hint="Pass for instance [bz.metrics.ExactMatch()].")
    scorers = [metric_of(each) for each in metrics]
    rows, summary = _scored(workflow, data, scorers, expected, output, options)
    if against is None:
        return Evaluation(rows, summary)
    other, others = _scored(against, data, scorers, expected, output, options)
    return Evaluation(rows, summary, _compared(rows, other, summary, others), other)


def _scored(
    workflow: Over, data: Any, metrics: Sequence[Metric], expected: str, output: str, options: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    told = dict(options)
    concurrency, progress = told.pop("concurrency", AT_ONCE), told.pop("progress", True)
    resume, columns = told.pop("resume", None), told.pop("columns", None)
    rows = Rows(workflow, data, columns, told)
    names = [str(name) for name in rows.data.columns]
    if expected not in names:
        hint = closest(expected, names) or f"The columns are: {', '.join(names) or 'none'}."
        raise InputError(f"the data has no column {expected!r}", hint=f"Pass expected='...'. {hint}")
    if taken := sorted({metric.name for metric in metrics} & set(names)):
        raise InputError(
            f"the data has a column {taken[0]!r}, the name of a metric", hint="Rename the column."
        )

    async def score(number: int, run: Run) -> dict[str, Any]:
        row = rows._records[number]
        return await asyncio.to_thread(_scores, metrics, run, row, row[expected], output)

    table = workflow._run_rows(rows, concurrency, resume, progress=progress, after=score)
    summary = pd.DataFrame({m.name: _summed(table[m.name], table["status"]) for m in metrics}).T
    counts = {"count": int, "failed": int}
    return table, summary.astype(counts).rename_axis("metric")


def _scores(
    metrics: Sequence[Metric], run: Run, row: Mapping[str, Any], expected: Any, output: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    value = _value(run, output)
    for metric in metrics:
        if run.status != "completed" or value is None:
            found[metric.name] = 0.0
            continue
        told = metric.score(value, expected, Seen(row, run.outputs))
        if isinstance(told, Mapping):
            found[metric.name] = float(told["score"])
            found |= {f"{metric.name} {name}": each for name, each in told.items() if name != "score"}
        else:
            found[metric.name] = float(told)
    return found


def _value(run: Run, output: str) -> Any:
    """The output that is scored; None where its branch was not taken."""
    if run.status != "completed":
        return None
    if "." in output:
        return run.outputs.get(output)
    value = run.output
    if output:
        if not isinstance(value, dict):
            raise InputError(
                f"the workflow has one output, and none of the name {output!r}", hint="Leave output= away."
            )
        return value.get(output)
    if isinstance(value, dict) and len(value) == 1:
        return next(iter(value.values()))
    return value


def _summed(scores: pd.Series, status: pd.Series) -> dict[str, float]:
    count, mean = len(scores), float(scores.mean()) if len(scores) else 0.0
    spread = float(scores.std(ddof=1)) / sqrt(count) * SURE if count > 1 else 0.0
    failed = int((status != "completed").sum())
    return {"mean": mean, "low": mean - spread, "high": mean + spread, "count": count, "failed": failed}


def _compared(
    rows: pd.DataFrame, other: pd.DataFrame, summary: pd.DataFrame, others: pd.DataFrame
) -> pd.DataFrame:
    import pandas as pd

    found = {}
    for metric in summary.index:
        difference = rows[metric] - other[metric]
        wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
        found[metric] = {
            "mean": summary.loc[metric, "mean"],
            "other": others.loc[metric, "mean"],
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
    tail: float = sum(comb(count, each) for each in range(min(wins, losses) + 1)) / 2**count
    return min(1.0, 2 * tail)


def _html(table: pd.DataFrame, title: str) -> str:
    return f"<p><strong>{html.escape(title)}</strong></p>{table.to_html(float_format='{:.3g}'.format)}"
