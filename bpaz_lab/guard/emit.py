"""The one choke point: whatever leaves a run (events, records, logs, errors) goes through ``emit``.

What comes out is JSON, free of known secrets, and of bounded size.

Example:
    >>> from bpaz_lab.guard.mask import Masker
    >>> emit({"url": "https://example.org/?key=open%20sesame", "n": float("nan")}, Masker(["open sesame"]))
    {'url': 'https://example.org/?key=•••', 'n': 'nan'}
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import BpazError
from bpaz_lab.guard.secret import MASK, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpaz_lab.guard.mask import Masker

SAFE_INTEGER: Final = 2**53


@dataclass(frozen=True)
class Bounds:
    """How much of a value is shown.

    Args:
        text: Characters of one text.
        items: Items of one list or object.
        depth: Lists and objects inside one another.
    """

    text: int = 10_000
    items: int = 200
    depth: int = 16


PREVIEW: Final = Bounds()


def emit(payload: Any, masker: Masker, *, bounds: Bounds = PREVIEW) -> Any:
    """Make a value fit to leave a run.

    Args:
        payload: Anything: JSON is kept, errors become their dict, other objects their ``repr``.
        masker: The secrets of the run.
        bounds: How much is shown; what is cut says so.

    Returns:
        Dicts, lists, strings, finite numbers, booleans and None, without known secrets.
    """
    return masker.value(_shown(payload, masker, bounds, bounds.depth))


def _shown(value: Any, masker: Masker, bounds: Bounds, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, BpazError):
        return _shown(value.to_dict(), masker, bounds, depth)
    if isinstance(value, dict | list | tuple | set | frozenset):
        return _container(value, masker, bounds, depth)
    return _cut(_text(value), masker, bounds.text)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value):,} bytes>"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {_described(value, str)}"
    return _described(value, repr)


def _container(value: Any, masker: Masker, bounds: Bounds, depth: int) -> Any:
    if depth == 0:
        return f"<{type(value).__name__} of {len(value):,}>"
    more = len(value) - bounds.items
    if isinstance(value, dict):
        shown: dict[str, Any] = {}
        for key, item in islice(value.items(), bounds.items):
            name = _cut(key if isinstance(key, str) else _described(key, str), masker, bounds.text)
            while name in shown:
                name += "•"
            shown[name] = _shown(item, masker, bounds, depth - 1)
        return shown | ({"…": f"{more:,} more"} if more > 0 else {})
    items = [_shown(item, masker, bounds, depth - 1) for item in islice(value, bounds.items)]
    return items + ([f"… {more:,} more"] if more > 0 else [])


def _number(value: float) -> Any:
    if isinstance(value, int):
        return int(value) if abs(value) <= SAFE_INTEGER else _described(value, str)
    finite = value - value == 0
    return float(value) if finite else str(float(value))


def _cut(text: str, masker: Masker, most: int) -> str:
    """The text cut and fit for JSON; a secret that the cut goes through does not show."""
    clean = fit(text[: most + 1])
    if len(text) <= most:
        return clean
    # What the stream holds back at the cut may be the beginning of a secret: it is dropped.
    return masker.stream().feed(clean[:most]) + f"… ({len(text):,} characters)"


def fit(text: str) -> str:
    """The text fit for JSON: without half characters and NUL, which databases refuse."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


def _described(value: Any, describe: Any) -> str:
    try:
        return str(describe(value))
    except Exception as fault:  # noqa: BLE001 (an object's own repr may raise anything)
        return f"<{type(value).__name__}, whose {describe.__name__} raised {type(fault).__name__}>"


LOUD: Final = ("httpx", "httpcore", "httpx2", "httpcore2", "urllib3", "requests", "openai", "anthropic")
"""Loggers that write URLs and headers below WARNING."""

_lock = threading.Lock()
_levels: dict[str, int] = {}
_holders = 0


@contextmanager
def quiet_loggers() -> Iterator[None]:
    """Hold the loggers of HTTP packages at WARNING; runs that overlap share the hold."""
    global _holders  # noqa: PLW0603 (logger levels are global themselves)
    with _lock:
        _holders += 1
        if _holders == 1:
            for name in LOUD:
                logger = logging.getLogger(name)
                _levels[name] = logger.level
                logger.setLevel(max(logger.level, logging.WARNING))
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                for name, level in _levels.items():
                    logging.getLogger(name).setLevel(level)
