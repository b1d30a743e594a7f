"""What differs between two runs, node by node: what ``run.diff(other)`` gives.

Example:
    >>> from bpaz_lab import Workflow
    >>> wf = Workflow()
    >>> hello = wf.add("PromptTemplate", template="Hello {name}!", id="hello")
    >>> _ = hello >> wf.add("ChatOutput", id="out")
    >>> run = wf.run(name="world")
    >>> print(run.diff(run.fork("hello", text="Good day!")))
    ~ hello
        text  'Hello world!'
           -> 'Good day!'
    ~ out
        text  'Hello world!'
           -> 'Good day!'
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final, overload

from bpaz_lab.api.lab.table import STYLE
from bpaz_lab.engine.timeline import span_of

if TYPE_CHECKING:
    import pandas as pd

    from bpaz_lab.engine.compare import NodeComparison
    from bpaz_lab.engine.events import Preview

_SIGNS: Final = {"changed": "~", "added": "+", "removed": "-", "same": " "}
_CSS: Final = """<style>
.bpaz-diff .bpaz-same { opacity: 0.6 }
.bpaz-diff td:first-child { white-space: nowrap }
.bpaz-diff .bpaz-old, .bpaz-diff .bpaz-new { white-space: pre-wrap; border-left: 3px solid; padding: 0 8px;
  margin: 1px 0; max-width: 60ch; overflow-wrap: anywhere }
