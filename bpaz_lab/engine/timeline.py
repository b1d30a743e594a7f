"""The timeline of a run: a Gantt chart in SVG, drawn here, with nothing fetched.

A row stands for a node; the rounds of a container share the rows of its body, so that a loop of a
thousand rounds is as tall as one of two.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bpaz_lab.engine.spans import Span, spans
from bpaz_lab.graph.address import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH, LABELS, ROW, TOP, MARGIN = 860, 190, 22, 26, 72
MANY: Final = 200
"""Bars of a row; where there are more, those that touch are drawn as one."""
INK: Final = "currentColor"
COLORS: Final = {
    "finished": "var(--jp-success-color1, #3f9142)",
    "cached": "var(--jp-info-color1, #1798a6)",
    "failed": "var(--jp-error-color1, #c64a41)",
    "retried": "var(--jp-warn-color1, #d9822b)",
    "waiting": "var(--jp-warn-color2, #e0a63a)",
    "running": "var(--jp-brand-color1, #2f7fd1)",
    "skipped": INK,
}
WORDS: Final = {
    "finished": "computed",
    "cached": "kept from before",
    "failed": "failed",
    "retried": "a try that failed",
    "waiting": "waits for a person",
    "running": "goes on",
    "skipped": "skipped",
}
_UNITS: Final = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


class _Bar(NamedTuple):
    start: float
    end: float
    state: str
    title: str


class Timeline:
    """The timeline of a run; a notebook shows it as the value of a cell.

    Args:
        events: The typed events of the run, so far.
        now: Seconds since the run began, for what still goes on.

    Example:
        >>> from bpaz_lab import Workflow
        >>> wf = Workflow()
        >>> _ = wf.add("PromptTemplate", template="Hello {name}!")
        >>> wf.run(name="world").timeline()
        <Timeline of 1 node>
    """

    def __init__(self, events: Sequence[Any], now: float) -> None:
        self.spans = spans(events)
        self.now = max([now, *(event.time for event in events[-1:])])

    def __repr__(self) -> str:
        rows = len({place_of(span.node) for span in self.spans})
        return f"<Timeline of {rows} node{'s' * (rows != 1)}>"

    def _repr_html_(self) -> str:
        # In the page itself, where it takes the colours of the notebook.
        return self._svg("color: var(--jp-ui-font-color1, inherit)")

    def _repr_svg_(self) -> str:
        return self._svg("", _OWN)

    def save(self, path: str | Path) -> Path:
        """Writes the picture to an SVG file, and gives its path.

        Raises:
            OSError: It cannot be written.
        """
        target = Path(path).expanduser()
        target.write_text(self._repr_svg_() + "\n", encoding="utf-8")
        return target

    def _svg(self, style: str, inside: str = "") -> str:
        rows = _rows(self.spans, self.now)
        used = [state for state in COLORS if any(bar.state == state for row in rows.values() for bar in row)]
        height = TOP + ROW * max(len(rows), 1) + 34
        whole = max(self.now, 1e-6)
        scale = (WIDTH - LABELS - MARGIN) / whole
        parts = [inside, *_axis(whole, scale, TOP + ROW * max(len(rows), 1))]
        if not rows:
            parts.append(
                f'<text x="{WIDTH / 2}" y="{TOP + 15}" text-anchor="middle">No node has begun.</text>'
            )
        for number, (place, row) in enumerate(rows.items()):
            parts += _row(place, row, TOP + ROW * number, scale)
        parts += _legend(used, height - 12)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bpaz-timeline" viewBox="0 0 {WIDTH} {height}" '
            f'width="100%" style="max-width: {WIDTH}px; {style}" fill="currentColor" role="img" '
            f'aria-label="Timeline of the run" font-size="12" '
            f'font-family="var(--jp-ui-font-family, system-ui, sans-serif)">{"".join(parts)}</svg>'
        )


_OWN: Final = (
    "<style>.bpaz-timeline { color: #24292f } "
    "@media (prefers-color-scheme: dark) { .bpaz-timeline { color: #d0d7de } }</style>"
)
"""As a picture it takes no colour of the page: it follows the reader's system."""


def span_of(seconds: float) -> str:
    """A duration as a person reads it.

    Example:
        >>> span_of(0.0123), span_of(4.2), span_of(90), span_of(0)
        ('12.3 ms', '4.2 s', '1.5 min', '0 s')
    """
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    return f"{seconds / size:.3g} {unit}" if seconds else "0 s"


