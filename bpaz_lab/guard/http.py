"""The one HTTP client: every node that reaches out does it through ``client`` or ``async_client``.

They are an ``httpx.Client`` and an ``httpx.AsyncClient`` (so they fit wherever a package takes
one) whose transport checks each hop against an ``EgressPolicy``, connects to the address it
checked, and caps size, time and redirects. Compressed answers are neither asked for nor taken,
for what they unpack to cannot be bounded beforehand.

Example:
    >>> with client(EgressPolicy()) as web:
    ...     web.get("http://127.0.0.1/")
    Traceback (most recent call last):
    bpaz_lab.errors.EgressRefused: 127.0.0.1: 127.0.0.1 is a loopback address, which may not be reached
      hint: If you trust it, allow '127.0.0.1', '127.0.0.1:80' or '127.0.0.1/32' in the egress policy.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from bpaz_lab.errors import EgressRefused
from bpaz_lab.guard.dial import AsyncDialler, Dialler, until
from bpaz_lab.guard.egress import EgressPolicy

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator

KEY_HEADERS: Final = ("authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token")
"""Headers that carry keys: they stay on the origin they were meant for."""

_TRIP: Final = "bpaz_trip"


def client(policy: EgressPolicy, **options: Any) -> httpx.Client:
    """A guarded ``httpx.Client``.

    Args:
        policy: What may be reached.
        **options: Options of ``httpx.Client``, such as ``headers``, ``timeout``, ``base_url`` and
            ``verify``; redirects are followed by default.

    Raises:
        EgressRefused: (by a request) its address is refused, or a cap is exceeded.
        TypeError: An option would replace the guarded transport.
    """
    verify = _prepare(options, policy)
    return _Client(policy, transport=_Transport(policy, verify), **options)


def async_client(policy: EgressPolicy, **options: Any) -> httpx.AsyncClient:
    """A guarded ``httpx.AsyncClient``; see :func:`client`."""
    verify = _prepare(options, policy)
    return _AsyncClient(policy, transport=_AsyncTransport(policy, verify), **options)


def _prepare(options: dict[str, Any], policy: EgressPolicy) -> ssl.SSLContext:
    for name in ("transport", "mounts", "proxy", "app", "http2", "trust_env", "max_redirects"):
        if name in options:
            raise TypeError(f"the guarded client decides {name!r} itself; see EgressPolicy")
    options.setdefault("follow_redirects", True)
    # The transport counts redirects; httpx must not stop before it. Its trust_env reads ~/.netrc.
    options |= {"max_redirects": policy.max_redirects + 1, "trust_env": False}
    return httpx.create_ssl_context(options.pop("verify", True), options.pop("cert", None))


@dataclass
class _Trip:
    """What one request and the redirects it leads to have in common."""

    origin: tuple[str, bytes, int | None]
    deadline: float
    hops: int = 0


def _start(request: httpx.Request, policy: EgressPolicy) -> None:
    trip = _Trip(_origin(request.url), time.monotonic() + policy.max_seconds)
    request.extensions = {**request.extensions, _TRIP: trip}


class _Client(httpx.Client):
    def __init__(self, policy: EgressPolicy, **options: Any) -> None:
        super().__init__(**options)
        self._policy = policy

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        _start(request, self._policy)
        return super().send(request, **options)


class _AsyncClient(httpx.AsyncClient):
    def __init__(self, policy: EgressPolicy, **options: Any) -> None:
        super().__init__(**options)
        self._policy = policy

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        _start(request, self._policy)
        return await super().send(request, **options)


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


class _Routes:
    """Which pool a hop goes through: one per policy (as written, chosen elsewhere) and proxy."""

    def __init__(
        self, policy: EgressPolicy, pool: Any, proxy: Any, dialler: Any, tls: ssl.SSLContext
    ) -> None:
        self.policy = policy
        self._pool, self._proxy, self._dialler, self._tls = pool, proxy, dialler, tls
        self.pools: dict[tuple[bool, str], Any] = {}

    def route(self, request: httpx.Request) -> tuple[Any, httpcore.Request, _Trip]:
        """The pool for a hop, and the hop as the pool takes it, once it is known to be allowed."""
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise EgressRefused(
                f"{request.url.scheme or 'a URL without a scheme'} is not reached",
                hint="Use a URL that starts with http:// or https://.",
                path=str(request.url.copy_with(query=None, username=None, password=None)),
            )
        trip: _Trip = request.extensions[_TRIP]
        trip.hops += 1
        if trip.hops > self.policy.max_redirects + 1:
            raise EgressRefused(
                f"more than {self.policy.max_redirects} redirects",
                hint="Use the final address of the page.",
                path=request.url.host,
            )
        elsewhere = _origin(request.url) != trip.origin
        headers = request.headers.copy()
        headers["accept-encoding"] = "identity"
        for name in KEY_HEADERS if elsewhere else ():
            headers.pop(name, None)
        hop = httpcore.Request(
            request.method,
            _core_url(request.url),
            headers=headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        return self._pool_for(request.url, elsewhere), hop, trip

    def _pool_for(self, url: httpx.URL, elsewhere: bool) -> Any:
        policy = self.policy.chosen_elsewhere() if elsewhere else self.policy
        proxy = _proxy_of(url) if policy.trust_env else ""
        if proxy:
            policy.check_name(url.host, url.port or (443 if url.scheme == "https" else 80))
        key = (elsewhere, proxy)
        if key not in self.pools:
            self.pools[key] = self._new_pool(policy, proxy)
        return self.pools[key]

    def _new_pool(self, policy: EgressPolicy, proxy: str) -> Any:
        if not proxy:
            return self._pool(ssl_context=self._tls, network_backend=self._dialler(policy))
        url = httpx.URL(proxy if "://" in proxy else f"http://{proxy}")
        if url.scheme not in ("http", "https"):
            raise EgressRefused(
                f"the proxy {url.host} of the environment is a {url.scheme} proxy",
                hint="Set HTTP_PROXY and HTTPS_PROXY to an HTTP proxy, or list the host in NO_PROXY.",
            )
        # The administrator of the machine chose the proxy: it may be private.
        backend = self._dialler(EgressPolicy(private=True))
        auth = (url.username, url.password) if url.username else None
        return self._proxy(_core_url(url), proxy_auth=auth, ssl_context=self._tls, network_backend=backend)


def _proxy_of(url: httpx.URL) -> str:
    known = getproxies()
    where = f"{url.host}:{url.port}" if url.port else url.host
    if proxy_bypass(where):
        return ""
    return known.get(url.scheme) or known.get("all") or ""


class _Transport(httpx.BaseTransport):
    def __init__(self, policy: EgressPolicy, tls: ssl.SSLContext) -> None:
        self.policy = policy
        self._routes = _Routes(policy, httpcore.ConnectionPool, httpcore.HTTPProxy, Dialler, tls)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        pool, hop, trip = self._routes.route(request)
        with _as_httpx(), until(trip.deadline):
            answer = pool.handle_request(hop)
        try:
            _check_head(request, answer, self.policy)
        except EgressRefused:
            answer.close()
            raise
        body = _Body(answer, trip.deadline, self.policy.max_bytes)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=body, extensions=answer.extensions
        )

    def close(self) -> None:
        for pool in self._routes.pools.values():
            pool.close()


class _Body(httpx.SyncByteStream):
    """An answer's bytes, counted. Some clients read on at the end; there is nothing more then."""

    def __init__(self, answer: httpcore.Response, deadline: float, cap: int) -> None:
        self._answer, self._deadline, self._cap, self._size = answer, deadline, cap, 0
        self._chunks = answer.iter_stream()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with _as_httpx(), until(self._deadline):
                chunk = next(self._chunks, None)
            if chunk is None:
                return
            self._size += len(chunk)
            _check_size(self._size, self._cap)
            yield chunk

    def close(self) -> None:
        self._answer.close()


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self, policy: EgressPolicy, tls: ssl.SSLContext) -> None:
        self.policy = policy
        self._routes = _Routes(
            policy, httpcore.AsyncConnectionPool, httpcore.AsyncHTTPProxy, AsyncDialler, tls
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool, hop, trip = self._routes.route(request)
        with _as_httpx(), until(trip.deadline):
            answer = await pool.handle_async_request(hop)
        try:
            _check_head(request, answer, self.policy)
        except EgressRefused:
            await answer.aclose()
            raise
        body = _AsyncBody(answer, trip.deadline, self.policy.max_bytes)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=body, extensions=answer.extensions
        )

    async def aclose(self) -> None:
        for pool in self._routes.pools.values():
            await pool.aclose()


