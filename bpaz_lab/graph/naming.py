"""Readable unique ids; the canvas makes the same ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container


def snake(name: str) -> str:
    """``RecursiveTextSplitter`` as ``recursive_text_splitter``.

    Example:
        >>> snake("LLMChain"), snake("OpenAICompatibleChat"), snake("clean up")
        ('llm_chain', 'open_ai_compatible_chat', 'clean_up')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    plain = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"node_{plain}".rstrip("_")


def unique(wanted: str, taken: Container[str]) -> str:
    """``wanted``, or with the first free number behind it: ``split``, ``split_2``, ``split_3``."""
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}_{number}" in taken:
        number += 1
    return f"{wanted}_{number}"
