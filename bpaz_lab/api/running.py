"""Running a workflow from a cell."""

from __future__ import annotations

import sys
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.editing import Editing
from bpaz_lab.engine.engine import Engine
from bpaz_lab.engine.run import Options, Run
from bpaz_lab.guard.paths import Jail
from bpaz_lab.nodes.context import Services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from bpaz_lab.engine.plan import Plan, RunInput
    from bpaz_lab.errors import DocumentError
    from bpaz_lab.graph.document import Document
    from bpaz_lab.nodes.catalogue import Catalogue


class Running(Editing):
    """The running half of ``Workflow``."""

    def __init__(self, document: Document, types: Catalogue | None = None) -> None:
        super().__init__(document, types)
        self.latest: Run | None = None
        """The run that was started last, by a cell or on a canvas."""
        self.folder: Path | None = None
        """Where the workflow's file lies; its relative paths start there."""
        self._plans: dict[tuple[str, ...], tuple[tuple[int, int], Plan]] = {}
        self._listeners: list[Callable[[Run], None]] = []

    def validate(self) -> list[DocumentError]:
        """All problems, each with its path and a hint; empty when there is none. Executes nothing."""
        return Engine(self.types).validate(self.history.document)

    @property
    def inputs(self) -> list[RunInput]:
        """What a run can be given by name."""
        return self.plan().inputs

    def plan(self, *targets: str) -> Plan:
        """The plan of a run, made once for a revision.

        Raises:
            DocumentError: What would be computed has problems.
        """
        now = (self.history.revision, self.types.version)
        known = self._plans.get(targets)
        if known is None or known[0] != now:
            with self.history.lock:
                known = (now, Engine(self.types).build(self.history.document, targets))
            self._plans = {key: kept for key, kept in self._plans.items() if kept[0] == now}
            self._plans[targets] = known
        return known[1]

    def start(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        target: str | None = None,
        session: str = "",
        timeout: float | None = None,
        objects: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Run:
        """Starts a run and returns at once.

        Args:
            inputs: Inputs in a mapping, for names that are no identifiers or that clash with an option.
            target: ``"node"`` or ``"node.port"``: compute just this and what it needs.
            session: The conversation that the run belongs to.
            timeout: Seconds that the run may take.
            objects: Live objects that Variable and PythonFunction may name, before those of the notebook.
            named: Inputs by name.

        Raises:
            DocumentError: The workflow has problems; nothing was started.
            InputError: An input is unknown, ambiguous or missing; nothing was started.
        """
        services = Services(
            session=session, jail=self._jail(), namespace=ChainMap(dict(objects or {}), _namespace())
        )
        plan = self.plan(target) if target else self.plan()
        run = Run(plan, {**(inputs or {}), **named}, Options(timeout=timeout, services=services))
        self.latest = run  # before it starts: Ctrl-C finds it
        run.start()
        for listener in list(self._listeners):
            listener(run)
        return run

    def run(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Runs to the end; Ctrl-C cancels. Takes what ``start`` takes.

        Raises:
            RunError: The run failed or was cancelled; it is attached, and the cause is chained.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> _ = wf.add("PromptTemplate", template="Hello {name}!")
            >>> wf.run(name="world").output
            'Hello world!'
        """
        before = self.latest
        try:
            return self.start(inputs, **named).wait().raise_for_status()
        except KeyboardInterrupt:
            if self.latest is not None and self.latest is not before:
                self.latest.abandon()
            raise

    async def arun(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Runs to the end without blocking the caller's loop; cancelling the caller cancels the run.

        Raises:
            RunError: The run failed or was cancelled.
        """
        run = await self.start(inputs, **named).done()
        return run.raise_for_status()

    def stream(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> Iterator[Any]:
        """Runs and gives the events as they come; a failure is an event. Closing it early cancels."""
        return self.start(inputs, **named).stream()

    def astream(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> AsyncIterator[Any]:
        """Like ``stream``, in the caller's own loop."""
        return self.start(inputs, **named).astream()

    def on_run(self, listener: Callable[[Run], None]) -> Callable[[], None]:
        """Calls ``listener`` with each run that starts; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _jail(self) -> Jail:
        if self.folder is None:
            return Jail.user()
        return Jail([self.folder, Path.cwd(), Path.home()])


def _namespace() -> dict[str, Any]:
    """The objects of the notebook, or of the script that runs."""
    return vars(sys.modules["__main__"])
