"""One step of a run as it was: what it got, what it gave, how long it took; what ``run.at()`` gives.

Example:
    >>> from bpaz_lab import Workflow
    >>> wf = Workflow()
    >>> _ = wf.add("PromptTemplate", template="Hello {name}!", id="hello")
    >>> moment = wf.run(name="world").at("hello")
    >>> moment.inputs, moment["text"]
    ({'name': 'world'}, 'Hello world!')
    >>> moment
    hello: finished
      name -> 'world'
      text <- 'Hello world!'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.lab.table import STYLE
from bpaz_lab.engine.events import Preview
from bpaz_lab.engine.preview import preview
from bpaz_lab.engine.timeline import COLORS, WORDS, span_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.engine.events import Failure
    from bpaz_lab.engine.reading import NodeOutputs
    from bpaz_lab.guard.mask import Masker

GIVEN: Final = "given"
"""The state of a step whose outputs a person or the run itself brought along."""
IN_DOUBT: Final = "in doubt"
"""The state of a step that had begun when its process died, and must not happen twice."""
_COLORS: Final = {**COLORS, GIVEN: COLORS["cached"], IN_DOUBT: COLORS["waiting"]}
_WORDS: Final = {**WORDS, GIVEN: "given", IN_DOUBT: "in doubt"}
_CSS: Final = """<style>
.bpaz-moment .bpaz-mark { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px }
.bpaz-moment td { white-space: pre-wrap }
.bpaz-moment td:not(:last-child) { white-space: nowrap; overflow-wrap: normal }
.bpaz-moment .bpaz-error { border-left: 3px solid var(--jp-error-color1, #c64a41); padding: 2px 10px; margin: 4px 0 }
</style>"""  # noqa: E501


@dataclass(frozen=True, slots=True, repr=False)
class Moment:
    """One step of a run.

    ``moment["port"]`` is an output.

    Attributes:
        address: Which step: ``draft``, or ``each[2]/clean`` in a round of a container.
        status: ``finished``, ``cached``, ``given``, ``failed``, ``skipped``, ``waiting``, ``running``, or
            ``in doubt``.
        inputs: What it got, by input, as far as that is kept.
        outputs: What it gave, by output, as far as that is kept.
        seconds: How long it took.
        why: Why it was skipped or computed again, or what is not kept.
        error: What went wrong; None where nothing did.
    """

    address: str
    status: str
    inputs: Mapping[str, Any]
    outputs: NodeOutputs
    seconds: float = 0.0
    why: str = ""
    error: Failure | None = None
    masker: Masker | None = field(default=None, compare=False)

    def __getitem__(self, port: str) -> Any:
        """One of the outputs."""
        return self.outputs[port]

    def __repr__(self) -> str:
        lines = [f"{self.address or 'the run'}: {self.status}" + (f" ({self.why})" if self.why else "")]
        width = max((len(name) for name in (*self.inputs, *self.outputs)), default=0)
        lines += [f"  {name:<{width}} -> {_short(shown)}" for name, shown in self._seen(self.inputs)]
        lines += [f"  {name:<{width}} <- {_short(shown)}" for name, shown in self._seen(self.outputs)]
        if self.error is not None:
            lines.append(f"  {self.error.message}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        color, word = _COLORS.get(self.status, COLORS["skipped"]), _WORDS.get(self.status, self.status)
        took = f" in {span_of(self.seconds)}" if self.seconds else ""
        head = (
            f'<div><span class="bpaz-mark" style="background: {color}"></span>'
            f"<b>{escape(self.address or 'the run')}</b> {escape(word)}{took}"
            f"{f' <span class=bpaz-dim>{escape(self.why)}</span>' if self.why else ''}</div>"
        )
        rows = [("in", *each) for each in self._seen(self.inputs)]
        rows += [("out", *each) for each in self._seen(self.outputs)]
        body = "".join(
            f'<tr><td class="bpaz-dim">{way}</td><td>{escape(name)}</td>'
            f'<td class="bpaz-dim">{escape(seen.type)}</td><td>{escape(seen.text)}</td></tr>'
            for way, name, seen in rows
        )
        failed = f'<div class="bpaz-error">{escape(self.error.message)}</div>' if self.error else ""
        return (
            f'{STYLE}{_CSS}<div class="bpaz-list bpaz-moment">{head}{failed}<table><tbody>{body}</tbody>'
            "</table></div>"
        )

    def _seen(self, values: Mapping[str, Any]) -> list[tuple[str, Preview]]:
        seen = [(name, preview(value, self.masker)) for name, value in values.items()]
        if self.masker is None:
            return seen
        return [(name, Preview(each.type, self.masker.text(each.text))) for name, each in seen]


def _short(seen: Preview) -> str:
    return repr(seen.text) if seen.type == "str" else seen.text
