"""A laboratory over HTTP."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, Protocol

import bpaz_lab
from bpaz_lab.api.transport.errors import error_of
from bpaz_lab.api.transport.sse import messages
from bpaz_lab.api.transport.transport import asked, written
from bpaz_lab.errors import RequestError, ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from http.cookiejar import Cookie
    from urllib.request import Request

    import httpx

    from bpaz_lab.api.transport.sse import Message
    from bpaz_lab.engine.steps import Steps

BASE: Final = "bpaz/api/v1/"
"""Where the API lies below the address of the Jupyter server."""
ACCESS: Final = "X-Bpaz-Authorization"
"""Apart from ``Authorization``, which Jupyter reads as a token of its own."""
CLIENT: Final = "X-Bpaz-Client"
"""Says that no page of another site asks, since that cannot add a header."""
LOGIN: Final = "bpaz_refresh"
"""The cookie that renews a login; the server restricts it to that request."""
BYTES: Final = "application/octet-stream"
CONNECT: Final = 5.0
PATIENCE: Final = 30.0
"""Seconds to wait for an answer."""
SILENCE: Final = 60.0
"""Seconds without a sign of life after which a stream counts as cut off; the server gives one every 15."""
_PAGES: Final = ("/lab/", "/tree/", "/notebooks/", "/bpaz/api/")
"""What stands behind the server's own address in a browser."""


class Login(Protocol):
    """Says who asks. Thread-safe."""

    def headers(self, ask: Callable[..., Any]) -> dict[str, str]:
        """The headers of a request; ``ask(path, body, headers)`` posts without them."""
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Whether it makes sense to try again after these headers were refused."""
        ...


@dataclass
class Bearer:
    """Who asks, by a token.

    Attributes:
        door: Jupyter's own token, or JupyterHub's, which opens the door; empty for none.
        access: An access token of bpaz_lab, which says who one is; empty for none.
    """

    door: str = field(default="", repr=False)
    access: str = field(default="", repr=False)

    def headers(self, ask: Callable[..., Any]) -> dict[str, str]:  # noqa: ARG002
        """The headers of a request."""
        told = {"Authorization": f"token {self.door}"} if self.door else {}
        return told | ({ACCESS: f"Bearer {self.access}"} if self.access else {})

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002
        """A token stays what it is."""
        return False


class Remote:
    """A laboratory over HTTP; see :class:`~bpaz_lab.api.transport.transport.Transport`.

    Args:
        url: The address of the Jupyter server, such as ``http://127.0.0.1:8888/``, also as the browser
            shows it.
        login: Says who asks.
        patience: Seconds to wait for an answer.

    Raises:
        RequestError: The address is none.
    """

    def __init__(self, url: str, login: Login, *, patience: float = PATIENCE) -> None:
        self.url = address(url)
        self.login = login
        self._patience = patience

    def __repr__(self) -> str:
        return f"<Remote {self.url}>"

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request; see ``Transport``."""
        answer = self._send(method, path, asked(query), written(body), headers or {})
        if not answer.content:
            return None
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def send(
        self, method: str, path: str, data: bytes | None = None, *, query: Mapping[str, Any] | None = None
    ) -> bytes:
        """One request whose body and answer are bytes; see ``Transport``."""
        return self._send(method, path, asked(query), data, {"Content-Type": BYTES}).content

    def steps(self, execution_id: str, epoch: int) -> Steps:
        """The ledger of an execution; see ``Transport``."""
        from bpaz_lab.api.transport.steps import RemoteSteps

        return RemoteSteps(self, execution_id, epoch)

    def stream(self, path: str, *, after: str = "") -> Iterator[Message]:
        """The messages of a stream until it ends; see ``Transport``."""
        import httpx

        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        answer = self._send("GET", path, {}, None, headers, stream=True)
        try:
            yield from messages(answer.iter_raw())
        except httpx.TransportError as fault:
            raise self._away(fault) from None
        finally:
            answer.close()

    def close(self) -> None:
        """Closes the connections; the next request opens new ones."""
        if (client := self.__dict__.pop("_client", None)) is not None:
            client.close()

    @cached_property
    def _client(self) -> httpx.Client:
        import httpx

        here = _is_here(httpx.URL(self.url).host)
        return httpx.Client(
            base_url=self.url + BASE,
            headers={CLIENT: f"bpaz_lab/{bpaz_lab.__version__}"},
            cookies=CookieJar(_Logins()),
            timeout=httpx.Timeout(self._patience, connect=CONNECT),
            trust_env=not here,  # a proxy does not lead back to this machine
            transport=httpx.HTTPTransport(retries=1) if here else None,
        )

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        stream: bool = False,
    ) -> httpx.Response:
        """The answer, read or about to be streamed; the kernel proves itself again where it is not known."""
        said = self.login.headers(self.ask)
        answer = self._once(method, path, query, body, {**headers, **said}, stream=stream)
        if answer.status_code == 401 and self.login.renew(said):
            answer.close()
            said = self.login.headers(self.ask)
            answer = self._once(method, path, query, body, {**headers, **said}, stream=stream)
        if not answer.is_success:
            answer.read()
            raise error_of(answer)
        return answer

    def ask(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """One POST that does not say who asks, for signing in.

        Raises:
            BpazError: What the server raised.
        """
        answer = self._once("POST", path, {}, written(body), headers or {}, stream=False)
        if not answer.is_success:
            raise error_of(answer)
        return answer.json()

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        stream: bool,
    ) -> httpx.Response:
        import httpx

        told = {"Content-Type": "application/json", **headers} if body is not None else headers
        waits = httpx.Timeout(SILENCE if stream else self._patience, connect=CONNECT)
        request = self._client.build_request(
            method, path, params=query, content=body, headers=told, timeout=waits
        )
        try:
            return self._client.send(request, stream=stream)
        except httpx.TransportError as fault:
            raise self._away(fault) from None

    def _away(self, fault: httpx.TransportError) -> ServerUnavailable:
        import httpx

        late = isinstance(fault, httpx.TimeoutException)
        told = f": {fault}" if str(fault) else ""
        return ServerUnavailable(
            f"the server at {self.url} {'did not answer in time' if late else 'cannot be reached'}{told}",
            hint="Is it running? Start it, or give another address: bz.connect(url).",
        )


class _Logins(DefaultCookiePolicy):
    """Takes no cookie but that of a login: those of Jupyter's pages mean nothing here."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        """Whether a cookie is kept."""
        return cookie.name == LOGIN and super().set_ok(cookie, request)


def address(url: str) -> str:
    """The address of a Jupyter server, with a slash at its end and without what is not its address.

    Raises:
        RequestError: It is none.

    Example:
        >>> address("http://localhost:8888/lab/tree/notes.ipynb?token=not-a-real-one")
        'http://localhost:8888/'
    """
    import httpx

    try:
        told = httpx.URL(url)
    except httpx.InvalidURL:
        told = httpx.URL()
    if told.scheme not in ("http", "https") or not told.host:
        raise RequestError(
            f"{url.partition('?')[0]!r} is no address of a server", hint="Write http://127.0.0.1:8888/."
        )
    path = told.path.rstrip("/") + "/"
    page = next((page for page in _PAGES if page in path), None)
    if page is not None:
        path = path.partition(page)[0] + "/"
    return str(told.copy_with(path=path, query=None, fragment=None, username=None, password=None))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
