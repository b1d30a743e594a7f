"""The stream over a real Tornado server on a socket."""

from __future__ import annotations

import asyncio
import json

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from bpaz_lab.server import sse
from bpaz_lab.services.route import Message

pytestmark = pytest.mark.unit


class Source:
    """Messages that a test gives one by one, and whether anybody still wants them."""

    def __init__(self):
        self.queue = asyncio.Queue()
        self.closed = asyncio.Event()
        self.stopped = asyncio.Event()

    async def messages(self):
        try:
            while (message := await self.queue.get()) is not None:
                if isinstance(message, BaseException):
                    raise message
                yield message
        finally:
            self.closed.set()


class Handler(RequestHandler):
    def initialize(self, source, heartbeat):
        self.source, self.heartbeat = source, heartbeat

    async def get(self):
        await sse.send(
            self, self.source.messages(), heartbeat=self.heartbeat, ended=self.source.stopped,
            failure=lambda error: {"failed": type(error).__name__},
        )  # fmt: skip

    def on_connection_close(self):
        self.source.stopped.set()


@pytest.fixture
async def listen():
    """Opens streams: (source, reader of what comes after the head, writer)."""
    servers, writers = [], []

    async def listening(heartbeat=60.0):
        source = Source()
        server = HTTPServer(Application([("/", Handler, {"source": source, "heartbeat": heartbeat})]))
        socket, port = bind_unused_port()
        server.add_sockets([socket])
        servers.append(server)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        return source, reader, writer

    yield listening
    for writer in writers:
        writer.close()
    for server in servers:
        server.stop()
        await server.close_all_connections()


async def chunk(reader):
    size = int(await reader.readline(), 16)
    data = await reader.readexactly(size + 2)
    return data[:-2]


def test_a_message_is_one_line_of_data():
    told = sse.encoded(Message({"text": "two\nlines\r and \u2028"}, event="token", id="4"))
    assert told.count(b"\n") == 4
    assert told.endswith(b"\n\n")
    data = told.decode().split("data: ")[1].removesuffix("\n\n")
    assert json.loads(data) == {"text": "two\nlines\r and \u2028"}


def test_what_is_no_json_number_becomes_null():
    assert sse.encoded(Message(float("nan"))) == b"data: null\n\n"


async def test_a_message_comes_before_the_next_one_is_there(listen):
    source, reader, _ = await listen()
    source.queue.put_nowait(Message(1, id="1"))
    assert await chunk(reader) == b"id: 1\ndata: 1\n\n"
    source.queue.put_nowait(Message(2, id="2"))
    assert await chunk(reader) == b"id: 2\ndata: 2\n\n"
    source.queue.put_nowait(None)
    assert await chunk(reader) == b""
    assert source.closed.is_set()


async def test_a_silent_stream_gives_signs_of_life(listen):
    source, reader, _ = await listen(heartbeat=0.01)
    assert await chunk(reader) == sse.SIGN_OF_LIFE
    assert await chunk(reader) == sse.SIGN_OF_LIFE
    source.queue.put_nowait(Message("here"))
    while (told := await chunk(reader)) == sse.SIGN_OF_LIFE:
        pass
    assert told == b'data: "here"\n\n'  # nothing that came meanwhile is lost


async def test_when_the_client_goes_the_source_is_closed(listen):
    source, reader, writer = await listen()
    source.queue.put_nowait(Message(1))
    await chunk(reader)
    writer.close()
    await asyncio.wait_for(source.closed.wait(), 10)


async def test_when_the_server_stops_the_stream_ends(listen):
    source, reader, _ = await listen()
    source.stopped.set()
    assert await chunk(reader) == b""
    assert source.stopped.is_set()


async def test_a_source_that_fails_says_so_at_the_end(listen):
    source, reader, _ = await listen()
    source.queue.put_nowait(KeyError("sk-canary"))
    assert await chunk(reader) == b'event: error\ndata: {"failed":"KeyError"}\n\n'
    assert await chunk(reader) == b""
    assert source.closed.is_set()