def ticks(whole: float, most: int = 8) -> list[float]:
    """Round numbers from 0 up to a duration.

    Steps of 1, 2 or 5 (P. Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990), and those of
    minutes and hours as on a clock.

    Example:
        >>> ticks(1.0)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    small = [digit * 10.0**power for power in range(-7, 2) for digit in (1, 2, 5) if digit * 10.0**power < 60]
    steps = [*small, *(60.0 * each for each in (1, 2, 5, 10, 20, 30, 60, 120, 360, 720, 1440))]
    step = next((each for each in steps if whole / each <= most), whole / most)
    return [round(step * number, 10) for number in range(int(whole / step * (1 + 1e-9)) + 1)]


def _rows(all_spans: Iterable[Span], now: float) -> dict[str, list[_Bar]]:
    rows: dict[str, list[_Bar]] = {}
    for span in all_spans:
        rows.setdefault(place_of(span.node), []).extend(_bars(span, now))
    # A container comes before what is in it; beside that the order of the first start.
    order = {place: number for number, place in enumerate(rows)}

    def rank(place: str) -> list[int]:
        parts = place.split("/")
        ways = ("/".join(parts[: size + 1]) for size in range(len(parts)))
        return [order.get(way, len(order)) for way in ways]

    return {place: rows[place] for place in sorted(rows, key=rank)}


def _bars(span: Span, now: float) -> list[_Bar]:
    end = now if span.end is None else span.end
    title = f"{span.node}: {WORDS[span.state]}, {span_of(span.seconds(now))}"
    if span.saved:
        title += f", {span_of(span.saved)} saved"
    if span.why:
        title += f"\n{span.why}"
    if span.error is not None:
        title += f"\n{span.error.message}" + (f"\n{span.error.hint}" if span.error.hint else "")
    state = "running" if span.state == "waiting" else span.state
    bars = [_Bar(span.start, end, state, title)]
    since = span.start
    for at, error in span.failures:
        bars.append(_Bar(since, at, "retried", f"{span.node}: {WORDS['retried']}\n{error.message}"))
        since = at
    for start, to in span.waits:
        last = now if to is None else to
        bars.append(_Bar(start, last, "waiting", f"{span.node}: {WORDS['waiting']}, {span_of(last - start)}"))
    return bars


def _joined(row: Sequence[_Bar], scale: float) -> list[_Bar]:
    """Bars that would lie within a pixel of one another become one: there are never more than pixels."""
    many = len(row) > MANY
    joined: dict[str, list[list[_Bar]]] = {}
    ends: dict[str, float] = {}
    for bar in sorted(row, key=lambda bar: bar.start):
        groups, end = joined.setdefault(bar.state, []), ends.get(bar.state, bar.start)
        short = (bar.end - bar.start) * scale < 3
        if groups and (bar.start - end) * scale < 1 and (short or many):
            groups[-1].append(bar)
        else:
            groups.append([bar])
        ends[bar.state] = max(end, bar.end)
    return [
        group[0]
        if len(group) == 1
        else _Bar(
            group[0].start,
            max(bar.end for bar in group),
            state,
            f"{len(group):,} times: {WORDS[state]}\nfirst: {group[0].title}\nlast: {group[-1].title}",
        )
        for state, groups in joined.items()
        for group in groups
    ]


def _row(place: str, row: list[_Bar], y: float, scale: float) -> list[str]:
    *containers, name = place.split("/")
    rounds = sum(bar.state not in ("retried", "waiting") for bar in row)
    label = name if rounds == 1 else f"{name} ×{rounds:,}"  # noqa: RUF001
    indent = 12 * len(containers)
    room = (LABELS - 16 - indent) // 7
    shown = label if len(label) <= room else label[: room - 1] + "…"
    title = f"<title>{_xml(place)}</title>"
    parts = [f'<text x="{8 + indent}" y="{y + 15}">{title}{_xml(shown)}</text>']
    for bar in _joined(row, scale):
        width = max((bar.end - bar.start) * scale, 2)
        faint = ' fill-opacity="0.35"' if bar.state == "skipped" else ""
        parts.append(
            f'<rect x="{LABELS + bar.start * scale:.1f}" y="{y + 4}" width="{width:.1f}" height="{ROW - 8}" '
            f'rx="2" style="fill: {COLORS[bar.state]}"{faint}><title>{_xml(bar.title)}</title></rect>'
        )
    end = max(bar.end for bar in row)
    if all(bar.state == "skipped" for bar in row):
        told = "skipped"
    else:
        told = span_of(sum(bar.end - bar.start for bar in row if bar.state not in ("retried", "waiting")))
    parts.append(
        f'<text x="{LABELS + end * scale + 6:.1f}" y="{y + 15}" font-size="11" opacity="0.7">{told}</text>'
    )
    return parts


def _axis(whole: float, scale: float, bottom: float) -> list[str]:
    parts = []
    for at in ticks(whole):
        x = f"{LABELS + at * scale:.1f}"
        parts.append(f'<path d="M{x} {TOP - 4}V{bottom}" stroke="{INK}" stroke-opacity="0.15"/>')
        told = span_of(at) if at else "0"
        parts.append(
            f'<text x="{x}" y="{TOP - 10}" text-anchor="middle" font-size="11" opacity="0.7">{told}</text>'
        )
    return parts


def _legend(states: Sequence[str], y: float) -> list[str]:
    parts, x = [], float(LABELS)
    for state in states:
        faint = ' fill-opacity="0.35"' if state == "skipped" else ""
        parts.append(
            f'<rect x="{x}" y="{y - 9}" width="10" height="10" rx="2" style="fill: {COLORS[state]}"{faint}/>'
        )
        parts.append(f'<text x="{x + 15}" y="{y}" font-size="11">{WORDS[state]}</text>')
        x += 15 + 6.2 * len(WORDS[state]) + 18
    return parts


def _xml(text: str) -> str:
    """Text for XML, which knows no control characters."""
    return escape("".join(sign if sign >= " " or sign in "\n\t" else "\ufffd" for sign in text))
