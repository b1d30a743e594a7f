"""What somebody may have meant who typed a name that does not exist."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str:
    """A sentence with the names closest to ``name``; empty where none is close.

    Example:
        >>> closest("OpenAIChatt", ["OpenAIChat", "LocalChat"])
        'Did you mean OpenAIChat?'
    """
    ratios = {each: SequenceMatcher(None, name.lower(), each.lower()).ratio() for each in known}
    best = max(ratios.values(), default=0)
    found = [each for each, ratio in ratios.items() if ratio >= max(0.6, best - 0.1)]
    return f"Did you mean {' or '.join(found[:3])}?" if found else ""
