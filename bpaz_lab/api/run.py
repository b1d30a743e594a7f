"""The runs that a cell starts: runs of the engine that one can go back into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bpaz_lab.api import memory
from bpaz_lab.engine import run as engine
from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.api.moment import Moment
    from bpaz_lab.api.running import Running
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
    """

    def __init__(self, plan: Plan, inputs: Mapping[str, Any], options: Options, origin: Origin) -> None:
        super().__init__(plan, inputs, options)
        self.origin = origin

    def __repr__(self) -> str:
        parent = self.origin.parent
        forked = f", forked from {parent[:8]} at {self.origin.forked_at}" if parent else ""
        return super().__repr__()[:-1] + forked + ">"

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
            workflow: The workflow to go on with, where it was changed since; this run's by default.
            named: The same by name.

        Raises:
            InputError: There is no such step or output.
            RunChanged: Something changed that the new run would take from this one.
            RunError: The new run failed; it is attached.

        Example:
            >>> from bpaz_lab import Workflow
            >>> wf = Workflow()
            >>> hello = wf.add("PromptTemplate", template="Hello {name}!", id="hello")
            >>> _ = hello >> wf.add("ChatOutput", id="out")
            >>> wf.run(name="world").fork("hello", text="Good day!").output
            'Good day!'
        """
        from bpaz_lab.api.forking import forked

        run = forked(self, address, {**(outputs or {}), **named}, workflow)
        self.origin.workflow._launch(run).wait().raise_for_status()
        return run
