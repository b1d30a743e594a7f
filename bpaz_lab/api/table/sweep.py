"""Every combination of settings, on copies of a workflow that share what they have computed."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.table.rows import RECIPE, Rows, metered, packages
from bpaz_lab.engine.hashing import hashed
from bpaz_lab.errors import DocumentError, InputError, SettingError
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from bpaz_lab.api.table.over import Over
    from bpaz_lab.engine.limits import Limits
    from bpaz_lab.engine.run import Run


class Grid:
    """The rows of every combination, one combination after the other; see ``Workflow.sweep``.

    Raises:
        DocumentError: Settings that do not exist or do not fit; ``problems`` lists all.
        InputError: A setting has no values or is called like a column, or the rows do not fit.
    """

    def __init__(
        self,
        workflow: Over,
        settings: Mapping[str, Sequence[Any]],
        data: Any,
        columns: Mapping[str, str] | None,
        options: dict[str, Any],
    ) -> None:
        packages("pandas", "tqdm")
        import pandas as pd

        options = metered(options)

        for name, values in settings.items():
            if isinstance(values, str) or not hasattr(values, "__len__") or not len(values):
                raise InputError(
                    f"{name} has no values to go through", hint="Give a list of at least one value."
                )
        self._combinations = [dict(zip(settings, each, strict=True)) for each in product(*settings.values())]
        self._kinds = {name: pd.Series(list(values)).dtype for name, values in settings.items()}
        self._tables = [
            Rows(copy, [{}] if data is None else data, columns, options)
            for copy in _copies(workflow, self._combinations)
        ]
        first = self._tables[0]
        if taken := [name for name in settings if name in first.data.columns]:
            raise InputError(f"the data has a column {taken[0]!r}, as a setting", hint="Rename the column.")
        self._each = len(first)
        self._counts = not isinstance(data, pd.DataFrame)
        """The data has no index of its own, so that the rows of the table are counted."""
        parts = [self._part(place, first.data) for place in range(len(self._tables))]
        self.data = pd.concat(parts, ignore_index=self._counts)
        self.records: list[dict[Any, Any]] = self.data.to_dict(orient="records")
        self.recipe = hashed([rows.recipe for rows in self._tables]).digest

    def __len__(self) -> int:
        return len(self._tables) * self._each

    def limit(self, limits: Limits) -> None:
        """Sets limits that hold for all runs together."""
        for rows in self._tables:
            rows.limit(limits)

    def key(self, number: int) -> str:
        """What the result of a row depends on."""
        rows, place = self._at(number)
        return rows.key(place)

    def maker(self, number: int) -> Callable[[], Run]:
        """Makes the run of a row."""
        rows, place = self._at(number)
        return rows.maker(place)

    def result(self, number: int, run: Run) -> dict[str, Any]:
        """What a run gave."""
        rows, place = self._at(number)
        return rows.result(place, run)

    def hidden(self, column: str) -> str:
        """The result that a column of the table holds."""
        return self._tables[0].hidden(column)

    def table(self, done: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
        """The settings, the data and the results."""
        import pandas as pd

        tables = []
        for place, rows in enumerate(self._tables):
            begin = place * self._each
            found = rows.table({n - begin: each for n, each in done.items() if 0 <= n - begin < self._each})
            tables.append(self._part(place, found))
        whole = pd.concat(tables, ignore_index=self._counts)
        results = [name for name in whole.columns if name not in self.data.columns]
        whole[results] = whole[results].infer_objects()
        whole.attrs[RECIPE] = self.recipe
        return whole

    def _at(self, number: int) -> tuple[Rows, int]:
        combination, place = divmod(number, self._each)
        return self._tables[combination], place

    def _part(self, place: int, table: pd.DataFrame) -> pd.DataFrame:
        """A table with the settings of a combination before it."""
        import pandas as pd

        found = table.copy(deep=False)
        for position, (name, value) in enumerate(self._combinations[place].items()):
            column = pd.Series([value] * len(found), index=found.index, dtype=self._kinds[name])
            found.insert(position, name, column)
        return found


def _copies(workflow: Over, combinations: Sequence[Mapping[str, Any]]) -> list[Over]:
    """A copy of the workflow for each combination.

    Raises:
        DocumentError: Settings that do not exist or do not fit; ``problems`` lists all.
    """
    problems: dict[str, DocumentError] = {}
    copies = []
    for combination in combinations:
        copy = workflow.copied()
        nodes: dict[str, tuple[Any, dict[str, Any]]] = {}
        for place, value in combination.items():
            try:
                where, node, setting = _place(copy, place)
                nodes.setdefault(where, (node, {}))[1][setting] = value
            except DocumentError as error:
                problems |= {problem.message: problem for problem in error.problems}
        for node, settings in nodes.values():
            try:
                node.set(settings)
            except DocumentError as error:
                problems |= {problem.message: problem for problem in error.problems}
        copies.append(copy)
    if problems:
        raise DocumentError.of(list(problems.values()))
    return copies


def _place(workflow: Over, place: str) -> tuple[str, Any, str]:
    """Where a setting is: the node's address, the node, and the setting's name."""
    where, dot, setting = place.rpartition(".")
    *containers, id = where.split("/")
    if not dot or not id:
        raise SettingError(
            f"{place!r} names no setting", hint="Write node.setting, such as split.chunk_size."
        )
    scope: Any = workflow
    for container in containers:
        scope = scope[container].body
    node = scope[id]
    spec = workflow.types.spec(node.type)
    names = [field.name for field in spec.fields] if spec else []
    if setting not in names:
        raise SettingError(
            f"{where} ({node.type}) has no setting {setting!r}",
            path=place,
            hint=closest(setting, names) or f"Its settings are: {', '.join(names) or 'none'}.",
        )
    return where, node, setting