class _AsyncBody(httpx.AsyncByteStream):
    """As ``_Body``."""

    def __init__(self, answer: httpcore.Response, deadline: float, cap: int) -> None:
        self._answer, self._deadline, self._cap, self._size = answer, deadline, cap, 0
        self._chunks = answer.aiter_stream()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            with _as_httpx(), until(self._deadline):
                chunk = await anext(self._chunks, None)
            if chunk is None:
                return
            self._size += len(chunk)
            _check_size(self._size, self._cap)
            yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


def _check_head(request: httpx.Request, answer: httpcore.Response, policy: EgressPolicy) -> None:
    headers = httpx.Headers(answer.headers)
    if request.method == "HEAD":
        return
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise EgressRefused(
            "the answer is compressed although that was not asked for",
            hint="What it unpacks to cannot be bounded; use another address for this content.",
            path=request.url.host,
        )
    length = headers.get("content-length", "")
    if length.isdecimal():
        _check_size(int(length), policy.max_bytes)


def _check_size(size: int, cap: int) -> None:
    if size > cap:
        raise EgressRefused(
            f"the answer is larger than the {cap:,} bytes of the egress policy",
            hint="Fetch a smaller part, or raise max_bytes in the egress policy.",
        )


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Give the faults of the pool the names that users of httpx expect."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.UnsupportedProtocol,
    ) as fault:
        named: type[httpx.TransportError] = getattr(httpx, type(fault).__name__)
        raise named(str(fault)) from fault
