"""The rows of a table as inputs of runs, and what runs gave as columns."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.hashing import hashed
from bpaz_lab.errors import InputError, JsonError, MissingPackage
from bpaz_lab.graph import document as documents
from bpaz_lab.guard import strict_json
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from bpaz_lab.api.running import Running
    from bpaz_lab.engine.run import Run

TOLD: Final = ("status", "error", "latency", "tokens", "cost", "run_id")
"""The columns that say how a run went."""


AT_ONCE: Final = 8
"""Rows that are run at the same time."""

_OPTIONS: Final = ("target", "session", "timeout", "cache", "budget", "objects")


def packages(*names: str) -> None:
    """Raises MissingPackage, with the command that helps, where one is not installed."""
    if missing := [name for name in names if importlib.util.find_spec(name) is None]:
        raise MissingPackage(
            f"tables need {', '.join(missing)}, which is not installed", hint="pip install 'bpaz-lab[data]'"
        )


class Rows:
    """A table, and how its rows become the inputs of runs.

    Args:
        workflow: What is run.
        data: A DataFrame, a list of dicts, or a list of values for a workflow with one input.
        columns: Column to input, where the names differ.
        options: What ``start`` takes, and inputs that are the same for all rows.

    Raises:
        InputError: The rows do not fit the inputs.
    """

    def __init__(
        self, workflow: Running, data: Any, columns: Mapping[str, str] | None, options: dict[str, Any]
    ) -> None:
        packages("pandas")
        import pandas as pd

        self._workflow = workflow
        self._options = {name: value for name, value in options.items() if name in _OPTIONS}
        self._shared = {name: value for name, value in options.items() if name not in _OPTIONS}
        target = self._options.get("target")
        self._plan = workflow.plan(*([target] if target else []), given=workflow.pins)
        names = sorted(
            {name for each in self._plan.inputs for name in (each.name, f"{each.node}.{each.name}")}
        )
        self.data = _table(pd, data, list(dict.fromkeys(each.name for each in self._plan.inputs)))
        self._inputs = _columns(self.data, columns or {}, names)
        ends, steps = list(self._plan.ends), self._plan.steps
        self._several = len(ends) > 1 or any(s.node in ends and s.cls.collects for s in steps)
        """The output of a run is a dict of outputs by name."""
        self._taken = {*map(str, self.data.columns), *TOLD}
        self._records: list[dict[Any, Any]] = self.data.to_dict(orient="records")
        if self._records:
            self.maker(0)()  # an input that is missing in one row is missing in all

    def __len__(self) -> int:
        return len(self.data)

    def inputs(self, number: int) -> dict[str, Any]:
        """The inputs of a row."""
        row = self._records[number]
        return {**self._shared, **{name: row[column] for column, name in self._inputs.items()}}

    def key(self, number: int) -> str:
        """What a row's result depends on: the workflow and its inputs; empty where it cannot be compared."""
        document = documents.dumps(self._workflow.history.document)
        return hashed([document, self._options.get("target"), self.inputs(number)]).digest

    def maker(self, number: int) -> Callable[[], Run]:
        """Makes the run of a row when its turn has come."""
        return lambda: self._workflow.prepared(self.inputs(number), **self._options)

    def result(self, run: Run) -> dict[str, Any]:
        """What a run gave, as columns."""
        usage = run.usage
        told = {
            "status": run.status,
            "error": None if run.error is None else run.error.message,
            "latency": run.duration,
            "tokens": usage.input_tokens + usage.output_tokens,
            "cost": getattr(usage, "cost", None),
            "run_id": run.id,
        }
        if run.status == "paused":
            told["error"] = "it waits for a person: " + ", ".join(run.questions)
        return {**self._outputs(run), **told}

    def _outputs(self, run: Run) -> dict[str, Any]:
        value = run.output
        several = isinstance(value, dict) and self._several
        found = value if several else {"output": value}
        taken = self._taken
        return {f"output_{name}" if name in taken else str(name): each for name, each in found.items()}

    def table(self, done: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
        """The data with the results of the rows that are done."""
        import pandas as pd

        kept = self.data.iloc[sorted(done)]
        results = pd.DataFrame([done[number] for number in sorted(done)], index=kept.index)
        outputs = [name for name in results.columns if name not in TOLD]
        ordered = [*outputs, *(name for name in TOLD if name in results.columns)]
        if not ordered:
            return kept.copy()
        results = results[ordered].astype(dict.fromkeys(outputs, object)) if outputs else results[ordered]
        return pd.concat([kept, results.infer_objects()], axis=1)


class Journal:
    """What is done of a table: in memory, and in a file where one is given.

    The file has one JSON object a line with the key of a row and its results; each is on the disk before
    the next row ends. A row whose results are no JSON is not written, and is run again.
    """

    def __init__(self, done: dict[int, dict[str, Any]], rows: Rows, path: Path | None = None) -> None:
        self.done = done
        self._rows = rows
        self._file = None if path is None else path.open("a", encoding="utf-8")

    @classmethod
    def of(cls, resume: Any, rows: Rows) -> Journal:
        """What an earlier call left: its table, or its file.

        Raises:
            InputError: It is neither.
        """
        if resume is None:
            return cls({}, rows)
        if isinstance(resume, str | os.PathLike):
            return cls(_read(Path(resume), rows), rows, Path(resume))
        if hasattr(resume, "columns"):
            return cls(_matching(resume, rows), rows)
        raise InputError(
            f"resume is a table or the path of a file, not a {type(resume).__name__}",
            hint="Pass wf.partial, the result of an earlier map, or 'rows.jsonl'.",
        )

    def add(self, number: int, result: dict[str, Any]) -> None:
        """Notes that a row is done; a row that failed is run again next time."""
        self.done[number] = result
        if self._file is None or result["status"] != "completed":
            return
        try:
            line = strict_json.compact({"key": self._rows.key(number), "result": result})
        except (JsonError, TypeError):
            return
        self._file.write(line + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()


def _read(path: Path, rows: Rows) -> dict[int, dict[str, Any]]:
    """The rows that the file has; a line that was cut short by a crash does not count."""
    known: dict[str, dict[str, Any]] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                told = json.loads(line)
                known[told["key"]] = told["result"]
            except (json.JSONDecodeError, KeyError, TypeError):
                continue
    keys = {number: rows.key(number) for number in range(len(rows))} if known else {}
    return {number: known[key] for number, key in keys.items() if key and key in known}


def _matching(table: pd.DataFrame, rows: Rows) -> dict[int, dict[str, Any]]:
    """The completed rows of an earlier result whose data is still the same."""
    columns = [name for name in table.columns if name not in rows.data.columns]
    if "status" not in columns:
        raise InputError("the table to resume from has no column 'status'", hint="Pass what map gave.")
    places = {label: number for number, label in enumerate(rows.data.index)}
    found = {}
    for label, row in zip(table.index, table.to_dict(orient="records"), strict=True):
        number = places.get(label)
        if number is None or row["status"] != "completed":
            continue
        before = {name: row.get(name) for name in rows.data.columns}
        now = rows._records[number]
        if (one := hashed(before).digest) and one == hashed(now).digest:
            found[number] = {name: row[name] for name in columns}
    return found


def _table(pd: Any, data: Any, inputs: list[str]) -> pd.DataFrame:
    if hasattr(data, "columns"):
        return data  # type: ignore[no-any-return]
    if not isinstance(data, list | tuple | range):
        raise InputError(
            f"the data is a DataFrame or a list, not a {type(data).__name__}",
            hint="Pass a DataFrame, a list of dicts, or a list of values.",
        )
    if data and not all(isinstance(each, dict) for each in data):
        if len(inputs) != 1:
            raise InputError(
                f"a list of values needs a workflow with one input, and this one has {len(inputs)}",
                hint=f"Pass a list of dicts by input: {', '.join(inputs) or 'none'}.",
            )
        data = [{inputs[0]: each} for each in data]
    found: pd.DataFrame = pd.DataFrame(list(data))
    return found


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
    own = {column: column for column in columns if column in inputs and column not in told.values()}
    return {**{column: column for column in own if column not in told}, **told}
