from __future__ import annotations

import asyncio
import socket

import pytest

pytestmark = pytest.mark.unit


def test_a_foreign_address_is_refused():
    with socket.socket() as client, pytest.raises(RuntimeError, match="no network"):
        client.connect(("192.0.2.1", 80))


def test_a_foreign_name_is_not_looked_up():
    with pytest.raises(RuntimeError, match=r"look-up of example\.org"):
        socket.getaddrinfo("example.org", 80)


async def test_asyncio_is_refused_too():
    with pytest.raises(RuntimeError, match="no network"):
        await asyncio.open_connection("192.0.2.1", 80)


async def test_loopback_is_open():
    async def hang_up(_reader, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
