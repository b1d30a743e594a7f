"""A workflow over a table: one run for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.api.rows import AT_ONCE, Journal, Rows, packages
from bpaz_lab.api.running import Running
from bpaz_lab.engine.batch import Batch

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from bpaz_lab.api.evaluate import Evaluation
    from bpaz_lab.api.metrics import Metric
    from bpaz_lab.engine.run import Run


class Over(Running):
    """The half of ``Workflow`` that works on tables."""

    partial: pd.DataFrame | None = None
    """What ``map`` had when it was interrupted."""

    def map(
        self,
        data: Any,
        *,
        columns: Mapping[str, str] | None = None,
        concurrency: int = AT_ONCE,
        resume: pd.DataFrame | str | os.PathLike[str] | None = None,
        progress: bool = True,
        **options: Any,
    ) -> pd.DataFrame:
        """Runs the workflow once for each row.

        Args:
            data: A DataFrame, a list of dicts, or a list of values for a workflow with one input.
            columns: Column to input, where the names differ; columns that are no input pass through.
            concurrency: How many rows are run at the same time.
            resume: What is done already: the result of an interrupted ``map`` (also ``wf.partial``), or a
                file to which every finished row is added at once, and read again by the next call.
            progress: Whether a bar shows how far it is.
            options: What ``start`` takes: ``target``, ``timeout`` for each row, ``cache``, ``objects``, and
                inputs that are the same for all rows.

        Returns:
            The data with the outputs by name (``output`` where there is one), and ``status``, ``error``,
            ``latency`` in seconds, ``tokens``, ``cost`` and ``run_id``. A row that fails does not stop the
            others. An output whose name is a column of the data comes as ``output_<name>``.

        Raises:
            MissingPackage: pandas is not installed.
            DocumentError: The workflow has problems.
            InputError: The rows lack an input; nothing was started.
            KeyboardInterrupt: Somebody stopped it; ``wf.partial`` has the rows that are done.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> _ = wf.add("PromptTemplate", template="Hello {name}!")
            >>> wf.map([{"name": "Ada"}, {"name": "Alan"}], progress=False)["output"].tolist()
            ['Hello Ada!', 'Hello Alan!']
        """
        rows = Rows(self, data, columns, options)
        return self._run_rows(rows, concurrency, resume, progress=progress)

    def sweep(
        self,
        settings: Mapping[str, Sequence[Any]],
        /,
        data: Any = None,
        *,
        concurrency: int = AT_ONCE,
        progress: bool = True,
        **options: Any,
    ) -> pd.DataFrame:
        """Runs the workflow with every combination of settings; nodes before a change are computed once.

        Args:
            settings: The values of each setting, by ``"node.setting"`` (``"part/node.setting"`` inside a
                container).
            data: Rows as for ``map``; a single run for each combination where None.
            concurrency: How many runs go on at the same time.
            progress: Whether a bar shows how far it is.
            options: What ``start`` takes, and inputs by name.

        Returns:
            One row for each combination and row of the data: the settings, then what ``map`` gives.

        Raises:
            DocumentError: A setting does not exist or a value does not fit; nothing was started.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> _ = wf.add("PromptTemplate", id="hello", template="Hello {name}!")
            >>> found = wf.sweep({"hello.template": ["Hi {name}", "Bye {name}"]}, name="Ada", progress=False)
            >>> found["output"].tolist()
            ['Hi Ada', 'Bye Ada']
        """
        from bpaz_lab.api.sweep import combined

        return combined(self, settings, data, concurrency, progress=progress, options=options)

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
        from bpaz_lab.api.evaluate import evaluated

        return evaluated(self, data, list(metrics), expected, output, against, options)

    def copied(self) -> Over:
        """A workflow of its own that means the same, with the same pins."""
        raise NotImplementedError

    def _run_rows(
        self,
        rows: Rows,
        concurrency: int,
        resume: pd.DataFrame | str | os.PathLike[str] | None,
        *,
        progress: bool,
        after: Any = None,
    ) -> pd.DataFrame:
        """Runs what is not done yet, and gives the whole table."""
        packages("tqdm")
        from tqdm.auto import tqdm

        journal = Journal.of(resume, rows)
        todo = [number for number in range(len(rows)) if number not in journal.done]

        async def told(position: int, run: Run) -> dict[str, Any]:
            found = rows.result(run)
            if after is not None:
                found |= await after(todo[position], run)
            return found

        batch = Batch([rows.maker(number) for number in todo], concurrency, told)
        bar = tqdm(total=len(rows), initial=len(rows) - len(todo), unit="row", disable=not progress)
        failed = 0
        try:
            with bar:
                for position, found in batch:
                    journal.add(todo[position], found)
                    failed += found["status"] == "failed"
                    bar.set_postfix({"failed": failed} if failed else {}, refresh=False)
                    bar.update()
        except KeyboardInterrupt as stop:
            batch.cancel()
            for position, found in batch:
                if found["status"] != "cancelled":
                    journal.add(todo[position], found)
            self.partial = rows.table(journal.done)
            stop.add_note(
                "The rows that are done are in wf.partial: go on with wf.map(..., resume=wf.partial)."
            )
            raise
        finally:
            journal.close()
        return rows.table(journal.done)
