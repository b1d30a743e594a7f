"""How a cell asks the laboratory: over HTTP (``transport_remote``) or in process (``transport_local``).

Both take the same requests, give the same JSON and raise the same errors, so that nothing above them
knows which one it uses.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bpaz_lab.api.transport.sse import Message
    from bpaz_lab.engine.steps import Steps


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
            InputError: The body is no JSON.
            ServerUnavailable: The server cannot be reached.
        """
        ...

    def send(
        self, method: str, path: str, data: bytes | None = None, *, query: Mapping[str, Any] | None = None
    ) -> bytes:
        """One request whose body and answer are bytes.

        Args:
            method: ``GET``, ``POST`` or ``PUT``.
            path: The path below the API's base.
            data: The body; None for none.
            query: The query; None and empty texts are left out.

        Raises:
            BpazError: What the server raised.
            ServerUnavailable: The server cannot be reached.
        """
        ...

    def steps(self, execution_id: str, epoch: int) -> Steps:
        """The ledger of an execution.

        Args:
            execution_id: The execution, with or without dashes.
            epoch: The lease under which it is written; 0 to read alone.
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
        """Lets go of connections; the next request opens them again."""
        ...


def asked(query: Mapping[str, Any] | None) -> dict[str, str]:
    """A query as text, without what says nothing.

    Example:
        >>> asked({"limit": 5, "cursor": "", "is_public": True})
        {'limit': '5', 'is_public': 'true'}
    """
    told = {name: value for name, value in (query or {}).items() if value is not None and value != ""}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in told.items()
    }


def written(body: Any) -> bytes | None:
    """A body as it is sent; None for none.

    Raises:
        InputError: It is no JSON, for instance since a table or a model is in it.
    """
    try:
        return None if body is None else json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(
            f"what is sent to the laboratory must be JSON: {error}",
            hint="Give texts, numbers, lists and dicts; wf.run(...) takes any object, since it runs here.",
        ) from None
