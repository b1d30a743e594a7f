"""Server-sent events, read (WHATWG HTML, "Server-sent events", 9.2.6)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream.

    Attributes:
        event: What kind it is.
        data: Its JSON.
        id: Its id: a stream that is asked for again goes on behind it.
    """

    event: str
    data: Any
    id: str = ""


def messages(chunks: Iterable[bytes]) -> Iterator[Message]:
    r"""The messages of a stream of bytes; one that was not finished is left out.

    Lines end at a line feed and nowhere else: a text may hold other characters that end lines.

    Raises:
        RequestError: The data of a message is no JSON.

    Example:
        >>> list(messages([b": hello\n\nid: 4\nevent: tok", b"en\ndata: {}\n\n"]))
        [Message(event='token', data={}, id='4')]
    """
    event, id, data = "message", "", list[bytes]()
    for line in _lines(chunks):
        if not line:
            if data:
                yield Message(event, _json(b"\n".join(data)), id)
            event, data = "message", []
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"event":
                event = value.decode()
            case b"id":
                id = value.decode()
            case b"data":
                data.append(value)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise RequestError(
            "the server sent a message that is no JSON", hint="Is the address that of a bpaz_lab server?"
        ) from None
