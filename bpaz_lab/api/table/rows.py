"""The rows of a table as inputs of runs, and what runs gave as columns."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.budget import Budget, Meter
from bpaz_lab.engine.hashing import hashed
from bpaz_lab.engine.source import code_of
from bpaz_lab.errors import InputError, MissingPackage
from bpaz_lab.graph import document as documents
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

    from bpaz_lab.api.table.over import Over
    from bpaz_lab.engine.limits import Limits
    from bpaz_lab.engine.plan import Plan
    from bpaz_lab.engine.run import Run
    from bpaz_lab.nodes.base import Node

TOLD: Final = ("status", "error", "latency", "tokens", "cost", "run_id")
"""The columns that say how a run went."""

AT_ONCE: Final = 8
"""Rows that are run at the same time."""

_OPTIONS: Final = ("target", "session", "timeout", "cache", "budget", "objects")
_CLASH: Final = "output_"


def packages(*names: str) -> None:
    """Raises MissingPackage, with the command that helps, where one is not installed."""
    if missing := [name for name in names if importlib.util.find_spec(name) is None]:
        raise MissingPackage(
            f"tables need {', '.join(missing)}, which is not installed", hint="pip install 'bpaz-lab[data]'"
        )


def metered(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of runs that share one budget."""
    budget = options.get("budget")
    return {**options, "budget": Meter(budget)} if isinstance(budget, Budget) else dict(options)


