"""Every combination of settings, on copies of a workflow that share what they have computed."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.rows import Rows, packages
from bpaz_lab.errors import DocumentError, InputError, SettingError
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from bpaz_lab.api.over import Over


def combined(
    workflow: Over,
    settings: Mapping[str, Sequence[Any]],
    data: Any,
    concurrency: int,
    *,
    progress: bool,
    options: dict[str, Any],
) -> pd.DataFrame:
    """One row for each combination and row of the data; see ``Workflow.sweep``."""
    packages("pandas", "tqdm")
    import pandas as pd

    for name, values in settings.items():
        if isinstance(values, str) or not hasattr(values, "__len__") or not len(values):
            raise InputError(f"{name} has no values to go through", hint="Give a list of at least one value.")
    combinations = [dict(zip(settings, values, strict=True)) for values in product(*settings.values())]
    copies = _copies(workflow, combinations)
    tables = []
    for combination, copy in zip(combinations, copies, strict=True):
        rows = Rows(copy, [{}] if data is None else data, None, options)
        found = copy._run_rows(rows, concurrency, None, progress=progress and len(rows) > 1)
        for position, (name, value) in enumerate(combination.items()):
            found.insert(position, name, pd.Series([value] * len(found), index=found.index, dtype=object))
        tables.append(found)
    whole = pd.concat(tables, ignore_index=data is None or not isinstance(data, pd.DataFrame))
    return whole.infer_objects()


def _copies(workflow: Over, combinations: Sequence[Mapping[str, Any]]) -> list[Over]:
    """A copy of the workflow for each combination.

    Raises:
        DocumentError: Settings that do not exist or do not fit; ``problems`` lists all.
    """
    problems: list[DocumentError] = []
    copies = []
    for combination in combinations:
        copy = workflow.copied()
        for place, value in combination.items():
            try:
                _set(copy, place, value)
            except DocumentError as error:
                known = {problem.message for problem in problems}
                problems += [problem for problem in error.problems if problem.message not in known]
        copies.append(copy)
    if problems:
        raise DocumentError.of(problems)
    return copies


def _set(workflow: Over, place: str, value: Any) -> None:
    where, dot, setting = place.rpartition(".")
    *containers, id = where.split("/")
    if not dot or not id:
        raise SettingError(
            f"{place!r} names no setting", hint="Write node.setting, such as split.chunk_size."
        )
    scope: Any = workflow
    for container in containers:
        scope = scope[container].body
    spec = workflow.types.spec(scope[id].type)
    names = [field.name for field in spec.fields] if spec else []
    if setting not in names:
        raise SettingError(
            f"{where} ({scope[id].type}) has no setting {setting!r}",
            path=place,
            hint=closest(setting, names) or f"Its settings are: {', '.join(names) or 'none'}.",
        )
    scope[id].set({setting: value})
