"""A short look at any value, for events and the canvas; it never fails and never copies the value.

Example:
    >>> preview([1, 2, 3]).text
    '[1, 2, 3]'
    >>> preview("x" * 500).text.endswith("…")
    True
"""

from __future__ import annotations

import reprlib
from typing import Any, Final

from bpaz_lab.engine.events import Preview

LENGTH: Final = 240
"""Characters of a preview."""

_short = reprlib.Repr()
_short.maxlevel, _short.maxlist, _short.maxdict, _short.maxstring, _short.maxother = 3, 4, 6, 80, 120


def preview(value: Any) -> Preview:
    """The type of a value and its beginning."""
    return Preview(type=type(value).__name__, text=_text(value))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _cut(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(each, int) for each in shape):
        return _cut(_shaped(value, shape))
    if isinstance(value, list) and value:
        content = getattr(value[0], "page_content", None)
        if isinstance(content, str):
            count = f"{len(value)} document{'s' * (len(value) != 1)}"
            return _cut(f"{count}: {content}")
    content = getattr(value, "content", None)
    if isinstance(content, str):
        return _cut(content)
    if type(value).__repr__ is object.__repr__:
        return type(value).__name__
    try:
        return _cut(_short.repr(value))
    except Exception as error:  # noqa: BLE001 (a stranger's __repr__ must not fail the run)
        return f"<{type(value).__name__}, whose repr failed: {type(error).__name__}>"


def _shaped(value: Any, shape: tuple[int, ...]) -> str:
    size = " x ".join(str(each) for each in shape)
    columns = getattr(value, "columns", None)
    if columns is not None and len(shape) == 2:
        names = ", ".join(map(str, list(columns)[:8]))
        return f"{shape[0]} rows x {shape[1]} columns: {names}"
    return f"{type(value).__name__} {size}"


def _cut(text: str) -> str:
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"