class Rows:
    """A table, and how its rows become the inputs of runs.

    The workflow is copied, so that what somebody edits meanwhile changes no row.

    Args:
        workflow: What is run.
        data: A DataFrame, a list of dicts, or a list of values for a workflow with one input.
        columns: Column to input, where the names differ.
        options: What ``start`` takes, and inputs that are the same for all rows; a budget is one for all.
        counting: What else a result depends on: columns that are no inputs, and anything beside.

    Raises:
        InputError: The rows do not fit the inputs.
    """

    def __init__(
        self,
        workflow: Over,
        data: Any,
        columns: Mapping[str, str] | None,
        options: Mapping[str, Any],
        counting: tuple[tuple[str, ...], Any] = ((), None),
    ) -> None:
        packages("pandas")
        self._workflow = workflow.copied()
        options = metered(options)
        self._options = {name: value for name, value in options.items() if name in _OPTIONS}
        self._shared = {name: value for name, value in options.items() if name not in _OPTIONS}
        target = self._options.get("target")
        self.plan = workflow.plan(*([target] if target else []), given=workflow.pins)
        names = sorted(
            {name for each in self.plan.inputs for name in (each.name, f"{each.node}.{each.name}")}
        )
        self.data, self._given = _table(data, list(dict.fromkeys(each.name for each in self.plan.inputs)))
        self.records: list[dict[Any, Any]] = self.data.to_dict(orient="records")
        self._inputs = _columns(self.data, columns or {}, names)
        ends, steps = list(self.plan.ends), self.plan.steps
        self.several = len(ends) > 1 or any(s.node in ends and s.cls.collects for s in steps)
        """The output of a run is a dict of outputs by name."""
        self._counting, beside = counting
        self.recipe = self._recipe(beside)
        """What all results depend on, apart from the rows."""
        self._check()

    def __len__(self) -> int:
        return len(self.data)

    def limit(self, limits: Limits) -> None:
        """Sets limits that hold for all runs together."""
        self._options["concurrency"] = limits

    def inputs(self, number: int) -> dict[str, Any]:
        """The inputs of a row."""
        row = self.records[number] if self._given is None else self._given[number]
        return {
            **self._shared,
            **{name: row[column] for column, name in self._inputs.items() if column in row},
        }

    def key(self, number: int) -> str:
        """What a row's result depends on; empty where an input has no content that can be compared."""
        beside = [self.records[number].get(name) for name in self._counting]
        return hashed([self.recipe, self.inputs(number), beside]).digest

    def maker(self, number: int) -> Callable[[], Run]:
        """Makes the run of a row when its turn has come."""
        return lambda: self._workflow.prepared(self.inputs(number), **self._options)

    def result(self, _number: int, run: Run) -> dict[str, Any]:
        """What a run gave: its outputs by name, and how it went."""
        usage, value = run.usage, run.output
        found = value if isinstance(value, dict) and self.several else {"output": value}
        told = {
            "status": run.status,
            "error": None if run.error is None else run.error.message,
            "latency": run.duration,
            "tokens": usage.input_tokens + usage.output_tokens,
            "cost": usage.cost,
            "run_id": run.id,
        }
        if run.status == "paused":
            told["error"] = "it waits for a person: " + ", ".join(run.questions)
        return {**{f"{_CLASH}{name}" if name in TOLD else str(name): v for name, v in found.items()}, **told}

    def shown(self, name: str) -> str:
        """What a result is called in the table: a column of the data keeps its name."""
        while name in self.data.columns:
            name = _CLASH + name
        return name

    def hidden(self, column: str) -> str:
        """The result that a column of the table holds."""
        while column.startswith(_CLASH) and column.removeprefix(_CLASH) in self.data.columns:
            column = column.removeprefix(_CLASH)
        return column

    def table(self, done: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
        """The data with the results of the rows that are done."""
        import pandas as pd

        kept = self.data.iloc[sorted(done)]
        results = pd.DataFrame([done[number] for number in sorted(done)], index=kept.index)
        outputs = [name for name in results.columns if name not in TOLD]
        ordered = results[[*outputs, *(name for name in TOLD if name in results.columns)]]
        ordered = ordered.astype(dict.fromkeys(outputs, object)).infer_objects()
        found = pd.concat([kept, ordered.rename(columns=self.shown)], axis=1)
        found.attrs[RECIPE] = self.recipe
        return found

    def _recipe(self, beside: Any) -> str:
        """Objects without a content that can be compared (models, connections) do not count."""
        document, target = self._workflow.history.document, self._options.get("target")
        code = {cls.__name__: code_of(cls).parts for cls in _classes(self.plan)}
        parts = [documents._meaning(document), target, self._shared, self._workflow.pins, beside, code]
        return hashed([hashed(part).digest for part in parts]).digest

    def _check(self) -> None:
        """Tries the inputs of a row of each kind.

        Raises:
            InputError: Rows lack an input; it says which.
        """
        kinds: dict[frozenset[str], list[int]] = {}
        for number in range(len(self) if self._given is not None else min(len(self), 1)):
            kinds.setdefault(frozenset(self.inputs(number)), []).append(number)
        wrong: list[tuple[list[int], InputError]] = []
        for numbers in kinds.values():
            try:
                self.maker(numbers[0])()
            except InputError as error:
                wrong.append((numbers, error))
        if not wrong:
            return
        if len(kinds) == 1:
            raise wrong[0][1]
        told = [f"{_listed(numbers)}: {error.message}" for numbers, error in wrong]
        raise InputError("; ".join(told), path=wrong[0][1].path, hint="Nothing was run: complete these rows.")


RECIPE: Final = "bpaz_lab"
"""Where a table says what its results depend on, in its ``attrs``."""


def _listed(numbers: list[int]) -> str:
    first = ", ".join(map(str, numbers[:5]))
    return f"row{'s' if len(numbers) > 1 else ''} {first}{', …' if len(numbers) > 5 else ''}"


def _classes(plan: Plan) -> Iterator[type[Node]]:
    """The node types of a plan, and of the bodies in it, that are not the product's own."""
    for step in plan.steps:
        if step.cls.package != "bpaz_lab":
            yield step.cls
        if step.body is not None:
            yield from _classes(step.body)


def _table(data: Any, inputs: list[str]) -> tuple[pd.DataFrame, list[dict[Any, Any]] | None]:
    """The data as a table, and its rows as they were given, where they were: pandas would fill gaps."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        if not data.columns.is_unique:
            twice = data.columns[data.columns.duplicated()][0]
            raise InputError(f"the data has two columns {twice!r}", hint="Rename or drop one of them.")
        return data, None
    if not isinstance(data, list | tuple | range):
        raise InputError(
            f"the data is a DataFrame or a list, not a {type(data).__name__}",
            hint="Pass a DataFrame, a list of dicts, or a list of values.",
        )
    rows = list(data)
    if not all(isinstance(each, dict) for each in rows):
        if len(inputs) != 1:
            raise InputError(
                f"a list of values needs a workflow with one input, and this one has {len(inputs)}",
                hint=f"Pass a list of dicts by input: {', '.join(inputs) or 'none'}.",
            )
        rows = [{inputs[0]: each} for each in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame({name: _series(rows, name) for name in names}, index=range(len(rows))), rows


def _series(rows: list[dict[Any, Any]], name: str) -> pd.Series:
    import pandas as pd

    return pd.Series([row.get(name) for row in rows], dtype=object).infer_objects()


def _columns(data: pd.DataFrame, told: Mapping[str, str], inputs: list[str]) -> dict[str, str]:
    """Column to input."""
    columns = list(data.columns)
    for column, name in told.items():
        if column not in columns:
            hint = closest(column, map(str, columns)) or f"The columns are: {', '.join(map(str, columns))}."
            raise InputError(f"the data has no column {column!r}", hint=hint)
        if name not in inputs:
            hint = closest(name, inputs) or f"The inputs are: {', '.join(inputs) or 'none'}."
            raise InputError(f"the workflow has no input {name!r}", hint=hint)
    own = [name for name in columns if name in inputs and name not in told and name not in told.values()]
    return {**{name: name for name in own}, **told}
