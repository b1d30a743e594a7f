"""A region of a workflow as a node of a LangGraph graph: one run of the scheduler, told as events.

What happens inside is told the three ways that LangGraph knows: tokens of models by LangChain's own
callbacks (``stream_mode="messages"``), every event of a node through the stream writer (``"custom"``), and as
a custom event of ``astream_events``, whose name is the event's type.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from bpaz_lab.engine.events import as_json
from bpaz_lab.engine.langgraph_frame import Frame, restore, snapshot
from bpaz_lab.engine.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.engine.options import Options
    from bpaz_lab.engine.plan import Plan

_OVER = frozenset({"node.finished", "node.skipped", "node.failed"})


class RegionRun(Run):
    """A run that may begin in the middle, and goes as far as its region.

    Where somebody must answer before the region ends, it does what else can be done in later ones.

    Args:
        plan: The whole plan.
        inputs: The inputs of the run.
        options: How it goes; ``services.answers`` has what people answered so far.
        region: The number of the region.
        frame: Where the run before stood; None at the beginning.
    """

    def __init__(
        self, plan: Plan, inputs: Mapping[str, Any], options: Options, region: int, frame: Frame | None
    ) -> None:
        self.inputs = dict(inputs)
        self.region = region
        self.over: set[str] = set()
        """The addresses of the steps that are done, in this run or before."""
        self._fresh: set[str] = set()
        super().__init__(plan, inputs, options)
        self._again = set() if frame is None else restore(self._scheduler, frame, self.over)

    @property
    def frame(self) -> Frame:
        """Where the run stands now that it rests."""
        return snapshot(self._scheduler, self.over)

    @property
    def asked(self) -> dict[str, Any]:
        """The questions as JSON, by address."""
        return {
            address: {
                **to_jsonable_python(self._record._question(question)),
                "form": [field.model_dump(mode="json", exclude_defaults=True) for field in question.form],
            }
            for address, question in self.questions.items()
        }

    def watched(self, config: Any) -> RegionRun:
        """Starts, tells LangGraph what happens, and waits.

        Raises:
            RunError: It failed or was cancelled.
        """
        told = Told(config)
        self.start()
        if told.heard:
            stream: Any = self.stream()
            with closing(stream) as events:
                for event in events:
                    told.tell(event)
        self.wait()
        self.raise_for_status()
        return self

    async def awatched(self, config: Any) -> RegionRun:
        """Like ``watched``, in the caller's loop; cancelling the caller cancels the run."""
        told = Told(config)
        self.start()
        if told.heard:
            stream: Any = self.astream()
            async with aclosing(stream) as events:
                async for event in events:
                    await told.atell(event)
        await self.done()
        self.raise_for_status()
        return self

    async def _run(self) -> bool:
        if self._services.cancel.is_set():
            raise asyncio.CancelledError
        await self._scheduler.run(None if is_raced(self._plan) else self.region)
        if self._scheduler.parked and self._more():
            await self._scheduler.run()
        return bool(self._scheduler.parked)

    def _more(self) -> bool:
        """Whether anything can be done but to make live objects for what comes after the answer."""
        scheduler, waits = self._scheduler, list(self._scheduler._waits)
        steps = scheduler.plan.steps
        for index in self._again:
            if steps[index].node not in self._fresh:
                for follower in steps[index].followers:
                    waits[follower] -= 1
        rest = {step.index for step in steps if step.node not in self.over} - self._again
        return any(not waits[index] for index in rest - {step.index for step in scheduler.parked})

    def _add(self, kind: str, node: str, data: Any) -> None:
        if kind in _OVER:
            self.over.add(node)
            self._fresh.add(node)
        elif kind == "node.started":  # it may be a second try of what stood in a body
            self.over.discard(node)
        super()._add(kind, node, data)


def is_raced(plan: Plan) -> bool:
    """Whether the first branch that comes wins somewhere: the end of a region must not decide which does."""
    return any(step.eager for step in plan.steps)


class Told:
    """Tells whoever listens to a LangGraph graph what happens at a node of the workflow.

    Args:
        config: What the LangGraph node was called with.
    """

    def __init__(self, config: Any) -> None:
        from langchain_core.callbacks import BaseCallbackHandler
        from langgraph.config import get_stream_writer

        self._config = config
        writer = get_stream_writer()
        silent = getattr(writer, "__closure__", True) is None  # without a stream that it could write to
        self._writer = None if silent else writer
        handlers = getattr(config.get("callbacks"), "handlers", ())
        base = BaseCallbackHandler.on_custom_event
        self._events = any(getattr(type(each), "on_custom_event", base) is not base for each in handlers)
        self.heard = self._writer is not None or self._events

    def tell(self, event: Any) -> None:
        """Tells one event; those of the run as a whole are LangGraph's own affair."""
        from langchain_core.callbacks import dispatch_custom_event

        if (shown := self._shown(event)) and self._events:
            dispatch_custom_event(event.type, shown, config=self._config)

    async def atell(self, event: Any) -> None:
        """Like ``tell``, in a loop."""
        from langchain_core.callbacks import adispatch_custom_event

        if (shown := self._shown(event)) and self._events:
            await adispatch_custom_event(event.type, shown, config=self._config)

    def _shown(self, event: Any) -> dict[str, Any]:
        if not hasattr(event, "node"):
            return {}
        shown = as_json(event)
        if self._writer is not None:
            self._writer(shown)
        return shown
