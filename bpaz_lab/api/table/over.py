"""A workflow over a table: one run for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.api.running import Running
from bpaz_lab.api.table.going import Going, at_once
from bpaz_lab.api.table.rows import AT_ONCE, Rows

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from bpaz_lab.api.table.evaluation import Evaluation
    from bpaz_lab.api.table.journal import Work
    from bpaz_lab.api.table.metrics import Metric
    from bpaz_lab.engine.limits import Limit


class Over(Running):
    """The half of ``Workflow`` that works on tables."""

    partial: pd.DataFrame | None = None
    """The rows that were done when the last ``map``, ``sweep`` or ``evaluate`` was interrupted."""

    def map(
        self,
        data: Any,
        *,
        columns: Mapping[str, str] | None = None,
        concurrency: int | Mapping[str, int | Limit] = AT_ONCE,
        resume: pd.DataFrame | str | os.PathLike[str] | None = None,
        progress: bool = True,
        **options: Any,
    ) -> pd.DataFrame:
        """Runs the workflow once for each row.

        Args:
            data: A DataFrame, a list of dicts, or a list of values for a workflow with one input.
            columns: Column to input, where the names differ; columns that are no input pass through.
            concurrency: How many rows are run at the same time; or a mapping with ``rows`` and limits of
                node types that all rows share: ``{"rows": 20, "OpenAICompatibleChat": 4}``.
            resume: What is done already: the result of an interrupted ``map`` (also ``wf.partial``), or a
                file to which every finished row is added at once, and read again by the next call, also in
                another process. Rows count as done that were completed, whose inputs are the same, and
                whose workflow and code are; the others are run again.
            progress: Whether a bar shows how far it is.
            options: What ``start`` takes: ``target``, ``timeout`` for each row, ``cache``, ``objects``,
                ``budget`` for all rows together, and inputs that are the same for all rows.

        Returns:
            The data with the outputs by name (``output`` where there is one), and ``status``, ``error``,
            ``latency`` in seconds, ``tokens``, ``cost`` in US dollars (None where no price is known) and
            ``run_id``. A row that fails does not stop the others. A column of the data keeps its name: a
            result of the same name comes as ``output_<name>``.

        Raises:
            MissingPackage: pandas or tqdm is not installed.
            DocumentError: The workflow has problems.
            InputError: Rows lack an input or an option does not fit; nothing was started.
            BudgetExceeded: The rows used more than the budget; ``wf.partial`` has those that are done.
            KeyboardInterrupt: Somebody stopped it; ``wf.partial`` has the rows that are done.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> _ = wf.add("PromptTemplate", template="Hello {name}!")
            >>> wf.map([{"name": "Ada"}, {"name": "Alan"}], progress=False)["output"].tolist()
            ['Hello Ada!', 'Hello Alan!']
        """
        return self._going(Rows(self, data, columns, options), concurrency, resume, progress).run()

    async def amap(
        self,
        data: Any,
        *,
        columns: Mapping[str, str] | None = None,
        concurrency: int | Mapping[str, int | Limit] = AT_ONCE,
        resume: pd.DataFrame | str | os.PathLike[str] | None = None,
        progress: bool = True,
        **options: Any,
    ) -> pd.DataFrame:
        """Like ``map``, without blocking the caller's loop; cancelling the caller stops the rows.

        Raises:
            CancelledError: The caller was cancelled; ``wf.partial`` has the rows that are done.
        """
        return await self._going(Rows(self, data, columns, options), concurrency, resume, progress).arun()

    def sweep(
        self,
        settings: Mapping[str, Sequence[Any]],
        /,
        data: Any = None,
        *,
        columns: Mapping[str, str] | None = None,
        concurrency: int | Mapping[str, int | Limit] = AT_ONCE,
        resume: pd.DataFrame | str | os.PathLike[str] | None = None,
        progress: bool = True,
        **options: Any,
    ) -> pd.DataFrame:
        """Runs the workflow with every combination of settings; nodes before a change are computed once.

        Args:
            settings: The values of each setting, by ``"node.setting"`` (``"part/node.setting"`` inside a
                container). Those of one node are set together.
            data: Rows as for ``map``; a single run for each combination where None.
            columns: As for ``map``.
            concurrency: How many runs go on at the same time; as for ``map``.
            resume: As for ``map``.
            progress: Whether a bar shows how far it is.
            options: What ``start`` takes, and inputs by name.

        Returns:
            One row for each combination and row of the data: the settings, then what ``map`` gives.

        Raises:
            DocumentError: A setting does not exist or a value does not fit; nothing was started.
            InputError: A setting has no values, or is called like a column; nothing was started.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> _ = wf.add("PromptTemplate", id="hello", template="Hello {name}!")
            >>> found = wf.sweep({"hello.template": ["Hi {name}", "Bye {name}"]}, name="Ada", progress=False)
            >>> found["output"].tolist()
            ['Hi Ada', 'Bye Ada']
        """
        from bpaz_lab.api.table.sweep import Grid

        grid = Grid(self, settings, data, columns, options)
        return self._going(grid, concurrency, resume, progress).run()

    def evaluate(
        self,
        data: Any,
        metrics: Sequence[Metric | Callable[..., Any]],
        *,
        expected: str = "expected",
        output: str = "",
        against: Over | None = None,
        **options: Any,
    ) -> Evaluation:
        """Runs the workflow over a table and scores what it gives.

        Args:
            data: Rows as for ``map``, with what is expected in a column.
            metrics: What is measured: see ``bz.metrics``; or functions of output and expected.
            expected: The column of what is expected.
            output: Which output is scored, where there are several; ``node.port`` for any.
            against: Another workflow over the same rows, to compare with.
            options: What ``map`` takes.

        Raises:
            InputError: There is no such column or output, or no metric; nothing was started.

        Example:
            >>> from bpaz_lab import Workflow, metrics
            >>> wf = Workflow()
            >>> _ = wf.add("PromptTemplate", template="{a}")
            >>> rows = [{"a": "x", "expected": "x"}, {"a": "y", "expected": "z"}]
            >>> wf.evaluate(rows, [metrics.ExactMatch()], progress=False).summary["mean"].tolist()
            [0.5]
        """
        from bpaz_lab.api.table.evaluate import evaluated

        return evaluated(self, data, list(metrics), expected, output, against, options)

    def copied(self) -> Over:
        """A workflow of its own that means the same, with the same pins."""
        raise NotImplementedError

    def _going(
        self,
        work: Work,
        concurrency: int | Mapping[str, int | Limit],
        resume: Any,
        progress: bool,
        **scoring: Any,
    ) -> Going:
        """Starts the rows that are not done yet."""
        rows, limits = at_once(concurrency)
        if limits is not None:
            work.limit(limits)

        def stopped(table: pd.DataFrame) -> str:
            self.partial = table
            return "The rows that are done are in wf.partial: pass resume=wf.partial to go on."

        return Going(work, rows, resume, progress=progress, stopped=stopped, **scoring)
