"""A node with a body: a workflow inside, which the node runs as often as it likes.

A container's ports come from its settings and from its body: ``container_ports`` gets what the body
takes and gives. Its method calls ``await context.body(inputs)``, with a ``key`` for each round where it
runs the body more than once; the answer is the body's outputs by name, without those whose branch was
not taken. What the container raises, and what it makes of a body that failed, is its own affair; only
``Paused`` must pass, since somebody has to answer first.

When a run goes on after a pause, the method of the container is called again: rounds that are done
answer at once, so it must ask for the same rounds in the same way.

Example:
    >>> from bpaz_lab.nodes.base import outputs
    >>> from bpaz_lab.nodes.context import Context
    >>> class Twice(Container):
    ...     '''Runs its body two times.'''
    ...     @outputs()
    ...     async def go(self, context: Context, **inputs: Any) -> dict[str, Any]:
    ...         '''What the second round gives.'''
    ...         await context.body(inputs, key="0")
    ...         return await context.body(inputs, key="1")
    >>> Twice.container_ports({}, Ports()).outputs
    ()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bpaz_lab.graph.spec import NodeSpec, Ports
from bpaz_lab.nodes.base import Node

if TYPE_CHECKING:
    from collections.abc import Mapping


class Container(Node):
    """Base of every node with a body; the module's docstring is its contract."""

    container = True
    takes: ClassVar[str] = "value"
    """What Start is called by in a body that a canvas begins with; empty for an empty body."""
    gives: ClassVar[str] = "value"
    """What End is called by there."""

    @classmethod
    def container_ports(cls, settings: Mapping[str, Any], inside: Ports) -> Ports:  # noqa: ARG003 (for those that override it)
        """The ports with these settings and a body that has these.

        By default they are the body's own; every output needs every input.
        """
        needs = tuple(port.name for port in inside.inputs)
        given = tuple(port.model_copy(update={"needs": needs}) for port in inside.outputs)
        return Ports(inputs=inside.inputs, outputs=given)

    @classmethod
    def reference(cls, settings: Mapping[str, Any]) -> str:  # noqa: ARG003 (as above)
        """The workflow that the settings name instead of a body; empty for one of its own."""
        return ""

    @classmethod
    def _spec(cls) -> NodeSpec:
        return super()._spec().model_copy(update={"starter": cls._starter()})

    @classmethod
    def _starter(cls) -> dict[str, Any]:
        body: dict[str, Any] = {"nodes": {}, "edges": [], "layout": {}, "notes": {}, "groups": {}}
        if cls.takes:
            fields = [{"name": cls.takes, "kind": "any"}]
            body["nodes"] = {
                "start": {"type": "Start", "version": 1, "settings": {"fields": fields}},
                "end": {"type": "End", "version": 1, "settings": {"fields": [cls.gives]}},
            }
            body["layout"] = {"start": [0, 0], "end": [600, 0]}
        return body

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:
        """The ports with an empty body."""
        return cls.container_ports(settings, Ports())
