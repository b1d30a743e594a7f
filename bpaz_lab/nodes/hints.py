"""From an ordinary type hint to a port tag, without importing the packages that the hint comes from.

Example:
    >>> port_of(str).tag, port_of(list[str]).tag, port_of(int | None).tag
    ('text', 'list[text]', 'data')
"""

from __future__ import annotations

import inspect
import types
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Annotated, Any, Final, Union, get_args, get_origin

from bpaz_lab.graph.ports import ANY
from bpaz_lab.nodes.types import Port

_CLASSES: Final = {
    ("pandas", "DataFrame"): "table",
    ("polars", "DataFrame"): "table",
    ("pyarrow", "Table"): "table",
    ("langchain_core", "Document"): "documents",
    ("langchain_core", "BaseMessage"): "message",
    ("langchain_core", "BaseLanguageModel"): "model",
    ("langchain_core", "Embeddings"): "embeddings",
    ("langchain_core", "VectorStore"): "vectorstore",
    ("langchain_core", "BaseRetriever"): "retriever",
    ("langchain_core", "BaseTool"): "tool",
    ("matplotlib", "Figure"): "image",
    ("PIL", "Image"): "image",
}
_DATA: Final = (int, float, bool, dict, list, tuple, set)
_STREAMS: Final = (AsyncIterator, Iterator)


def port_of(hint: Any) -> Port:
    """The port that a hint describes; ``any`` where it says nothing."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        told = next((extra for extra in arguments[1:] if isinstance(extra, Port)), Port())
        if told.many:
            return replace(told, tag=told.tag or port_of(get_args(arguments[0])[0]).tag)
        return told if told.tag else replace(told, tag=port_of(arguments[0]).tag)
    if origin in (Union, types.UnionType):
        tags = {port_of(part).tag for part in arguments if part is not type(None)}
        return Port(tags.pop() if len(tags) == 1 else ANY)
    if origin is not None and inspect.isclass(origin) and issubclass(origin, _STREAMS):
        return port_of(arguments[0])
    if origin is list and arguments:
        return Port(_list_tag(port_of(arguments[0]).tag, arguments[0]))
    return Port(_class_tag(origin if inspect.isclass(origin) else hint))


def _list_tag(item: str, hint: Any) -> str:
    if item == "documents" and inspect.isclass(hint):
        return "documents"
    return {"message": "messages", ANY: "data", "data": "data"}.get(item, f"list[{item}]")


def _class_tag(hint: Any) -> str:
    if not inspect.isclass(hint):
        return ANY
    if issubclass(hint, str):
        return "text"
    if issubclass(hint, _DATA):
        return "data"
    for base in hint.__mro__:
        if tag := _CLASSES.get((base.__module__.partition(".")[0], base.__name__)):
            return tag
    return ANY
