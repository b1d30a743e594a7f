"""Handles on the nodes and ports of a workflow: what ``wf.add`` gives back and ``>>`` joins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import EdgeError, FormatError
from bpaz_lab.graph.fitting import End as Fit
from bpaz_lab.graph.fitting import fitting as _fitting
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Container

    from bpaz_lab.api.bodies import Body
    from bpaz_lab.api.editing import Editing
    from bpaz_lab.graph.spec import Ports


class NodeHandle:
    """One node of a workflow, by its id."""

    def __init__(self, workflow: Editing, id: str) -> None:
        self.workflow = workflow
        self.id = id

    def __repr__(self) -> str:
        ports = self.ports
        sides = (", ".join(port.name for port in side) for side in (ports.inputs, ports.outputs))
        return f"<{self.type} {self.id!r}: {' -> '.join(sides)}>"

    def __getitem__(self, port: str) -> PortHandle:
        ports = self.ports
        names = [each.name for each in (*ports.inputs, *ports.outputs)]
        if port not in names:
            raise EdgeError(
                f"{self.id} has no port {port!r}",
                path=f"nodes.{self.id}",
                hint=closest(port, names) or f"Its ports are: {', '.join(names)}.",
            )
        return PortHandle(self, port)

    def __rshift__(self, other: Any) -> Any:
        self.workflow.connect(self, other)
        return other

    @property
    def type(self) -> str:
        """The node's type."""
        return self.workflow._entry(self.id)["type"]

    @property
    def ports(self) -> Ports:
        """Its ports as they are now."""
        return self.workflow._ports(self.id)

    @property
    def settings(self) -> dict[str, Any]:
        """Its settings as they stand in the document: those that differ from the defaults."""
        return dict(self.workflow._entry(self.id)["settings"])

    def set(self, settings: dict[str, Any] | None = None, /, **named: Any) -> NodeHandle:
        """Changes settings; None takes one back to its default.

        Raises:
            DocumentError: One does not fit, or holds a secret; nothing was changed.
        """
        self.workflow._set(self.id, {**(settings or {}), **named})
        return self

    @property
    def title(self) -> str:
        """What the canvas writes over the node; empty for its type's title."""
        return self.workflow._entry(self.id).get("title", "")

    @title.setter
    def title(self, title: str) -> None:
        self.workflow._retitle(self.id, title)

    @property
    def policy(self) -> dict[str, Any]:
        """How it runs apart from what it does, as it stands in the document; see ``set_policy``."""
        return dict(self.workflow._entry(self.id).get("policy", {}))

    def set_policy(self, **policy: Any) -> NodeHandle:
        """Says how the node runs; None takes one back.

        Args:
            policy: ``retries`` and the seconds to ``wait`` before the first repeat (they double), the
                errors to ``retry_on``, ``timeout`` in seconds for each try, ``on_error`` (``fail``,
                ``default`` with the ``default`` value, or ``port`` for an output ``error``), ``disabled``,
                and ``process`` for one of its own.

        Raises:
            DocumentError: One does not fit; nothing was changed.

        Example:
            ``chat.set_policy(retries=3, timeout=20, on_error="port")``
        """
        self.workflow._set_policy(self.id, policy)
        return self

    def pin(self, *value: Any, **outputs: Any) -> NodeHandle:
        """Makes the node's outputs stand still: runs take them and compute neither it nor what it needs.

        Args:
            value: The value of the main output; without any argument the latest run's outputs are taken.
            outputs: Values by output.

        Raises:
            InputError: There is no value, or no such output.

        Example:
            ``search.pin(documents[:2])``
        """
        self.workflow._pin(self.id, value, outputs)
        return self

    def unpin(self) -> NodeHandle:
        """Lets the node compute again."""
        self.workflow._unpin(self.id)
        return self

    @property
    def body(self) -> Body:
        """What is inside a container, to edit.

        Raises:
            FormatError: The node is no container, or names a workflow instead of a body.
        """
        from bpaz_lab.api.bodies import Body

        if "body" not in self.workflow._entry(self.id):
            raise FormatError(
                f"{self.id} ({self.type}) has no body",
                path=f"nodes.{self.id}",
                hint="Containers such as ForEach, Loop, SubWorkflow and Try have one.",
            )
        return Body(self.workflow, self.id)

    def __enter__(self) -> Body:
        return self.body

    def __exit__(self, *_error: object) -> None:
        """Nothing is to be closed: a body can be edited at any time."""

    def rename(self, id: str) -> NodeHandle:
        """Gives the node another id; its edges follow."""
        self.workflow._rename(self.id, id)
        self.id = id
        return self


class PortHandle:
    """One port of a node; whether it is an input or an output is known when it is connected."""

    def __init__(self, node: NodeHandle, name: str) -> None:
        self.node = node
        self.name = name

    def __repr__(self) -> str:
        return f"<port {self.node.id}.{self.name}>"

    def __rshift__(self, other: Any) -> Any:
        self.node.workflow.connect(self, other)
        return other


End = NodeHandle | PortHandle


def fitting(source: End, target: End, taken: Container[str]) -> tuple[str, str]:
    """The one pair of ports that joins two ends; see ``graph/fitting.py``."""
    return _fitting(_end(source), _end(target), taken)


def _end(end: End) -> Fit:
    if isinstance(end, PortHandle):
        return Fit(end.node.id, end.node.ports, end.name)
    return Fit(end.id, end.ports)
