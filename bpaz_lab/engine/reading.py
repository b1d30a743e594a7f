"""The half of a run that is read: its events, its values, what it used; from any thread, at any time."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.cache import Saved
from bpaz_lab.engine.display import Shown
from bpaz_lab.engine.slots import MISSING
from bpaz_lab.graph.address import place_of
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from bpaz_lab.engine.events import Usage
    from bpaz_lab.engine.options import Options
    from bpaz_lab.engine.plan import Plan
    from bpaz_lab.engine.record import Record
    from bpaz_lab.engine.scheduler import Scheduler, Shared
    from bpaz_lab.guard.mask import Masker
    from bpaz_lab.nodes.context import Services


class NodeOutputs(dict[str, Any]):
    """The outputs of one node by port; a wrong name tells the right ones."""

    def __init__(self, node: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.node = node

    def __missing__(self, port: str) -> Any:
        hint = closest(port, self) or f"It has: {', '.join(self) or 'none'}."
        raise KeyError(f"{self.node} gave no output {port!r} in this run. {hint}")


class Reading(Shown):
    """What a run has to tell."""

    _options: Options
    _plan: Plan
    _record: Record
    _rest: threading.Event
    _scheduler: Scheduler
    _services: Services
    _shared: Shared
    _values: list[Any]

    def cancel(self) -> None:
        """Stops the run."""
        raise NotImplementedError

    @property
    def events(self) -> list[Any]:
        """What happened so far, typed (see ``engine/events.py``)."""
        return self._record.since()

    def events_since(self, position: int) -> list[Any]:
        """The events from a sequence number on."""
        return self._record.since(max(0, position - self._record.first))

    @property
    def masker(self) -> Masker:
        """Knows the secrets of this run; what shows its values goes through it."""
        return self._services.masker

    @property
    def usage(self) -> Usage:
        """The tokens that models reported."""
        return self._record.total()

    @property
    def saved(self) -> Saved:
        """What the run did not have to compute, since results were kept."""
        entries = self._options.memo.saved.values() if self._options.memo else ()
        return Saved.of(entries)

    @property
    def outputs(self) -> dict[str, Any]:
        """Every computed output by ``node.port``; a branch not taken is missing."""
        return {
            port: self._values[slot]
            for port, slot in self._plan.slots.items()
            if self._values[slot] is not MISSING
        }

    def given(self, node: str) -> dict[str, Any]:
        """What a node of the top gave, by output; empty where it gave nothing or was not computed."""
        for step in self._plan.steps:
            if step.node == node:
                found = {name: self._values[slot] for name, slot in step.slots.items()}
                return {name: value for name, value in found.items() if value is not MISSING}
        return {}

    @property
    def output(self) -> Any:
        """What End or ChatOutput took, else the main output of the only sink.

        Of several ends that were reached it is a dict by node; None when none was.
        """
        found = {
            node: self._values[slot]
            for node, slot in self._plan.ends.items()
            if self._values[slot] is not MISSING
        }
        return next(iter(found.values())) if len(found) == 1 else (found or None)

    def __getitem__(self, node: str) -> NodeOutputs:
        """The outputs of a node; of one inside a container (``each/clean``) those of the last round."""
        *containers, id = place_of(node).split("/")
        scheduler: Scheduler | None = self._scheduler
        for number in range(len(containers)):
            assert scheduler is not None
            rounds = self._shared.bodies.get(scheduler.prefix + containers[number])
            scheduler = rounds.latest if rounds else None
            if scheduler is None:
                raise KeyError(f"the run has no finished round of {'/'.join(containers[: number + 1])!r}")
        assert scheduler is not None
        steps = {step.node: step for step in scheduler.plan.steps}
        if id not in steps:
            hint = closest(id, steps) or f"It computed: {', '.join(steps)}."
            raise KeyError(f"the run did not compute the node {node!r}. {hint}")
        step, values = steps[id], scheduler.values
        found = {name: values[slot] for name, slot in step.slots.items() if values[slot] is not MISSING}
        return NodeOutputs(node, found)

    def stream(self, position: int = 0) -> Iterator[Any]:
        """Events as they come, until the run ends or waits for a person; closing it early cancels the run."""
        position = max(0, position - self._record.first)
        woken = threading.Event()
        wake = woken.set
        try:
            while True:
                over = self._rest.is_set()
                end = len(self._record)
                yield from self._record.read(position, end)
                position = end
                if over:
                    return
                woken.clear()
                self._record.on_next(wake)
                if len(self._record) == position and not self._rest.is_set():
                    woken.wait()
        finally:
            self._record.forget(wake)
            if not self._rest.is_set():
                self.cancel()

    async def astream(self, position: int = 0) -> AsyncIterator[Any]:
        """Like ``stream``, in the caller's own loop."""
        position = max(0, position - self._record.first)
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        wake: Callable[[], Any] = partial(loop.call_soon_threadsafe, woken.set)
        try:
            while True:
                over = self._rest.is_set()
                end = len(self._record)
                for each in self._record.read(position, end):
                    yield each
                position = end
                if over:
                    return
                woken.clear()
                self._record.on_next(wake)
                if len(self._record) == position and not self._rest.is_set():
                    await woken.wait()
        finally:
            self._record.forget(wake)
            if not self._rest.is_set():
                self.cancel()

    def on_event(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake`` at each event, on the engine's thread; returns what ends that."""
        return self._record.on_event(wake)
