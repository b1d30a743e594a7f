"""Opening connections for ``http``: resolve, check, then connect to the checked address itself.

TLS still names the host, for the name is what the certificate is for. A name that resolves
differently a moment later (DNS rebinding) changes nothing: it is resolved once.
"""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
import httpcore

from bpaz_lab.errors import EgressRefused
from bpaz_lab.guard.egress import literal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    from bpaz_lab.guard.egress import EgressPolicy

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Bound every wait of the connections used inside by this moment of ``time.monotonic()``."""
    token = _deadline.set(deadline)
    try:
        yield
    except httpcore.TimeoutException:
        if time.monotonic() >= deadline:
            _too_late()
        raise
    finally:
        _deadline.reset(token)


def _left(timeout: float | None) -> float | None:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        _too_late()
    if left == float("inf"):
        return timeout
    return left if timeout is None else min(timeout, left)


def _too_late() -> NoReturn:
    raise EgressRefused(
        "the request took longer than the egress policy allows",
        hint="Try again later, or raise max_seconds in the egress policy.",
    ) from None


def _distinct(found: Iterable[tuple[Any, ...]]) -> list[str]:
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _unresolved(host: str, fault: OSError) -> httpcore.ConnectError:
    return httpcore.ConnectError(f"the host {host} cannot be resolved: {fault.strerror or fault}")


class Dialler(httpcore.NetworkBackend):
    """The network backend of a guarded client; Unix sockets it does not know.

    Args:
        policy: What may be reached.
    """

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to an address of the host that the policy allows."""
        try:
            addresses = literal(host) or _distinct(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as fault:
            raise _unresolved(host, fault) from None
        self._policy.check(host, port, addresses)
        failed: Exception | None = None
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(address, port, _left(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
                failed = fault
            else:
                return _Stream(stream)
        raise failed or httpcore.ConnectError(f"the host {host} has no address")


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class AsyncDialler(httpcore.AsyncNetworkBackend):
    """The network backend of a guarded asynchronous client; Unix sockets it does not know.

    Args:
        policy: What may be reached.
    """

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address of the host that the policy allows."""
        try:
            addresses = literal(host) or _distinct(
                await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except OSError as fault:
            raise _unresolved(host, fault) from None
        self._policy.check(host, port, addresses)
        failed: Exception | None = None
        for address in addresses:
            try:
                stream = await self._inner.connect_tcp(
                    address, port, _left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
                failed = fault
            else:
                return _AsyncStream(stream)
        raise failed or httpcore.ConnectError(f"the host {host} has no address")


class _AsyncStream(httpcore.AsyncNetworkStream):
    """A connection whose every wait ends at the deadline."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 (httpcore's signature)
        return await self._inner.read(max_bytes, _left(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 (httpcore's signature)
        await self._inner.write(buffer, _left(timeout))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
