"""The runs that a cell starts: runs of the engine that one can go back into."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.runs import memory
from bpaz_lab.api.runs.moment import GIVEN
from bpaz_lab.engine import run as engine
from bpaz_lab.engine.ledger import DONE
from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.api.running import Running
    from bpaz_lab.api.runs.comparison import Comparison
    from bpaz_lab.api.runs.durable import Held
    from bpaz_lab.api.runs.moment import Moment
    from bpaz_lab.engine.budget import Budget, Meter
    from bpaz_lab.engine.cache import Cache
    from bpaz_lab.engine.limits import Limit, Limits
    from bpaz_lab.engine.options import Options
    from bpaz_lab.engine.plan import Plan
    from bpaz_lab.graph.document import Document


@dataclass(frozen=True, slots=True)
class How:
    """The options of a run that say how it goes; see ``Workflow.prepared``."""

    session: str = ""
    timeout: float | None = None
    concurrency: int | Mapping[str, int | Limit] | Limits | None = None
    cache: bool | str | Cache = True
    budget: Budget | Meter | None = None
    objects: Mapping[str, Any] | None = None
    durable: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run is made of, so that another one can begin in the middle of it.

    Attributes:
        workflow: Whose node types, files and objects it uses.
        document: The document as it was.
        targets: What is computed.
        inputs: What the run was given by name.
        pins: The outputs that stand still, by node.
        how: How it goes.
        parent: The run that it began in the middle of; empty for none.
        forked_at: The address of the step there.
    """

    workflow: Running
    document: Document
    targets: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    pins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    how: How = How()
    parent: str = ""
    forked_at: str = ""


class Run(engine.Run):
    """One run of a workflow, and the way back into it.

    Attributes:
        origin: What it is made of.
        held: Its lease, where it is durable; None for a run in memory.
        stored: Set when the laboratory knows how a durable run has ended, or what it asks.
    """

    def __init__(
        self,
        plan: Plan,
        inputs: Mapping[str, Any],
        options: Options,
        origin: Origin,
        held: Held | None = None,
    ) -> None:
        super().__init__(plan, inputs, options)
        self.origin = origin
        self.held = held
        self.stored = threading.Event()

    def __repr__(self) -> str:
        parent = self.origin.parent
        forked = f", forked from {parent[:8]} at {self.origin.forked_at}" if parent else ""
        return super().__repr__()[:-1] + forked + ">"

    # ---- going on, and being kept ------------------------------------------------------------------

    def start(self) -> Run:
        """Starts the run and returns at once; a durable one is told to the laboratory from now on."""
        super().start()
        if self.held is not None:
            from bpaz_lab.api.runs import durable

            durable.follow(self, self.held)
        return self

    async def here(self) -> Run:
        """Runs to the end on the engine's own loop, as the rows of a table do."""
        if self.held is not None:
            from bpaz_lab.api.runs import durable

            durable.follow(self, self.held)
        await super().here()
        if self.held is not None:
            await asyncio.to_thread(self.stored.wait)
        return self

    def answer(self, answers: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Gives the answers that a paused run waits for; see ``engine.run.Run``."""
        self.stored.clear()
        super().answer(answers, **named)
        return self

    def cancel(self) -> None:
        """Stops the run at the next await; see ``engine.run.Run``."""
        if self.status == "paused":
            self.stored.clear()
        super().cancel()

    def wait(self, timeout: float | None = None) -> Run:
        """Waits until the run ends or waits for a person, and a durable one is kept like that."""
        super().wait(timeout)
        if self.held is not None:
            self.stored.wait(timeout)
        return self

    async def done(self) -> Run:
        """Waits for the end in the caller's own loop; cancelling the caller cancels the run."""
        await super().done()
        if self.held is not None:
            await asyncio.to_thread(self.stored.wait)
        return self

    # ---- going back --------------------------------------------------------------------------------

    def at(self, address: str) -> Moment:
        """A step as it was: what it got and what it gave.

        Args:
            address: A node, ``"draft"``; inside a container with its round, ``"each[2]/clean"``, or without
                for the last round.

        Raises:
            InputError: The run has no such step, or its values are gone: a run in memory keeps those of the
                top and of the last round of each body, one with ``durable=True`` keeps all.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> _ = wf.add("PromptTemplate", template="Hello {name}!", id="hello")
            >>> wf.run(name="world").at("hello").inputs
            {'name': 'world'}
        """
        found = memory.moment(self, address)
        if self.held is not None and (found is None or found.status in ("cached", GIVEN)):
            return self._from_ledger(address, found)
        if found is None:
            raise InputError(
                f"the run has no values of {address} any more",
                hint="A run in memory keeps those of the last round; wf.run(durable=True) keeps all.",
            )
        return found

    def fork(
        self,
        address: str,
        outputs: Mapping[str, Any] | None = None,
        /,
        *,
        workflow: Running | None = None,
        **named: Any,
    ) -> Run:
        """A new run that begins in the middle of this one, and goes to its end.

        Everything that does not hang on the step is taken from this run and not computed again.

        Args:
            address: The step; see ``at``. In a run that is not durable it is a node of the top.
            outputs: What the step shall have given instead, by output; those left out stay as they were.
                Without any the step is computed again.
            workflow: The workflow to go on with, where it was changed since: what changed is computed again
                too. This run's by default.
            named: The same by name.

        Raises:
            InputError: There is no such step or output.
            RunError: The new run failed; it is attached.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> hello = wf.add("PromptTemplate", template="Hello {name}!", id="hello")
            >>> _ = hello >> wf.add("ChatOutput", id="out")
            >>> wf.run(name="world").fork("hello", text="Good day!").output
            'Good day!'
        """
        run = self._forked(address, {**(outputs or {}), **named}, workflow)
        self.origin.workflow._launch(run).wait().raise_for_status()
        return run

    def diff(self, other: Any) -> Comparison:
        """What differs from this run to another one, node by node; see ``comparison.Comparison``.

        Args:
            other: A run, an execution of ``lab.executions``, or the id of a run that is kept.

        Raises:
            InputError: It is none.
            NotFound: There is no run of that id.
        """
        from bpaz_lab.api.runs.comparing import compared

        return compared(self, other)

    def _forked(self, address: str, outputs: Mapping[str, Any], workflow: Running | None) -> Run:
        if self.held is None:
            from bpaz_lab.api.runs.forking import forked

            return forked(self, address, outputs, workflow)
        from bpaz_lab.api.runs import resuming

        told = resuming.found(self.held.transport, self.id)
        held = self.held.transport
        return resuming.forked(held, told, address, outputs, workflow=workflow, like=self.origin)

    def _from_ledger(self, address: str, found: Moment | None) -> Moment:
        """A step of a durable run, which another process may have done."""
        from bpaz_lab.api.runs.kept import Kept

        assert self.held is not None
        kept = Kept(self.held.transport.steps(self.held.id, 0), lambda: self._plan, self.events)
        if found is None:
            return kept.moment(address)
        row = kept.rows.get(found.address)
        if row is None or row.state not in DONE:
            return found
        told = kept.moment(found.address)
        return replace(found, status=told.status, seconds=told.seconds)  # with its live objects
