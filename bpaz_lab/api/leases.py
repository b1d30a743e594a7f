"""Credentials that the server lends to one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.guard.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.api.transport import Transport


class Leases:
    """Credentials by name; see ``guard.credentials.Resolver``.

    The server checks the host before it unlocks a secret, and writes each lease down. What it lent once, it
    need not lend again to the same run.

    Args:
        server: Who lends them.
        execution_id: The execution that they are lent to.
    """

    def __init__(self, server: Transport, execution_id: str) -> None:
        self._server = server
        self._execution_id = execution_id
        self._lent: dict[tuple[str, tuple[str, ...], str | None], Secret] = {}

    def resolve(self, name: str, *, kinds: Sequence[str], host: str | None) -> Secret:
        """The secret of a credential.

        Raises:
            NotFound: The server keeps none of that name.
            Forbidden: It may not be sent to this host, or is of another kind.
            ServerUnavailable: The server is away.
        """
        key = name, tuple(kinds), host
        if key not in self._lent:
            asked = {"name": name, "kinds": list(kinds), "host": host, "execution_id": self._execution_id}
            self._lent[key] = Secret(self._server.call("POST", "credentials/lease", body=asked)["value"])
        return self._lent[key]
