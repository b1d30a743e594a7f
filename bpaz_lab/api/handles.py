"""Handles on the nodes and ports of a workflow: what ``wf.add`` gives back and ``>>`` joins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import ConnectionRefused, EdgeError, FormatError
from bpaz_lab.graph.ports import ANY, conversion
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from bpaz_lab.api.bodies import Body
    from bpaz_lab.api.editing import Editing
    from bpaz_lab.graph.spec import Ports, PortSpec


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


def fitting(source: End, target: End, taken: set[str]) -> tuple[str, str]:
    """The one pair of ports that joins two ends.

    The best fit wins: the same tag before a conversion before ``any``, then a required input before an
    optional one, then the main output. Two best ones are no choice to make silently.

    Raises:
        ConnectionRefused: None fits, or several do; it says which.
    """
    ranked: dict[tuple[int, int, int], list[tuple[str, str]]] = {}
    for out in _candidates(source, "outputs"):
        for into in _candidates(target, "inputs"):
            name = f"{_node(target).id}.{into.name}"
            how = conversion(out.tag, into.tag)
            free = into.many or name not in taken or isinstance(target, PortHandle)
            if how is None or into.source == "run" or not free:
                continue
            rank = (_rank(out, into), 0 if into.required else 1, 0 if out.main else 1)
            ranked.setdefault(rank, []).append((f"{_node(source).id}.{out.name}", name))
    if not ranked:
        raise ConnectionRefused(
            f"nothing that {_node(source).id} gives fits a free input of {_node(target).id}",
            hint=f"It gives {_tags(_candidates(source, 'outputs'))}; "
            f"{_node(target).id} takes {_tags(_candidates(target, 'inputs'))}.",
        )
    best = ranked[min(ranked)]
    if len(best) > 1:
        raise ConnectionRefused(
            f"several ports of {_node(source).id} and {_node(target).id} fit",
            hint="Name one: " + ", or ".join(_call(pair) for pair in best) + ".",
        )
    return best[0]


def _rank(out: PortSpec, into: PortSpec) -> int:
    if out.tag == into.tag:
        return 0
    return 2 if ANY in (out.tag, into.tag) else 1


def _node(end: End) -> NodeHandle:
    return end.node if isinstance(end, PortHandle) else end


def _candidates(end: End, side: str) -> list[PortSpec]:
    ports: tuple[PortSpec, ...] = getattr(_node(end).ports, side)
    if isinstance(end, NodeHandle):
        return list(ports)
    found = [port for port in ports if port.name == end.name]
    if not found:
        names = [port.name for port in ports]
        raise EdgeError(
            f"{end.node.id} has no {side[:-1]} {end.name!r}",
            path=f"nodes.{end.node.id}",
            hint=closest(end.name, names) or f"Its {side} are: {', '.join(names) or 'none'}.",
        )
    return found


def _tags(ports: list[PortSpec]) -> str:
    return ", ".join(f"{port.name} ({port.tag})" for port in ports) or "nothing"


def _call(pair: tuple[str, str]) -> str:
    (one, out), (other, into) = (port.split(".") for port in pair)
    return f'connect({one}["{out}"], {other}["{into}"])'
