"""What somebody may have meant who typed a name that does not exist."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str:
    """A sentence with the names closest to ``name``; empty where none is close.

    Example:
        >>> closest("OpenAIChatt", ["OpenAIChat", "LocalChat"])
        'Did you mean OpenAIChat?'
    """
    names = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(names[each] for each in found)}?" if found else ""
