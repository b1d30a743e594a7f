"""Writes docs/nodes.md, the reference of all node types, from the catalogue.

Run it after a change of a node type: ``python -m bpaz_lab.nodes.docs``. A test fails while the page is
not what the catalogue says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.nodes.catalogue import catalogue

if TYPE_CHECKING:
    from bpaz_lab.graph.spec import CatalogueSpec, FieldSpec, NodeSpec, PortSpec

PAGE: Final = Path(__file__).parents[2] / "docs" / "nodes.md"
_INTRODUCTION: Final = """\
# Node types

Written by `python -m bpaz_lab.nodes.docs` from the node types themselves. Ports with a `*` are
required; the **bold** output is the main one, which is computed when nothing is connected.
"""


def page(spec: CatalogueSpec) -> str:
    """The page: an overview, then each category with its node types."""
    own = [node for node in spec.nodes if node.package == "bpaz_lab"]
    parts = [_INTRODUCTION, _overview(spec, own)]
    for category in spec.categories:
        nodes = [node for node in own if node.category == category.name]
        if nodes:
            parts.append(f"## {category.title}\n\n{category.help}\n")
            parts += [_node(node) for node in nodes]
    return "\n".join(parts)


def _overview(spec: CatalogueSpec, nodes: list[NodeSpec]) -> str:
    titles = {category.name: category.title for category in spec.categories}
    order = list(titles)
    rows = [
        [f"[{node.type}](#{node.type.lower()})", titles[node.category], node.summary]
        for node in sorted(nodes, key=lambda node: (order.index(node.category), node.type))
    ]
    return _table(["Type", "Category", "What it does"], rows)


def _node(node: NodeSpec) -> str:
    ports = f"{_ports(node.ports.inputs) or 'none'} → {_ports(node.ports.outputs) or 'none'}"
    lines = [f"### {node.type}\n", f"{node.help}\n", f"Ports: {ports}{_notes(node)}\n"]
    if node.fields:
        rows = [[f"`{field.name}`", _kind(field), _default(field), field.help] for field in node.fields]
        lines.append(_table(["Setting", "Kind", "Default", "What it is"], rows))
    return "\n".join(lines)


def _notes(node: NodeSpec) -> str:
    notes = "; they depend on the settings" if node.dynamic else ""
    return f"{notes}. Effect: {node.effect}."


def _ports(ports: tuple[PortSpec, ...]) -> str:
    return ", ".join(_port(port) for port in ports)


def _port(port: PortSpec) -> str:
    name = f"**{port.name}**" if port.main else port.name
    many = ", several" if port.many else ""
    by = ", given by the run" if port.source == "run" else ""
    return f"{name}{'*' if port.required else ''} ({port.tag}{many}{by})"


def _kind(field: FieldSpec) -> str:
    if field.choices:
        return " · ".join(f"`{choice}`" for choice in field.choices)
    low, high = field.minimum, field.maximum
    if low is not None and high is not None:
        return f"{field.kind}, {low:,} to {high:,}"
    return f"{field.kind}, from {low:,}" if low is not None else field.kind


def _default(field: FieldSpec) -> str:
    if field.required:
        return "required"
    return "" if field.default in (None, "") else f"`{json.dumps(field.default, ensure_ascii=False)}`"


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Writes the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(catalogue().describe()), encoding="utf-8")


if __name__ == "__main__":
    main()
