"""What is done of a table: in memory, and in a file where one is given."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from bpaz_lab.api.table.rows import RECIPE
from bpaz_lab.engine.hashing import hashed
from bpaz_lab.errors import InputError, JsonError
from bpaz_lab.guard import strict_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from bpaz_lab.engine.limits import Limits
    from bpaz_lab.engine.run import Run

CHANGED: Final = "the workflow, its code or its settings changed since: all rows are run again"
UNWRITTEN: Final = "what a row gave is no JSON, so the file cannot keep it: such rows are run again next time"


class Work(Protocol):
    """Rows that are run: those of a table, or those of every combination of settings."""

    data: pd.DataFrame
    records: list[dict[Any, Any]]
    recipe: str

    def __len__(self) -> int: ...

    def key(self, number: int) -> str:
        """What the result of a row depends on; empty where that cannot be told."""

    def maker(self, number: int) -> Callable[[], Run]:
        """Makes the run of a row."""

    def result(self, number: int, run: Run) -> dict[str, Any]:
        """What a run gave."""

    def table(self, done: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
        """The rows that are done, with their results."""

    def hidden(self, column: str) -> str:
        """The result that a column of the table holds."""

    def limit(self, limits: Limits) -> None:
        """Sets limits that hold for all runs together."""


class Journal:
    """The results of the rows that are done.

    The file has one JSON object a line with what a row depends on and its result. Each is written at once, so
    that a killed process loses none, and brought to the disk when no other waits. Only what was completed is
    kept, so that the rest is run again.

    Args:
        work: The rows.
        resume: What an earlier call left: its table, the path of its file, or None.
        good: Whether a completed result counts; one that does not is run again.

    Raises:
        InputError: ``resume`` is neither.
    """

    def __init__(self, work: Work, resume: Any, good: Callable[[Mapping[str, Any]], bool] = bool) -> None:
        self._work, self._good = work, good
        self._file = None
        found: dict[int, dict[str, Any]] = {}
        if isinstance(resume, str | os.PathLike):
            found = _read(Path(resume), work)
            self._file = Path(resume).open("ab")  # noqa: SIM115 (kept open until all rows are done)
            if self._file.tell() and not Path(resume).read_bytes().endswith(b"\n"):
                self._file.write(b"\n")  # a line that a crash cut short
        elif hasattr(resume, "columns"):
            found = _matching(resume, work)
        elif resume is not None:
            raise InputError(
                f"resume is a table or the path of a file, not a {type(resume).__name__}",
                hint="Pass wf.partial, the result of an earlier map, or 'rows.jsonl'.",
            )
        self.done = {number: each for number, each in found.items() if good(each)}

    def add(self, number: int, result: dict[str, Any], *, last: bool = True) -> None:
        """Notes that a row is done; the last of those that came together brings all to the disk."""
        self.done[number] = result
        if self._file is not None and result["status"] == "completed" and self._good(result):
            key = self._work.key(number)
            try:
                line = strict_json.compact({"workflow": self._work.recipe, "row": key, "result": result})
            except (JsonError, TypeError):
                key = ""
            if key:
                self._file.write(line.encode() + b"\n")
                self._file.flush()
            else:
                warnings.warn(UNWRITTEN, stacklevel=2)
        if self._file is not None and last:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()


def _read(path: Path, work: Work) -> dict[int, dict[str, Any]]:
    """The rows that the file has; a line that was cut short by a crash does not count."""
    known: dict[str, dict[str, Any]] = {}
    others = False
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            told = json.loads(line)
            recipe, key, result = told["workflow"], told["row"], told["result"]
        except (ValueError, KeyError, TypeError):
            continue
        others = others or recipe != work.recipe
        if recipe == work.recipe:
            known[key] = result
    if others and not known:
        warnings.warn(CHANGED, stacklevel=2)
    keys = {number: work.key(number) for number in range(len(work))} if known else {}
    return {number: known[key] for number, key in keys.items() if key and key in known}


def _matching(table: pd.DataFrame, work: Work) -> dict[int, dict[str, Any]]:
    """The completed rows of an earlier result whose data is still the same, in whichever order."""
    columns = {name: work.hidden(name) for name in table.columns if name not in work.data.columns}
    if "status" not in columns.values():
        raise InputError("the table to resume from has no column 'status'", hint="Pass what map gave.")
    if table.attrs.get(RECIPE, work.recipe) != work.recipe:
        warnings.warn(CHANGED, stacklevel=2)
        return {}
    known: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_dict(orient="records"):
        result = {hidden: row[name] for name, hidden in columns.items()}
        digest = hashed([row.get(name) for name in work.data.columns]).digest
        if digest and result["status"] == "completed":
            known.setdefault(digest, []).append(result)
    found = {}
    for number, record in enumerate(work.records) if known else ():
        digest = hashed([record[name] for name in work.data.columns]).digest
        if known.get(digest):
            found[number] = known[digest].pop(0)
    return found
