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
from bpaz_lab.guard.mask import Masker

LENGTH: Final = 240
"""Characters of a preview."""
WIDE: Final = 2**63
_OPEN: Final = Masker()


class _Short(reprlib.Repr):
    """Short forms of nested values, masked before they are cut: half a secret would not be found."""

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxdict, self.maxstring, self.maxother = 3, 4, 6, 80, 120
        self.masker = masker

    def repr_str(self, x: str, level: int) -> str:
        return super().repr_str(self.masker.text(x), level)

    def repr_instance(self, x: Any, level: int) -> str:
        try:
            text = self.masker.text(repr(x))
        except Exception:  # noqa: BLE001 (a stranger's __repr__)
            return super().repr_instance(x, level)
        if len(text) <= self.maxother:
            return text
        half = (self.maxother - 3) // 2
        return f"{text[:half]}...{text[-half:]}"


def preview(value: Any, masker: Masker | None = None) -> Preview:
    """The type of a value and its beginning.

    Args:
        value: Anything.
        masker: The secrets that must not show; without it none is known.
    """
    kind = type(value)
    name = kind.__name__
    if kind is str:
        return Preview(name, _cut(value, masker))
    if value is None or kind is bool or kind is float or (kind is int and -WIDE < value < WIDE):
        return Preview(name, repr(value))
    try:
        text = _text(value, masker or _OPEN)
    except Exception as error:  # noqa: BLE001 (a stranger's attributes and __repr__ must not fail the run)
        text = f"<{name}, which cannot be shown: {type(error).__name__}>"
    return Preview(name, _cut(text, masker))


def _cut(text: str, masker: Masker | None) -> str:
    if len(text) <= LENGTH:
        return text
    text = text[: LENGTH - 1]
    if masker is not None and masker.forms:
        text = masker.stream().feed(text)  # what it holds back may be the beginning of a secret
    return text + "…"


def _text(value: Any, masker: Masker) -> str:
    looks = (_shaped, _documents, _message)
    found = next((text for look in looks if (text := look(value)) is not None), None)
    return _described(value, masker) if found is None else found


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


def _described(value: Any, masker: Masker) -> str:
    if isinstance(value, str):
        return str(value)
    describe: Any = type(value).__repr__
    return type(value).__name__ if describe is object.__repr__ else _Short(masker).repr(value)
