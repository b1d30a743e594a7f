"""The automatic conversions that the table in ``graph/ports.py`` names.

Example:
    >>> to_list("a")
    ['a']
    >>> data_to_text({"b": 1})
    '{"b": 1}'
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def to_list(value: Any) -> list[Any]:
    """One value as a list of one."""
    return [value]


def documents_to_text(documents: Any) -> str:
    """The contents, a blank line between them."""
    return "\n\n".join(document.page_content for document in documents)


def text_to_documents(text: str) -> list[Any]:
    """One document with the text."""
    from langchain_core.documents import Document

    return [Document(page_content=text)]


def message_to_text(message: Any) -> str:
    """The text of a message."""
    if isinstance(message, str):
        return message
    text = message.text
    return text if isinstance(text, str) else text()


def messages_to_text(messages: Any) -> str:
    """The texts of messages, each after its role, one a line."""
    return "\n".join(f"{message.type}: {message_to_text(message)}" for message in messages)


def text_to_message(text: str) -> Any:
    """A message of the user."""
    from langchain_core.messages import HumanMessage

    return HumanMessage(text)


def text_to_messages(text: str) -> list[Any]:
    """A conversation of one message of the user."""
    return [text_to_message(text)]


def message_to_messages(message: Any) -> list[Any]:
    """A conversation of one message."""
    return [message]


def data_to_text(data: Any) -> str:
    """Text as it is, anything else as JSON where it can be, else as Python prints it."""
    if isinstance(data, str):
        return data
    return json.dumps(data, ensure_ascii=False, default=str)


def table_to_text(table: Any) -> str:
    """The table as comma-separated values."""
    return str(table.to_csv(index=False))


def table_to_data(table: Any) -> list[dict[str, Any]]:
    """The rows as a list of dicts."""
    rows: list[dict[str, Any]] = table.to_dict(orient="records")
    return rows


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    function.__name__: function
    for function in (
        to_list,
        documents_to_text,
        text_to_documents,
        message_to_text,
        messages_to_text,
        text_to_message,
        text_to_messages,
        message_to_messages,
        data_to_text,
        table_to_text,
        table_to_data,
    )
}
