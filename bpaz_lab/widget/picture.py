"""A workflow as an SVG picture: for pages where no script runs. Everything is drawn here, nothing fetched.

Example:
    >>> from bpaz_lab.graph.document import new
    >>> from bpaz_lab.nodes.catalogue import catalogue
    >>> picture(new("Empty"), catalogue()).startswith("<svg")
    True
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from bpaz_lab.graph.check import ports_of
from bpaz_lab.graph.layout import places
from bpaz_lab.graph.order import split
from bpaz_lab.graph.ports import TAGS, item_tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpaz_lab.graph.check import Types
    from bpaz_lab.graph.document import Body, Document
    from bpaz_lab.graph.spec import Ports, PortSpec

WIDTH, HEAD, ROW, MARGIN, LANE = 220, 44, 24, 40, 22
INSIDE, MAP = 74, 48
COLORS: Final = {
    "green": "#3f9142",
    "blue": "#2f7fd1",
    "cyan": "#1798a6",
    "grey": "#7a828c",
    "pink": "#c2497d",
    "purple": "#7d57c2",
    "orange": "#d9822b",
    "yellow": "#b8930b",
    "red": "#c64a41",
    "brown": "#8a6a55",
}


class _Box(NamedTuple):
    x: float
    y: float
    height: float
    ports: Ports

    def port(self, name: str, side: str) -> tuple[float, float]:
        ports: tuple[PortSpec, ...] = getattr(self.ports, side)
        row = next((n for n, port in enumerate(ports) if port.name == name), 0)
        return self.x + (WIDTH if side == "outputs" else 0), self.y + HEAD + ROW * row + ROW / 2


def picture(document: Document, types: Types) -> str:
    """The workflow as one ``<svg>`` element with its own background, legible on light and dark pages."""
    boxes = _boxes(document, types)
    if not boxes:
        return _page(
            360, 90, ['<text x="180" y="50" text-anchor="middle" class="small">An empty workflow</text>']
        )
    left = min(box.x for box in boxes.values()) - MARGIN
    top = min(box.y for box in boxes.values()) - MARGIN
    width = max(box.x for box in boxes.values()) + WIDTH + MARGIN - left
    height = max(box.y + box.height for box in boxes.values()) + MARGIN - top
    parts = [f'<g transform="translate({-left:g} {-top:g})">']
    parts += [_edge(boxes, source, target) for source, target in document["edges"]]
    for name, box in boxes.items():
        parts += _node(document, name, box, types)
    return _page(width, height, [*parts, "</g>"])


def _boxes(document: Document, types: Types) -> dict[str, _Box]:
    ports = {name: ports_of(document, name, types) for name in document["nodes"]}
    rows = {name: max(len(each.inputs), len(each.outputs), 1) for name, each in ports.items()}
    layout = {**document["layout"], **places(document, rows.__getitem__)}
    return {
        name: _Box(
            layout[name][0],
            layout[name][1],
            HEAD + ROW * rows[name] + 8 + (INSIDE if "body" in entry else 0),
            ports[name],
        )
        for name, entry in document["nodes"].items()
    }


def _node(document: Document, name: str, box: _Box, types: Types) -> Iterable[str]:
    entry = document["nodes"][name]
    spec = types.spec(entry["type"])
    kind = spec.title if spec else entry["type"]
    title = entry.get("title") or kind
    yield f'<g transform="translate({box.x:g} {box.y:g})">'
    dashed = "" if spec and not entry.get("policy", {}).get("disabled") else ' stroke-dasharray="5 4"'
    if "body" in entry:
        yield f'<rect x="5" y="5" width="{WIDTH}" height="{box.height:g}" rx="6" class="box"/>'
    yield f'<rect width="{WIDTH}" height="{box.height:g}" rx="6" class="box"{dashed}/>'
    yield f'<text x="12" y="19" class="title">{_cut(title, 27)}</text>'
    yield f'<text x="12" y="35" class="small">{_cut(name, 32)}</text>'
    for side, x, anchor in (("inputs", 0, "start"), ("outputs", WIDTH, "end")):
        for row, port in enumerate(getattr(box.ports, side)):
            y = HEAD + ROW * row + ROW / 2
            text = x + (12 if anchor == "start" else -12)
            if port.source == "wire":
                yield f'<circle cx="{x}" cy="{y:g}" r="5" fill="{_color(port.tag)}" class="port"/>'
            place = f'x="{text}" y="{y + 4:g}" text-anchor="{anchor}"'
            yield f'<text {place} class="small">{_cut(port.name, 16)}</text>'
    if "body" in entry:
        yield from _inside(entry["body"], box.height - INSIDE)
    yield "</g>"


def _inside(body: Body, top: float) -> Iterable[str]:
    """A small map of what is inside a container, and how many nodes that are."""
    count = len(body["nodes"])
    told = f"{count} node{'s' * (count != 1)} inside" if count else "empty"
    yield f'<rect x="10" y="{top:g}" width="{WIDTH - 20}" height="{MAP}" rx="4" class="page"/>'
    yield f'<text x="12" y="{top + MAP + 16:g}" class="small">{told}</text>'
    if not count:
        return
    at = {**body["layout"], **places(body, lambda _name: 2)}
    left, up = (min(at[name][axis] for name in body["nodes"]) for axis in (0, 1))
    width, height = (
        max(at[name][axis] for name in body["nodes"]) - low + size
        for axis, low, size in ((0, left, WIDTH), (1, up, 100))
    )
    scale = min((WIDTH - 32) / width, (MAP - 10) / height, 0.25)
    dx, dy = (WIDTH - width * scale) / 2, top + (MAP - height * scale) / 2
    w, h = WIDTH * scale, 100 * scale
    spots = {
        name: (dx + (at[name][0] - left) * scale, dy + (at[name][1] - up) * scale) for name in body["nodes"]
    }
    for source, target in body["edges"]:
        one, other = split(source)[0], split(target)[0]
        if one in spots and other in spots:
            (x1, y1), (x2, y2) = spots[one], spots[other]
            path = f"M{x1 + w:.1f} {y1 + h / 2:.1f}L{x2:.1f} {y2 + h / 2:.1f}"
            yield f'<path d="{path}" class="edge" style="stroke-width:1" stroke="#aab2bd"/>'
    for x, y in spots.values():
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="2" class="box"/>'


def _edge(boxes: dict[str, _Box], source: str, target: str) -> str:
    (one, out), (other, into) = split(source), split(target)
    if one not in boxes or other not in boxes:
        return ""
    (x1, y1), (x2, y2) = boxes[one].port(out, "outputs"), boxes[other].port(into, "inputs")
    port = boxes[one].ports.output(out)
    if x2 > x1:
        bend = max(40.0, (x2 - x1) / 2)
        path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    else:
        away = 12 + 6 * round((y2 - boxes[other].y - HEAD) / ROW)
        path = _back(x1, y1, x2, y2, boxes[other].y - away, x2 - away)
    return f'<path d="{path}" class="edge" stroke="{_color(port.tag if port else "any")}"/>'


def _back(x1: float, y1: float, x2: float, y2: float, lane: float, left: float) -> str:
    """A wire that goes back to the left: along a lane above the node that it enters."""
    right, r = x1 + LANE, 8 if lane > y1 else -8
    return (
        f"M{x1:g} {y1:g}H{right - 8:g}Q{right:g} {y1:g} {right:g} {y1 + r:g}V{lane - r:g}"
        f"Q{right:g} {lane:g} {right - 8:g} {lane:g}H{left + 8:g}"
        f"Q{left:g} {lane:g} {left:g} {lane + 8:g}V{y2 - 8:g}Q{left:g} {y2:g} {left + 8:g} {y2:g}H{x2:g}"
    )


def _color(tag: str) -> str:
    found = TAGS.get(item_tag(tag) or tag)
    return COLORS[found.color if found else "grey"]


def _cut(text: str, length: int) -> str:
    return escape(text if len(text) <= length else text[: length - 1] + "…")


def _page(width: float, height: float, parts: list[str]) -> str:
    style = (
        ".page{fill:#fafbfc;stroke:#d5dae0}.box{fill:#fff;stroke:#aab2bd}.edge{fill:none;stroke-width:2}"
        ".port{stroke:#fff;stroke-width:1.5}text{font-family:system-ui,'Helvetica Neue',Arial,sans-serif;"
        "font-size:12px;fill:#1f2933}.title{font-size:13px;font-weight:600}.small{fill:#52606d;font-size:11px}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'style="max-width:100%;height:auto" role="img" aria-label="Workflow"><style>{style}</style>'
        f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8" class="page"/>'
        f"{''.join(parts)}</svg>"
    )
