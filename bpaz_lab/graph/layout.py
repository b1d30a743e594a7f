"""Where boxes lie that nobody has placed: in columns from left to right, along the edges.

A longest-path layering with one barycentre pass (Sugiyama, Tagawa and Toda 1981, steps 2 and 3). The
canvas has dagre for a tidier picture with measured sizes; this one needs no browser.

Example:
    >>> from bpaz_lab.graph.document import parse
    >>> nodes = ", ".join(f'"{id}": {{"type": "T"}}' for id in "abc")
    >>> document = parse('{"bpaz": 1, "name": "", "edges": [["a.x", "b.y"], ["a.x", "c.y"]], '
    ...                  f'"nodes": {{{nodes}}}}}')
    >>> places(document, lambda node: 1)
    {'a': [0, 0.0], 'b': [300, 0.0], 'c': [300, 108.0]}
"""

from __future__ import annotations

from math import ceil, isqrt, log
from typing import TYPE_CHECKING, Final

from bpaz_lab.graph.order import ordered, predecessors

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.graph.document import Body
    from bpaz_lab.graph.spec import NodeSpec, Ports

COLUMN: Final = 300
HEAD, ROW, GAP = 50, 22, 36
ASPECT: Final = 2.0
"""Width to height of a canvas in a cell."""
FOLD: Final = 4
"""Columns that fit side by side and stay legible."""


def places(body: Body, rows: Callable[[str], int]) -> dict[str, list[float]]:
    """Positions of the nodes that have none.

    Args:
        body: Nodes, edges and the layout so far.
        rows: How many lines a node shows under its title.

    Returns:
        ``[x, y]`` of the upper left corner, in pixels, by node.
    """
    missing = [node for node in body["nodes"] if node not in body["layout"]]
    if not missing:
        return {}
    feeding = predecessors(body)
    order, stuck = ordered(feeding)
    column: dict[str, int] = {}
    for node in [*order, *stuck]:
        column[node] = max((column.get(before, -1) for before in feeding[node]), default=-1) + 1
    column |= _pulled(column, feeding)
    top = 0.0
    if len(missing) < len(body["nodes"]):
        top = max(y + HEAD + ROW * rows(node) for node, (_, y) in body["layout"].items() if node in column)
        top += GAP
    columns: list[list[tuple[str, float]]] = []
    heights: list[float] = []
    centre: dict[str, float] = {}
    for number in range(max(column.values()) + 1):
        here = [node for node in missing if column[node] == number]
        here.sort(key=lambda node: _centre(node, feeding, centre))
        y, placed = 0.0, []
        for node in here:
            placed.append((node, y))
            centre[node] = y
            y += HEAD + ROW * rows(node) + GAP
        columns.append(placed)
        heights.append(y)
    return _folded(columns, heights, top)


def lines(ports: Ports, spec: NodeSpec | None) -> int:
    """The lines of a node on the canvas: ports, a few settings, and its outputs after a run."""
    settings = min(2, len(spec.fields)) if spec else 0
    return max(len(ports.inputs), len(ports.outputs), 1) + settings + len(ports.outputs)


def next_place(body: Body, rows: Callable[[str], int]) -> list[float]:
    """Where a node goes that is added while somebody looks on and whose edges are not known yet.

    Beside the node that was added last, as one reads, else in a new row under everything.

    Example:
        >>> from bpaz_lab.graph.document import parse
        >>> document = parse('{"bpaz": 1, "name": "", "nodes": {"a": {"type": "T"}}}')
        >>> document["layout"] = {"a": [0, 0]}
        >>> next_place(document, lambda node: 1)
        [300, 0]
    """
    placed = {node: at for node, at in body["layout"].items() if node in body["nodes"]}
    if not placed:
        return [0, 0]
    last = [node for node in body["nodes"] if node in placed][-1]
    x, y = placed[last][0] + COLUMN, placed[last][1]
    left = min(at[0] for at in placed.values())
    taken = any(
        abs(other[0] - x) < COLUMN and other[1] - GAP < y + HEAD < other[1] + 2 * HEAD + ROW * rows(node)
        for node, other in placed.items()
        if node != last
    )
    if x < left + FOLD * COLUMN and not taken:
        return [x, y]
    return [left, max(at[1] + HEAD + ROW * rows(node) for node, at in placed.items()) + GAP]


def _folded(
    columns: list[list[tuple[str, float]]], heights: list[float], top: float
) -> dict[str, list[float]]:
    """Folds a long row of columns into bands, so that the whole is about as wide as a cell."""

    def shape(bands: int) -> float:
        each = ceil(len(columns) / bands)
        height = sum(max(heights[start : start + each]) for start in range(0, len(heights), each))
        return abs(log(each * COLUMN / height / ASPECT))

    most = isqrt(len(columns)) if len(columns) > FOLD else 1
    each = ceil(len(columns) / min(range(1, most + 1), key=shape))
    found: dict[str, list[float]] = {}
    for start in range(0, len(columns), each):
        for number, placed in enumerate(columns[start : start + each]):
            found |= {node: [number * COLUMN, top + y] for node, y in placed}
        top += max(heights[start : start + each]) + GAP
    return found


def _pulled(column: dict[str, int], feeding: dict[str, set[str]]) -> dict[str, int]:
    """Sources move next to what they feed, so that wires stay short."""
    nearest: dict[str, int] = {}
    for node, before in feeding.items():
        for each in before:
            nearest[each] = min(nearest.get(each, column[node]), column[node])
    return {node: nearest[node] - 1 for node in column if not feeding[node] and nearest.get(node, 0) > 1}


def _centre(node: str, feeding: dict[str, set[str]], placed: dict[str, float]) -> float:
    known = [placed[before] for before in feeding[node] if before in placed]
    return sum(known) / len(known) if known else float("inf")
