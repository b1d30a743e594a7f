"""How a cell asks the laboratory: over HTTP here, or in process (``transport_local``).

Both take the same requests, give the same JSON and raise the same errors, so that nothing above them
knows which one it uses.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx

from bpaz_lab.api.transport_errors import error_of
from bpaz_lab.api.transport_sse import Message, messages
from bpaz_lab.errors import RequestError, ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BASE: Final = "bpaz/api/v1"
"""Where the API lies below the address of the Jupyter server."""
TIMEOUT: Final = httpx.Timeout(30, connect=5)
SILENCE: Final = 60.0
"""Seconds without a sign of life after which a stream counts as cut off; the server gives one every 15."""
ACCESS_HEADER: Final = "X-Bpaz-Authorization"
"""Apart from ``Authorization``, which Jupyter reads as a token of its own."""


class Transport(Protocol):
    """What asks the laboratory. Thread-safe."""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request.

        Args:
            method: ``GET``, ``POST``, ``PUT`` or ``DELETE``.
            path: The path below the API's base, for instance ``workflows/``.
            query: The query; None and empty texts are left out.
            body: What is JSON; None for no body.
            headers: Further headers, for instance ``If-Match``.

        Returns:
            The JSON of the answer; None where there is none, a text where it is no JSON.

        Raises:
            BpazError: What the server raised.
            ServerUnavailable: It cannot be reached.
        """
        ...

    def stream(self, path: str, *, after: str = "") -> Iterator[Message]:
        """The messages of a stream until it ends.

        Args:
            path: The path below the API's base, for instance ``executions/<id>/events``.
            after: The id of the last message that is known already.

        Raises:
            BpazError: What the server raised.
            ServerUnavailable: The stream was cut off; ask for it again ``after`` the last message.
        """
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...


@dataclass
class Bearer(httpx.Auth):
    """Who asks, by what opens the door of Jupyter and what says who one is.

    Attributes:
        door: Jupyter's own token, or JupyterHub's; empty for none.
        access: An access token of bpaz_lab; empty for none.
    """

    door: str = ""
    access: str = ""

    def __repr__(self) -> str:
        return "Bearer(•••)"

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """Adds the headers."""
        if self.door:
            request.headers["Authorization"] = f"token {self.door}"
        if self.access:
            request.headers[ACCESS_HEADER] = f"Bearer {self.access}"
        yield request


class Remote:
    """A laboratory over HTTP.

    Args:
        url: The address of the Jupyter server, such as ``http://127.0.0.1:8888/``.
        auth: Who asks; adds the headers to each request.

    Raises:
        RequestError: The address is none.
    """

    def __init__(self, url: str, auth: httpx.Auth) -> None:
        self.url = _address(url)
        self.auth = auth
        self._client = httpx.Client(
            base_url=self.url.join(BASE + "/"),
            auth=auth,
            timeout=TIMEOUT,
            trust_env=not _is_here(self.url.host),  # a proxy does not lead back to this machine
            transport=httpx.HTTPTransport(retries=1) if _is_here(self.url.host) else None,
        )

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
        """One request; see :class:`Transport`."""
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        told = {"Content-Type": "application/json"} if content else {}
        try:
            answer = self._client.request(
                method, path, params=asked(query), content=content, headers={**told, **(headers or {})}
            )
        except httpx.TransportError as fault:
            raise self._away(fault) from None
        if not answer.is_success:
            raise error_of(answer)
        if not answer.content:
            return None
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def stream(self, path: str, *, after: str = "") -> Iterator[Message]:
        """The messages of a stream until it ends; see :class:`Transport`."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        timeout = httpx.Timeout(SILENCE, connect=5)
        try:
            with self._client.stream("GET", path, headers=headers, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    raise error_of(answer)
                yield from messages(answer.iter_raw())
        except httpx.TransportError as fault:
            raise self._away(fault) from None

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _away(self, fault: httpx.TransportError) -> ServerUnavailable:
        what = "did not answer in time" if isinstance(fault, httpx.TimeoutException) else "cannot be reached"
        told = f": {fault}" if str(fault) else ""
        return ServerUnavailable(
            f"the server at {self.url} {what}{told}",
            hint="Is it running? Restart it, or give another address: bz.connect(url).",
        )


def asked(query: Mapping[str, Any] | None) -> dict[str, str]:
    """A query as text, without what says nothing."""
    told = {name: value for name, value in (query or {}).items() if value is not None and value != ""}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in told.items()
    }


def _address(url: str) -> httpx.URL:
    """The address of the Jupyter server, with a slash at its end and without what is not its address."""
    try:
        told = httpx.URL(url)
    except httpx.InvalidURL:
        told = httpx.URL()
    if told.scheme not in ("http", "https") or not told.host:
        raise RequestError(
            f"{url.partition('?')[0]!r} is no address of a server", hint="Write http://127.0.0.1:8888/."
        )
    path = told.path.rstrip("/")
    for page in ("/lab", "/tree", "/notebooks"):  # what the browser shows
        path = path.partition(page)[0] if page + "/" in path + "/" else path
    return told.copy_with(path=path + "/", query=None, fragment=None, username=None, password=None)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
