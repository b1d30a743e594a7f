"""Server-sent events: each message at once, a sign of life in silence, and an end when nobody listens.

The format is that of the HTML standard, "Server-sent events" (section 9.2).
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json
from tornado.iostream import StreamClosedError

from bpaz_lab.services.route import Message

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from tornado.web import RequestHandler

SIGN_OF_LIFE: Final = b": \n\n"


def encoded(message: Message) -> bytes:
    r"""One message as it is sent.

    Example:
        >>> encoded(Message({"n": 1}, event="node.started", id="3"))
        b'id: 3\nevent: node.started\ndata: {"n":1}\n\n'
    """
    # JSON has no line breaks of its own, so the data is always one line.
    lines = [f"id: {message.id}"] if message.id else []
    lines += [f"event: {message.event}"] if message.event else []
    head = "".join(f"{line}\n" for line in lines).encode()
    return head + b"data: " + to_json(message.data, inf_nan_mode="null") + b"\n\n"


async def send(
    handler: RequestHandler,
    messages: AsyncIterator[Message],
    *,
    heartbeat: float,
    ended: asyncio.Event,
    failure: Callable[[BaseException], Any],
) -> None:
    """Sends messages until there are no more, the client goes, or the server stops.

    Args:
        handler: Its headers are set.
        messages: What to send; it is closed at the end in any case.
        heartbeat: Seconds of silence after which a comment is sent.
        ended: Set when the client has gone or the server stops.
        failure: Makes the data of a last message of the event ``error`` from what the iterator raised.
    """
    over = asyncio.ensure_future(ended.wait())
    try:
        await handler.flush()
        async with aclosing(_chunks(messages, over, heartbeat, failure)) as chunks:
            async for chunk in chunks:
                handler.write(chunk)
                await handler.flush()
    except StreamClosedError:
        pass  # the client has gone
    finally:
        over.cancel()
        close = getattr(messages, "aclose", None)
        if close is not None:
            await close()


async def _chunks(
    messages: AsyncIterator[Message],
    over: asyncio.Future[Any],
    heartbeat: float,
    failure: Callable[[BaseException], Any],
) -> AsyncGenerator[bytes, None]:
    coming: asyncio.Future[Message] = asyncio.ensure_future(anext(messages))
    try:
        while True:
            await asyncio.wait({coming, over}, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                return
            if not coming.done():
                yield SIGN_OF_LIFE
                continue
            fault = coming.exception()
            if fault is not None:
                if not isinstance(fault, StopAsyncIteration):
                    yield encoded(Message(failure(fault), event="error"))
                return
            yield encoded(coming.result())
            coming = asyncio.ensure_future(anext(messages))
    finally:
        coming.cancel()
        await asyncio.wait({coming})
