"""Running a workflow over a table and scoring what it gives; see ``Workflow.evaluate``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.table.evaluation import Evaluation, compared, summed
from bpaz_lab.api.table.metrics import Metric, Own, Seen, metric_of
from bpaz_lab.api.table.rows import AT_ONCE, TOLD, Rows, metered
from bpaz_lab.engine.source import code_of
from bpaz_lab.errors import InputError
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    import pandas as pd

    from bpaz_lab.api.table.over import Over
    from bpaz_lab.engine.run import Run

_GOING: Final = ("concurrency", "progress", "resume", "columns")


def evaluated(
    workflow: Over,
    data: Any,
    metrics: Sequence[Any],
    expected: str,
    output: str,
    against: Over | None,
    options: dict[str, Any],
) -> Evaluation:
    """Checks everything, then runs and scores; see ``Workflow.evaluate``."""
    if not metrics:
        raise InputError("there is no metric", hint="Pass for instance [bz.metrics.ExactMatch()].")
    scorers, options = [metric_of(each) for each in metrics], metered(options)
    mine = _Scored(workflow, data, scorers, expected, output, options)
    if against is None:
        table = mine.run()
        return Evaluation(table, summed(table, mine.scores), _data=list(mine.rows.data))
    resume = options.get("resume")
    beside = Path(resume).with_suffix(".other.jsonl") if isinstance(resume, str | Path) else None
    theirs = _Scored(against, data, scorers, expected, output, {**options, "resume": beside})
    table, other = mine.run(), theirs.run()
    return Evaluation(
        table,
        summed(table, mine.scores),
        compared(table, other, list(mine.scores)),
        other,
        list(mine.rows.data),
    )


class _Scored:
    """A workflow over a table, and its metrics."""

    def __init__(
        self,
        workflow: Over,
        data: Any,
        metrics: Sequence[Metric],
        expected: str,
        output: str,
        options: Mapping[str, Any],
    ) -> None:
        self._workflow = workflow
        self._metrics, self._expected, self._output = metrics, expected, output
        self._going = {name: value for name, value in options.items() if name in _GOING}
        columns = self._going.pop("columns", None)
        told = {name: value for name, value in options.items() if name not in _GOING}
        counting = ((expected,), [output, *map(_identity, metrics)])
        self.rows = Rows(workflow, data, columns, told, counting)
        self.scores = {name: f"{metric.name} error" for metric in metrics for name in _names(metric)}
        """The column of each score, to the column that says why a row has none."""
        self._check()

    def run(self) -> pd.DataFrame:
        """The rows with their scores."""
        going = {"concurrency": AT_ONCE, "resume": None, "progress": True, **self._going}
        return self._workflow._going(self.rows, **going, after=self._score, good=self._good).run()

    def _check(self) -> None:
        names, plan = list(self.rows.data.columns), self.rows.plan
        if self._expected not in names:
            hint = (
                closest(self._expected, map(str, names))
                or f"The columns are: {', '.join(map(str, names)) or 'none'}."
            )
            raise InputError(
                f"the data has no column {self._expected!r}", hint=f"Pass expected='...'. {hint}"
            )
        several = {*plan.outputs, *plan.ends} if self.rows.several else {}
        if "." in self._output and self._output not in plan.slots:
            hint = closest(self._output, plan.slots) or f"There are: {', '.join(plan.slots)}."
            raise InputError(f"the workflow computes no output {self._output!r}", hint=hint)
        if self._output and "." not in self._output and self._output not in several:
            hint = f"Its outputs are: {', '.join(several)}." if several else "Leave output= away."
            what = "has no output" if several else "has one output, and none of the name"
            raise InputError(f"the workflow {what} {self._output!r}", hint=hint)
        columns = [*self.scores, *dict.fromkeys(self.scores.values())]
        if len(self.scores) < sum(len(_names(metric)) for metric in self._metrics):
            raise InputError("two metrics have the same name", hint="Give one another: Contains(name='...').")
        if taken := [name for name in columns if name in {*names, *TOLD, "output", *several}]:
            raise InputError(
                f"there is a column {taken[0]!r}, the name of a metric",
                hint="Rename the column, or give the metric another name.",
            )

    def _good(self, result: Mapping[str, Any]) -> bool:
        """Whether an earlier result has all scores."""
        return result.keys() >= self.scores.keys() and not any(
            isinstance(result.get(error), str) for error in self.scores.values()
        )

    async def _score(self, number: int, run: Run) -> dict[str, Any]:
        return await asyncio.to_thread(self._found, self.rows.records[number], run)

    def _found(self, row: Mapping[str, Any], run: Run) -> dict[str, Any]:
        found: dict[str, Any] = dict.fromkeys(self.scores, 0.0)
        value, expected = self._value(run), row[self._expected]
        for metric in self._metrics:
            why = "the run did not complete" if run.status != "completed" else "there is no output"
            if run.status == "completed" and value is not None:
                try:
                    found |= _columns(metric, metric.score(value, expected, Seen(row, run.outputs)))
                except Exception as error:  # noqa: BLE001 (a metric is anybody's code; the row says what it raised)
                    why = run.masker.text(f"{type(error).__name__}: {error}")
                else:
                    continue
            found[f"{metric.name} error"] = why
        return found

    def _value(self, run: Run) -> Any:
        """The output that is scored; None where its branch was not taken."""
        if "." in self._output:
            return run.outputs.get(self._output)
        value = run.output
        if not self.rows.several or not isinstance(value, dict):
            return value
        if self._output:
            return value.get(self._output)
        return next(iter(value.values())) if len(value) == 1 else value


def _names(metric: Metric) -> list[str]:
    """The columns of a metric that are scores."""
    return [metric.name, *(f"{metric.name} {each}" for each in getattr(metric, "also", ()))]


def _columns(metric: Metric, told: Any) -> dict[str, Any]:
    """What a metric gave, as columns.

    Raises:
        ValueError: A score is no number.
    """
    parts = dict(told) if isinstance(told, Mapping) else {"score": told}
    found = {
        metric.name: parts.pop("score"),
        **{f"{metric.name} {name}": each for name, each in parts.items()},
    }
    for name in _names(metric):
        found[name] = float(found[name])
        if not isfinite(found[name]):
            raise ValueError(f"the score is {found[name]}, which is no number")
    return found


def _identity(metric: Metric) -> Any:
    """What a score depends on, apart from live objects."""
    if isinstance(metric, Own):
        return code_of(metric.function).parts
    names: list[str] = [each.name for each in fields(metric)] if is_dataclass(metric) else []
    plain: dict[str, Any] = {name: getattr(metric, name) for name in names}
    told = {name: each for name, each in plain.items() if isinstance(each, str | int | float | bool)}
    return [metric.name, code_of(type(metric)).parts, told]
