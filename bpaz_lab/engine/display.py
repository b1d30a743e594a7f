"""How a notebook shows a run: what it did, what it took, and what came out.

Every text comes from events, which are masked, and is escaped.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.events import summed
from bpaz_lab.engine.spans import Span, spans
from bpaz_lab.engine.timeline import COLORS, WORDS, Timeline, span_of
from bpaz_lab.graph.address import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.engine.events import Failure, Preview, Usage

MOST: Final = 100
"""Rows of the table; failed and waiting nodes stand in it anyway."""
_STATUS: Final = {
    "completed": "finished",
    "failed": "failed",
    "cancelled": "retried",
    "paused": "waiting",
    "running": "running",
    "pending": "skipped",
}
_STYLE: Final = """<style>
.bpaz-run { color: var(--jp-ui-font-color1, inherit);
  font: 13px var(--jp-ui-font-family, system-ui, sans-serif) }
.bpaz-run .bpaz-head { display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: baseline;
  margin: 4px 0 8px }
.bpaz-run .bpaz-mark { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px }
.bpaz-run .bpaz-dim { opacity: 0.7 }
.bpaz-run table { color: inherit; border-collapse: collapse; margin: 0; font-size: 12px }
.bpaz-run th, .bpaz-run td { text-align: left; padding: 3px 12px 3px 0; vertical-align: top;
  border-bottom: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.3)); background: none }
.bpaz-run .bpaz-number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.bpaz-run .bpaz-share { display: inline-block; width: 60px; height: 6px; margin-left: 6px; border-radius: 3px;
  background: var(--jp-border-color2, rgba(128, 128, 128, 0.3)) }
