"""Port tags, and the one table that says what connects to what.

A tag names what travels over a wire (``documents``, ``model``, ``list[text]``). Tags are light: they
exist to light up legal targets and to pick the fitting port, not to prove types. The table is served
to the canvas, so Python and TypeScript never disagree.

Example:
    >>> conversion("documents", "text")
    'documents_to_text'
    >>> conversion("text", "text")
    ''
    >>> conversion("model", "text") is None
    True
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

ANY: Final = "any"


class Tag(NamedTuple):
    """What one kind of wire carries, and how it looks."""

    title: str
    color: str
    resource: bool = False
    """A resource (a live object such as a model or a store) is rebuilt on resume, a value is kept."""


TAGS: Final[dict[str, Tag]] = {
    "text": Tag("Text", "green"),
    "message": Tag("Message", "green"),
    "messages": Tag("Messages", "green"),
    "documents": Tag("Documents", "blue"),
    "table": Tag("Table", "cyan"),
    "data": Tag("Data", "grey"),
    "image": Tag("Image", "pink"),
    "model": Tag("Language model", "purple", resource=True),
    "embeddings": Tag("Embeddings", "orange", resource=True),
    "vectorstore": Tag("Vector store", "yellow", resource=True),
    "retriever": Tag("Retriever", "red", resource=True),
    "tool": Tag("Tool", "brown", resource=True),
    "memory": Tag("Memory", "brown", resource=True),
    ANY: Tag("Anything", "grey"),
}

CONVERSIONS: Final[dict[tuple[str, str], str]] = {
    ("documents", "text"): "documents_to_text",
    ("text", "documents"): "text_to_documents",
    ("message", "text"): "message_to_text",
    ("messages", "text"): "messages_to_text",
    ("text", "message"): "text_to_message",
    ("text", "messages"): "text_to_messages",
    ("message", "messages"): "message_to_messages",
    ("data", "text"): "data_to_text",
    ("table", "text"): "table_to_text",
    ("table", "data"): "table_to_data",
}
"""(source tag, target tag) to the name of the function in ``nodes/convert.py`` that converts."""

_IDENTICAL: Final = {("text", "data"), ("documents", "data"), ("messages", "data")}


def item_tag(tag: str) -> str | None:
    """The tag inside ``list[...]``, or None where the tag is no list."""
    return tag[5:-1] if tag.startswith("list[") and tag.endswith("]") else None


def is_tag(tag: str) -> bool:
    """Whether the tag is known, lists included."""
    return tag in TAGS or ((item := item_tag(tag)) is not None and is_tag(item))


def is_resource(tag: str) -> bool:
    """Whether the tag carries a live object that cannot be stored."""
    item = item_tag(tag)
    return is_resource(item) if item else TAGS[tag].resource


@cache
def conversion(source: str, target: str) -> str | None:
    """How a value of tag ``source`` enters a port of tag ``target``.

    Returns:
        The name of the conversion, ``""`` where the value passes as it is, None where the two do not fit.
    """
    if source == target or ANY in (source, target) or (source, target) in _IDENTICAL:
        return ""
    source_item, target_item = item_tag(source), item_tag(target)
    if source_item and target_item:
        return "" if conversion(source_item, target_item) == "" else None
    if source_item and target == "data":
        return ""
    if target_item and conversion(source, target_item) == "":
        return "to_list"
    return CONVERSIONS.get((source, target))


def table() -> dict[str, dict[str, str]]:
    """The whole table for the canvas: source tag to target tag to conversion, lists one level deep."""
    tags = [*TAGS, *(f"list[{tag}]" for tag in TAGS)]
    return {
        source: {target: how for target in tags if (how := conversion(source, target)) is not None}
        for source in tags
    }
