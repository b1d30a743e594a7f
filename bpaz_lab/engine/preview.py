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
    name = type(value).__name__
    try:
        text = _text(value)
    except Exception as error:  # noqa: BLE001 (a stranger's attributes and __repr__ must not fail the run)
        text = f"<{name}, which cannot be shown: {type(error).__name__}>"
    return Preview(type=name, text=text if len(text) <= LENGTH else text[: LENGTH - 1] + "…")


def _text(value: Any) -> str:
    looks = (_string, _shaped, _documents, _message)
    found = next((text for look in looks if (text := look(value)) is not None), None)
    return _described(value) if found is None else found


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _shaped(value: Any) -> str | None:
    """Tables and arrays."""
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not all(isinstance(each, int) for each in shape):
        return None
    columns = getattr(value, "columns", None)
    if columns is not None and len(shape) == 2:
        names = ", ".join(map(str, list(columns)[:8]))
        return f"{shape[0]} rows x {shape[1]} columns: {names}"
    return f"{type(value).__name__} {' x '.join(str(each) for each in shape)}"


def _documents(value: Any) -> str | None:
    content = getattr(value[0], "page_content", None) if isinstance(value, list) and value else None
    if not isinstance(content, str):
        return None
    return f"{len(value)} document{'s' * (len(value) != 1)}: {content}"


def _message(value: Any) -> str | None:
    content = getattr(value, "content", None)
    return content if isinstance(content, str) else None


def _described(value: Any) -> str:
    describe: Any = type(value).__repr__
    return type(value).__name__ if describe is object.__repr__ else _short.repr(value)