.bpaz-run .bpaz-share span { display: block; height: 6px; border-radius: 3px }
.bpaz-run .bpaz-error { border-left: 3px solid var(--jp-error-color1, #c64a41); padding: 4px 10px;
  margin: 6px 0 }
.bpaz-run pre { color: inherit; background: var(--jp-layout-color2, rgba(128, 128, 128, 0.12));
  padding: 6px 10px; margin: 8px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; border-radius: 3px;
  font: 12px var(--jp-code-font-family, ui-monospace, monospace) }
</style>"""


class Shown:
    """How a run shows itself: part of ``Run``."""

    duration: float
    events: Any

    def timeline(self) -> Timeline:
        """When each node worked, as a chart (SVG); the value of a cell shows it, ``save(path)`` keeps it."""
        return Timeline(self.events, self.duration)

    def _repr_html_(self) -> str:
        return html(self)


def html(run: Any) -> str:
    """A run as HTML, for ``Run._repr_html_``.

    Args:
        run: The run, over or not.

    Example:
        >>> from bpaz_lab import Workflow
        >>> wf = Workflow("Greeting")
        >>> _ = wf.add("PromptTemplate", template="Hello {name}!")
        >>> "Hello world!" in html(wf.run(name="world"))
        True
    """
    events = run.events
    name = next((event.workflow for event in events if event.type == "run.started"), "")
    last = next((event for event in reversed(events) if event.type == "run.finished"), None)
    now = max([run.duration, *(event.time for event in events[-1:])])
    nodes = spans(events)
    shown = [_STYLE, _head(run, name, nodes)]
    if last is not None and last.error is not None:
        shown.append(_error(last.error))
    shown += [
        f'<div class="bpaz-error" style="border-color: {COLORS["waiting"]}"><b>{_x(event.node)}</b> asks: '
        f'{_x(event.question.text)}<br><span class="bpaz-dim">Answer with run.resume(...).</span></div>'
        for event in events
        if event.type == "node.asked" and event.node in run.questions
    ]
    if nodes:
        shown.append(_table(nodes, now))
    if last is not None and last.output is not None:
        shown.append(_preview(last.output))
    return f'<div class="bpaz-run">{"".join(shown)}</div>'


def _head(run: Any, name: str, nodes: Sequence[Span]) -> str:
    facts = [f"{_mark(_STATUS[run.status])}<b>{_x(name)}</b> {_x(run.status)}", span_of(run.duration)]
    counted: Counter[str] = Counter(span.state for span in nodes)
    facts.append(", ".join(f"{counted[state]:,} {WORDS[state]}" for state in WORDS if counted[state]))
    if usage := _usage(run.usage):
        facts.append(usage)
    if run.saved.nodes:
        saved = f"{span_of(run.saved.seconds)} saved"
        if run.saved.input_tokens or run.saved.output_tokens:
            saved += f", {_usage(run.saved)}"
        facts.append(saved)
    facts.append(f'<span class="bpaz-dim">{_x(run.id[:8])}</span>')
    return f'<div class="bpaz-head">{"".join(f"<span>{fact}</span>" for fact in facts if fact)}</div>'


def _table(nodes: Sequence[Span], now: float) -> str:
    nodes = _folded(nodes, now)
    longest = max([span.seconds(now) for span in nodes], default=0.0) or 1.0
    chosen = list(nodes)
    if len(nodes) > MOST:
        kept = [span for span in nodes if span.state in ("failed", "waiting")][:MOST]
        others = [span for span in nodes if span not in kept][: MOST - len(kept)]
        chosen = [span for span in nodes if span in kept or span in others]
    tokens = any(span.usage for span in nodes)
    heads = ["Node", "State", "Time", *(["Tokens", "Cost"] if tokens else []), "Why"]
    rows = [_row(span, now, longest, tokens=tokens) for span in chosen]
    more = len(nodes) - len(chosen)
    rest = f'<div class="bpaz-dim">and {more:,} more: see run.timeline()</div>' if more else ""
    head = "".join(f"<th>{each}</th>" for each in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{rest}"


def _folded(nodes: Sequence[Span], now: float) -> list[Span]:
    """The rounds of a node of a body as one; those that failed or wait stand for themselves."""
    folded: list[Span] = []
    groups: dict[tuple[str, str], list[Span]] = {}
    for span in nodes:
        if "[" not in span.node or span.state in ("failed", "waiting"):
            folded.append(span)
            continue
        group = groups.setdefault((place_of(span.node), span.state), [])
        group.append(span)
        if len(group) == 1:
            folded.append(span)
    merged = {id(group[0]): _merged(group, now) for group in groups.values() if len(group) > 1}
    return [merged.get(id(span), span) for span in folded]


def _merged(group: Sequence[Span], now: float) -> Span:
    used = [span.usage for span in group if span.usage is not None]
    return Span(
        f"{place_of(group[0].node)} ×{len(group):,}",  # noqa: RUF001
        0.0,
        sum(span.seconds(now) for span in group),
        group[0].state,
        usage=summed(used) if used else None,
        saved=sum(span.saved for span in group),
    )


def _row(span: Span, now: float, longest: float, *, tokens: bool) -> str:
    took = span.seconds(now)
    width = round(100 * took / longest)
    share = (
        f'<span class="bpaz-share" title="of the longest node"><span style="width: {width}%; '
        f'background: {COLORS[span.state]}"></span></span>'
    )
    why = _x(span.why)
    if span.saved:
        why = f"{span_of(span.saved)} saved"
    if span.failures:
        why = f"tried {len(span.failures) + 1} times: {_x(span.failures[-1][1].message)}" + (
            f"; {why}" * bool(why)
        )
    if span.error is not None:
        why = _x(span.error.message) + (f"<br>{_x(span.error.hint)}" if span.error.hint else "")
    depth = place_of(span.node).count("/")
    cells = [
        f'<td style="padding-left: {12 * depth}px">{_x(span.node)}</td>',
        f'<td style="white-space: nowrap">{_mark(span.state)}{WORDS[span.state]}</td>',
        f'<td class="bpaz-number">{"" if span.state == "skipped" else span_of(took) + share}</td>',
    ]
    if tokens:
        used, cost = ("", "") if span.usage is None else (_tokens(span.usage), _cost(span.usage))
        cells += [f'<td class="bpaz-number">{used}</td>', f'<td class="bpaz-number">{cost}</td>']
    return f"<tr>{''.join(cells)}<td>{why}</td></tr>"


def _error(error: Failure) -> str:
    hint = f"<br>{_x(error.hint)}" if error.hint else ""
    place = f' <span class="bpaz-dim">{_x(error.path)}</span>' if error.path else ""
    return f'<div class="bpaz-error" role="alert"><b>{_x(error.message)}</b>{place}{hint}</div>'


def _preview(output: Preview) -> str:
    return f'<pre><span class="bpaz-dim">{_x(output.type)}</span> {_x(output.text)}</pre>'


def _mark(state: str) -> str:
    return f'<span class="bpaz-mark" style="background: {COLORS[state]}"></span>'


def _usage(usage: Any) -> str:
    return ", ".join(each for each in (_tokens(usage), _cost(usage)) if each) if _tokens(usage) else ""


def _tokens(usage: Usage) -> str:
    if not usage.input_tokens and not usage.output_tokens:
        return ""
    return f"{usage.input_tokens:,} + {usage.output_tokens:,} tokens"


def _cost(usage: Usage) -> str:
    return "" if usage.cost is None else f"${usage.cost:,.4f}" if usage.cost else "free"


def _x(text: str) -> str:
    return escape(text)
