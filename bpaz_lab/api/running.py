"""Running a workflow from a cell."""

from __future__ import annotations

import os
import sys
from collections import ChainMap
from functools import lru_cache
from pathlib import Path  # noqa: TC003 (as the class of an attribute)
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.editing import Editing
from bpaz_lab.api.hosted.credentials import resolver
from bpaz_lab.api.runs.run import How, Origin, Run
from bpaz_lab.engine.cache import Cache, cache_of
from bpaz_lab.engine.engine import Engine
from bpaz_lab.engine.incremental import Incremental, Known, stale
from bpaz_lab.engine.limits import Limit, Limits
from bpaz_lab.engine.options import Options
from bpaz_lab.errors import InputError
from bpaz_lab.graph.document import shaped
from bpaz_lab.graph.library import Folder
from bpaz_lab.graph.order import following, predecessors
from bpaz_lab.guard.paths import Jail
from bpaz_lab.guard.suggest import closest
from bpaz_lab.nodes.context import Services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping

    from bpaz_lab.api.lab.stored import Stored
    from bpaz_lab.engine.budget import Budget, Meter
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
        self.types = self.types.beside(Folder(Jail.user()))
        self.folder: Path | None = None
        """Where the workflow's file lies; its relative paths start there."""
        self.stored: Stored | None = None
        """Where a laboratory keeps it, and how it was there; ``lab.workflows`` sets it."""
        self.pins: dict[str, dict[str, Any]] = {}
        """The outputs that stand still, by node and port: runs take them and do not compute the node."""
        self._plans: dict[tuple[tuple[str, ...], frozenset[str]], tuple[tuple[int, int], Plan]] = {}
        self._shown: tuple[int, Document] | None = None
        self._known = Known()
        self._listeners: list[Callable[[Run], None]] = []
        self._pin_listeners: list[Callable[[], None]] = []

    def validate(self) -> list[DocumentError]:
        """All problems, each with its path and a hint; empty when there is none. Executes nothing."""
        return Engine(self.types).validate(self.history.document)

    @property
    def inputs(self) -> list[RunInput]:
        """What a run can be given by name."""
        return self.plan().inputs

    def plan(self, *targets: str, given: Collection[str] = ()) -> Plan:
        """The plan of a run, made once for a revision.

        Args:
            targets: What to compute, ``node`` or ``node.port``; all sinks where empty.
            given: Nodes whose outputs the run brings along.

        Raises:
            DocumentError: What would be computed has problems.
        """
        now, key = (self.history.revision, self.types.version), (targets, frozenset(given))
        known = self._plans.get(key)
        if known is None or known[0] != now:
            with self.history.lock:
                known = (now, Engine(self.types).build(self.history.document, targets, given))
            self._plans = {key: kept for key, kept in self._plans.items() if kept[0] == now}
            self._plans[key] = known
        return known[1]

    def stale(self) -> dict[str, str]:
        """Why a run would compute each node again; nodes that are up to date are missing. Runs nothing.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> _ = wf.add("PromptTemplate", template="Hello {name}!", id="hello")
            >>> _ = wf.run(name="you")
            >>> wf["hello"].set(template="Bye {name}!").workflow.stale()
            {'hello': 'its setting template changed from Hello {name}! to Bye {name}!'}
        """
        services = Services(jail=self._jail(), namespace=_namespace())
        return stale(self.history.document, self.types, self._known, services, self.pins)

    def start(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Starts a run and returns at once.

        Args:
            inputs: Inputs in a mapping, for names that are no identifiers or that clash with an option.
            named: Inputs by name, and the options of ``prepared``: ``target``, ``only``, ``since``,
                ``session``, ``timeout``, ``concurrency``, ``cache``, ``budget``, ``objects``, ``durable``.

        Raises:
            DocumentError: The workflow has problems; nothing was started.
            InputError: An input is unknown, ambiguous or missing; nothing was started.
        """
        return self._launch(self.prepared(inputs, **named))

    def _launch(self, run: Run) -> Run:
        """Starts a run that was prepared, and tells who wants to know."""
        self.latest = run  # before it starts: Ctrl-C finds it
        run.start()
        for listener in list(self._listeners):
            listener(run)
        return run

    def prepared(  # noqa: PLR0913 (each option stands for itself)
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        target: str | None = None,
        only: str | None = None,
        since: str | None = None,
        session: str = "",
        timeout: float | None = None,
        concurrency: int | Mapping[str, int | Limit] | Limits | None = None,
        cache: bool | str | Cache = True,
        budget: Budget | Meter | None = None,
        objects: Mapping[str, Any] | None = None,
        durable: bool = False,
        **named: Any,
    ) -> Run:
        """A run that has not begun.

        Args:
            inputs: Inputs in a mapping, for names that are no identifiers or that clash with an option.
            target: ``"node"`` or ``"node.port"``: compute just this and what it needs.
            only: A node: compute just this, with what the latest run gave to its inputs.
            since: A node: compute it and what follows, and take the rest from the latest run.
            session: The conversation that the run belongs to.
            timeout: Seconds that the run may take, not counting the time that it waits for a person.
            concurrency: How many nodes work at once, or a mapping of node types (and ``"run"`` for all) to a
                number or a ``Limit``; a ``Limits`` of several runs is shared by them.
            cache: Where results are kept, so that a node is computed again only where something changed:
                True or ``"memory"``, ``"disk"``, a cache of your own, or False for none.
            budget: Tokens or US dollars that the run may use; one that uses more is stopped and fails.
            objects: Live objects that Variable and PythonFunction may name, before those of the notebook.
            durable: Whether every step is kept in the laboratory, so that the run outlives this process: see
                ``bz.resume``. It is admitted there at once, and must then be started.
            named: Inputs by name.

        Raises:
            DocumentError: The workflow has problems.
            InputError: An input is unknown, ambiguous or missing.
        """
        pins = dict(self.pins)
        given = {**self._given(only, since), **pins}
        targets = tuple(each for each in (target, only) if each)
        how = How(session, timeout, concurrency, cache, budget, objects, durable)
        with self.history.lock:
            plan, document = self.plan(*targets, given=given), self._seen()
        origin = Origin(self, document, targets, {**(inputs or {}), **named}, pins, how)
        return self._run_of(origin, plan, given)

    def _run_of(self, origin: Origin, plan: Plan, given: Mapping[str, Mapping[str, Any]]) -> Run:
        """A run of a plan that was made of this workflow, as it is or as it was."""
        options = self._options(origin.how, given)
        if not origin.how.durable:
            return Run(plan, origin.inputs, options, origin)
        from bpaz_lab.api.runs import durable

        return Run(plan, origin.inputs, options, origin, durable.begun(origin, plan, options))

    def _options(self, how: How, given: Mapping[str, Mapping[str, Any]] | None = None) -> Options:
        """The engine's options of a run that goes like this."""
        services = Services(
            resolver=resolver(),
            session=how.session,
            jail=self._jail(),
            namespace=ChainMap(dict(how.objects or {}), _namespace()),
        )
        kept = cache_of(how.cache)
        limits = how.concurrency
        return Options(
            timeout=how.timeout,
            services=services,
            limits=limits if isinstance(limits, Limits) else Limits(limits),
            given=given or {},
            memo=None if kept is None else Incremental(kept, self._known),
            budget=how.budget,
        )

    def _seen(self) -> Document:
        """The document as it is now, for the runs of this revision to remember."""
        with self.history.lock:
            if self._shown is None or self._shown[0] != self.history.revision:
                self._shown = self.history.revision, shaped(self.history.document)
            return self._shown[1]

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
            run = self.start(inputs, **named)
            run.wait().raise_for_status()
        except KeyboardInterrupt:
            if self.latest is not None and self.latest is not before:
                self.latest.abandon()
            raise
        return run

    async def arun(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Runs to the end without blocking the caller's loop; cancelling the caller cancels the run.

        Raises:
            RunError: The run failed or was cancelled.
        """
        run = self.start(inputs, **named)
        await run.done()
        run.raise_for_status()
        return run

    def stream(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> Iterator[Any]:
        """Runs and gives the events as they come; a failure is an event. Closing it early cancels."""
        return self.start(inputs, **named).stream()

    def astream(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> AsyncIterator[Any]:
        """Like ``stream``, in the caller's own loop."""
        return self.start(inputs, **named).astream()

    def on_run(self, listener: Callable[[Run], Any]) -> Callable[[], None]:
        """Calls ``listener`` with each run that starts; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def on_pin(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls ``listener`` when a node was pinned or unpinned; returns what ends that."""
        self._pin_listeners.append(listener)
        return lambda: self._pin_listeners.remove(listener) if listener in self._pin_listeners else None

    def _given(self, only: str | None, since: str | None) -> dict[str, dict[str, Any]]:
        """What the latest run gave, for the nodes that are not computed again."""
        node = only or since
        if not node:
            return {}
        self._entry(node)
        fresh = {node} if only else following(self.history.document, node)
        latest = self.latest
        known = (
            {} if latest is None else {each: latest.given(each) for each in self.history.document["nodes"]}
        )
        before = {each for each in predecessors(self.history.document)[node] if each not in fresh}
        if lacking := sorted(each for each in before if not known.get(each) and each not in self.pins):
            raise InputError(
                f"the latest run has no result of {', '.join(lacking)}, which {node} needs",
                path=f"nodes.{node}",
                hint=f"Compute it first: wf.run(target={node!r}).",
            )
        return {each: values for each, values in known.items() if values and each not in fresh}

    def _pin(self, id: str, value: tuple[Any, ...], outputs: dict[str, Any]) -> None:
        ports = self._ports(id)
        if value and ports.main:
            outputs = {ports.main.name: value[0], **outputs}
        elif not outputs and self.latest is not None:
            outputs = self.latest.given(id)
        names = [port.name for port in ports.outputs]
        if not outputs:
            raise InputError(
                f"{id} has no value yet",
                path=f"nodes.{id}",
                hint="Run it, or give the value: node.pin(value).",
            )
        if unknown := [name for name in outputs if name not in names]:
            raise InputError(
                f"{id} has no output {unknown[0]!r}",
                path=f"nodes.{id}",
                hint=closest(unknown[0], names) or f"Its outputs are: {', '.join(names)}.",
            )
        self._entry(id)
        self.pins[id] = outputs
        self._tell_of_pins()

    def _unpin(self, id: str) -> None:
        self.pins.pop(id, None)
        self._tell_of_pins()

    def _tell_of_pins(self) -> None:
        for listener in list(self._pin_listeners):
            listener()

    def _live_in(self, folder: Path) -> None:
        """Where the workflow's relative paths start, and where the workflows are that it names."""
        self.folder = folder
        self.types = self.types.beside(Folder(self._jail()))

    def _jail(self) -> Jail:
        return _jail_of(self.folder, os.getcwd(), os.path.expanduser("~"))  # noqa: PTH109, PTH111 (quick)


@lru_cache(64)
def _jail_of(folder: Path | None, current: str, home: str) -> Jail:
    """The folders of a workflow; finding out where they really lie takes longer than a small run."""
    return Jail([current, home] if folder is None else [folder, current, home])


def _namespace() -> dict[str, Any]:
    """The objects of the notebook, or of the script that runs."""
    return vars(sys.modules["__main__"])
