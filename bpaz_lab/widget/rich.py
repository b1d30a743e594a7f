"""Any value in IPython's own rich display: tables, pictures, HTML; documents with their scores.

Text of documents and models is not trusted: it is escaped, never drawn as HTML or Markdown.
"""

from __future__ import annotations

import html
import io
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from IPython.core.formatters import DisplayFormatter
from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from bpaz_lab.guard.mask import Masker

MOST: Final = 50
"""Documents that are shown."""


def rich(value: Any, masker: Masker) -> tuple[dict[str, Any], dict[str, Any]]:
    """The MIME bundle of a value and its metadata, without known secrets.

    Example:
        >>> from bpaz_lab.guard.mask import Masker
        >>> rich("a secret word", Masker(["secret"]))[0]["text/plain"]
        'a ••• word'
    """
    data, metadata = _bundle(value)
    return {
        kind: masker.text(part) if isinstance(part, str) else part for kind, part in data.items()
    }, metadata


def _bundle(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if isinstance(value, str):
        return {"text/plain": value}, {}
    if _is_figure(value):
        return {"image/png": _png(value), "text/plain": repr(value)}, {}
    if isinstance(value, list) and value and hasattr(value[0], "page_content"):
        return {"text/html": _documents(value), "text/plain": f"{len(value)} documents"}, {}
    shell = get_ipython()
    formatter = (shell.display_formatter if shell is not None else None) or DisplayFormatter()
    data, metadata = formatter.format(value)  # type: ignore[no-untyped-call]
    return dict(data), dict(metadata)


def _is_figure(value: Any) -> bool:
    return any(
        f"{cls.__module__}.{cls.__name__}" == "matplotlib.figure.Figure" for cls in type(value).__mro__
    )


def _png(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return b64encode(buffer.getvalue()).decode()


def _documents(documents: list[Any]) -> str:
    scored = any("score" in document.metadata for document in documents)
    rows = []
    for number, document in enumerate(documents[:MOST], 1):
        about = {key: part for key, part in document.metadata.items() if key != "score"}
        score = document.metadata.get("score")
        shown = f"{score:.3f}" if isinstance(score, float) else ""
        source = ", ".join(f"{key}: {part}" for key, part in about.items())
        rows.append(
            f"<tr><td>{number}</td>{f'<td>{shown}</td>' if scored else ''}"
            f'<td style="text-align: left; white-space: pre-wrap">{html.escape(document.page_content)}</td>'
            f'<td style="text-align: left">{html.escape(source)}</td></tr>'
        )
    more = f"<p>and {len(documents) - MOST} more</p>" if len(documents) > MOST else ""
    head = f"<tr><th>#</th>{'<th>Score</th>' if scored else ''}<th>Text</th><th>About</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>{more}"
