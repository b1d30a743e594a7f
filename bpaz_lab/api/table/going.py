"""Rows on their way, in a thread that waits or in somebody's loop: what is done is kept, whatever comes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.table.journal import Journal
from bpaz_lab.api.table.rows import AT_ONCE, packages
from bpaz_lab.engine.batch import Batch
from bpaz_lab.engine.limits import Limits
from bpaz_lab.errors import BudgetExceeded, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import pandas as pd

    from bpaz_lab.api.table.journal import Work
    from bpaz_lab.engine.run import Run

ROWS = "rows"


class Going:
    """The runs of a table.

    Args:
        work: The rows.
        concurrency: How many go on at the same time; see ``at_once``.
        resume: What is done already; see ``Journal``.
        progress: Whether a bar shows how far it is.
        after: What else a run gives, on the loop.
        good: Whether a completed result counts as done; one that does not is run again when going on.
        stopped: What is done with the rows that are done when it ends early; says where they are.
    """

    def __init__(
        self,
        work: Work,
        concurrency: int,
        resume: Any = None,
        *,
        progress: bool = True,
        after: Callable[[int, Run], Coroutine[Any, Any, dict[str, Any]]] | None = None,
        good: Callable[[Mapping[str, Any]], bool] = bool,
        stopped: Callable[[pd.DataFrame], str] | None = None,
    ) -> None:
        packages("tqdm")
        self._work = work
        self._after = after
        self._stopped = stopped
        self._journal = Journal(work, resume, good)
        self._todo = [number for number in range(len(work)) if number not in self._journal.done]
        self._failed, self._cost = 0, 0.0
        self._spent: BudgetExceeded | None = None
        done = len(work) - len(self._todo)
        self._bar = _bar()(total=len(work), initial=done, unit="row", disable=not progress)
        self._batch = Batch([work.maker(number) for number in self._todo], concurrency, self._result)

    def run(self) -> pd.DataFrame:
        """Waits for all rows."""
        try:
            for position, result in self._batch:
                self._add(self._todo[position], result)
            self._check()
        except BaseException as error:
            self._stop(error)
            raise
        finally:
            self._close()
        return self.table()

    async def arun(self) -> pd.DataFrame:
        """Waits for all rows without blocking the caller's loop."""
        try:
            async for position, result in self._batch:
                self._add(self._todo[position], result)
            self._check()
        except BaseException as error:
            self._stop(error)
            raise
        finally:
            self._close()
        return self.table()

    def table(self) -> pd.DataFrame:
        """The rows that are done."""
        return self._work.table(self._journal.done)

    def _stop(self, error: BaseException) -> None:
        """Stops what goes on, which ends at its next await, and keeps what had ended."""
        self._batch.cancel()
        for position, result in self._batch:
            self._add(self._todo[position], result)
        if self._stopped is not None:
            error.add_note(self._stopped(self.table()))

    def _close(self) -> None:
        self._bar.close()
        self._journal.close()

    def _check(self) -> None:
        if self._spent is not None:
            raise self._spent

    async def _result(self, position: int, run: Run) -> dict[str, Any]:
        if isinstance(run.error, BudgetExceeded):
            self._spent = run.error
            self._batch.cancel()  # the other rows would spend more
        number = self._todo[position]
        found = self._work.result(number, run)
        return found if self._after is None else found | await self._after(number, run)

    def _add(self, number: int, result: dict[str, Any]) -> None:
        if result["status"] == "cancelled":
            return
        self._journal.add(number, result, last=not self._batch.more)
        self._failed += result["status"] == "failed"
        self._cost += result["cost"] or 0.0
        told: dict[str, Any] = {"failed": self._failed} if self._failed else {}
        if self._cost:
            told["cost"] = f"${self._cost:.4f}"
        self._bar.set_postfix(told, refresh=False)
        self._bar.update()


def _bar() -> type[Any]:
    # tqdm.auto takes the notebook's bar as soon as ipykernel is imported, also where no kernel shows it.
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if hasattr(shell, "kernel"):
        from tqdm.notebook import tqdm as notebook_bar

        return notebook_bar  # type: ignore[no-any-return]
    from tqdm import tqdm

    return tqdm  # type: ignore[no-any-return]


def at_once(told: int | Mapping[str, Any]) -> tuple[int, Limits | None]:
    """How many rows go on at the same time, and the limits that all of them share.

    Args:
        told: A number, or a mapping with ``rows`` and what ``start`` takes as ``concurrency``.

    Raises:
        InputError: It is no number above 0.

    Example:
        >>> at_once({"rows": 20, "OpenAICompatibleChat": 4})[0]
        20
    """
    rest = {name: each for name, each in told.items() if name != ROWS} if isinstance(told, Mapping) else {}
    rows = told.get(ROWS, AT_ONCE) if isinstance(told, Mapping) else told
    if not isinstance(rows, int) or isinstance(rows, bool) or rows < 1:
        raise InputError(
            f"concurrency is {rows!r}, which is no number above 0",
            hint='Pass concurrency=8, or {"rows": 8, "OpenAICompatibleChat": 2}.',
        )
    return rows, Limits(rest) if rest else None