.bpaz-diff .bpaz-old { border-color: var(--jp-error-color1, #c64a41) }
.bpaz-diff .bpaz-new { border-color: var(--jp-success-color1, #3f9142) }
.bpaz-diff.bpaz-list .bpaz-number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap }
.bpaz-diff .bpaz-mark { display: inline-block; width: 9px; height: 9px; border-radius: 50%;
  margin-right: 6px }
.bpaz-diff .bpaz-head { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 4px 0 8px }
</style>"""
_MARKS: Final = {
    "changed": "var(--jp-warn-color1, #d9822b)",
    "added": "var(--jp-success-color1, #3f9142)",
    "removed": "var(--jp-error-color1, #c64a41)",
    "same": "var(--jp-border-color2, rgba(128, 128, 128, 0.5))",
}


class Comparison(Sequence["NodeComparison"]):
    """Two runs, compared node by node, in the order of the workflow; true where something differs.

    Args:
        nodes: The nodes of both.
        one: What the first run is called.
        other: What the second one is called.
    """

    def __init__(self, nodes: Sequence[NodeComparison], one: str, other: str) -> None:
        self._nodes = tuple(nodes)
        self.one, self.other = one, other

    def __len__(self) -> int:
        return len(self._nodes)

    @overload
    def __getitem__(self, index: int | str) -> NodeComparison: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NodeComparison]: ...
    def __getitem__(self, index: int | str | slice) -> NodeComparison | Sequence[NodeComparison]:
        """A node by its place, or by number."""
        if isinstance(index, str):
            found = {each.place: each for each in self._nodes}
            if index not in found:
                raise KeyError(f"there is no node {index!r}; there are: {', '.join(found)}")
            return found[index]
        return self._nodes[index]

    def __bool__(self) -> bool:
        return bool(self.changed)

    @property
    def changed(self) -> list[NodeComparison]:
        """The nodes that differ."""
        return [each for each in self._nodes if each.kind != "same"]

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines: list[str] = []
        for each in self.changed:
            lines += [f"{_SIGNS[each.kind]} {each.place}{_said(each)}", *_indented(each)]
        return "\n".join(lines) or "no difference"

    def to_frame(self) -> pd.DataFrame:
        """A row for each node: what became of it, and status, seconds, tokens and cost in both runs.

        Raises:
            MissingPackage: pandas is not installed.
        """
        from bpaz_lab.api.table.rows import packages

        packages("pandas")
        import pandas as pd

        names = ("status", "seconds", "tokens", "cost")
        rows = []
        for each in self._nodes:
            row: dict[str, Any] = {"node": each.place, "kind": each.kind, "settings": each.settings}
            for side, told in (("one", each.one), ("other", each.other)):
                row |= {f"{name}_{side}": getattr(told, name, None) for name in names}
            rows.append(row)
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        tokens = any(side.tokens for each in self._nodes for side in (each.one, each.other) if side)
        numbers = ["Time", *(["Tokens", "Cost"] if tokens else [])]
        head = "<th>Node</th><th>What differs</th>"
        head += "".join(f'<th class="bpaz-number">{each}</th>' for each in numbers)
        body = "".join(_row(each, tokens=tokens) for each in self._nodes)
        count = len(self.changed)
        said = f"{count} of {len(self)} node{'s' * (len(self) != 1)} differ{'s' * (count == 1)}"
        return (
            f'{STYLE}{_CSS}<div class="bpaz-list bpaz-diff"><div class="bpaz-head"><b>{said}</b>'
            f'<span class="bpaz-dim">{escape(self.one)} → {escape(self.other)}</span></div>'
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def _said(each: NodeComparison) -> str:
    """What became of the node itself."""
    one, other = each.one, each.other
    if one is None or other is None:
        return ""
    return f": {one.status} -> {other.status}" if one.status != other.status else ""


def _changes(each: NodeComparison) -> list[str]:
    """What differs in the workflow, without saying again of which node."""
    return [line[2:].removeprefix(f"{each.place}: ") for line in each.settings.splitlines()]


def _indented(each: NodeComparison) -> list[str]:
    lines = [f"    {line}" for line in _changes(each)]
    pairs = _pairs(each)
    width = max((len(name) for name, _, _ in pairs), default=0)
    for name, old, new in pairs:
        if old is not None:
            lines.append(f"    {name:<{width}}  {_short(old)}")
        if old is None:
            lines.append(f"    {name:<{width}}  {_short(new)}")
        elif each.other is not None:
            lines.append(f"    {'->':>{width + 1}} {_short(new) if new is not None else 'nothing'}")
    if each.same is False and not pairs and not each.settings:
        lines.append("    its values differ")
    return lines


def _pairs(each: NodeComparison) -> list[tuple[str, Preview | None, Preview | None]]:
    """The outputs that look different, as they look in both."""
    one, other = (side.outputs if side else {} for side in (each.one, each.other))
    return [
        (name, one.get(name), other.get(name))
        for name in dict.fromkeys((*one, *other))
        if one.get(name) != other.get(name)
    ]


def _short(seen: Preview | None) -> str:
    if seen is None:
        return ""
    return repr(seen.text) if seen.type == "str" else seen.text


def _row(each: NodeComparison, *, tokens: bool) -> str:
    told = [escape(line) for line in _changes(each)]
    if said := _said(each):
        told.append(escape(said.removeprefix(": ")))
    cells = "".join(f"<div>{line}</div>" for line in told)
    pairs = _pairs(each)
    for name, old, new in pairs:
        cells += f'<div class="bpaz-dim">{escape(name)}</div>'
        cells += f'<div class="bpaz-old">{escape(old.text)}</div>' if old is not None else ""
        cells += f'<div class="bpaz-new">{escape(new.text)}</div>' if new is not None else ""
    if each.kind in ("added", "removed"):
        cells = f"<div>{each.kind}</div>{cells}"
    elif not cells:
        cells = "same" if each.kind == "same" else "its values differ"
    columns = [
        f'<span class="bpaz-mark" style="background: {_MARKS[each.kind]}"></span>{escape(each.place)}',
        cells,
    ]
    numbers = [_both(each, lambda side: span_of(side.seconds) if side.seconds else "")]
    if tokens:
        numbers.append(_both(each, lambda side: f"{side.tokens:,}" if side.tokens else ""))
        numbers.append(_both(each, lambda side: f"${side.cost:,.4f}" if side.cost else ""))
    body = "".join(f"<td>{cell}</td>" for cell in columns)
    body += "".join(f'<td class="bpaz-number">{number}</td>' for number in numbers)
    return f"<tr{' class=bpaz-same' if each.kind == 'same' else ''}>{body}</tr>"


def _both(each: NodeComparison, shown: Any) -> str:
    one, other = (shown(side) if side else "" for side in (each.one, each.other))
    return one or other if one == other or not one or not other else f"{one} → {other}"
