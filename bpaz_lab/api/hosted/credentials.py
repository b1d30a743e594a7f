"""Credentials that are kept in the laboratory, lent to one run.

A node names a credential; the server, or the store on this machine where there is no server, checks that
it may go to the host that the node calls, and lends its value. A run that needs none asks nobody.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import (
    CredentialError,
    NotFound,
    ServerUnavailable,
    SettingsError,
    StoreError,
    Unauthenticated,
    VaultError,
)
from bpaz_lab.guard.credentials import Chain
from bpaz_lab.guard.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.api.transport.remote import Remote
    from bpaz_lab.api.transport.transport import Transport
    from bpaz_lab.guard.credentials import Resolver

PATIENCE: Final = 5.0
"""Seconds that a node waits for the server to lend a credential."""


def resolver(execution_id: str = "") -> Resolver:
    """Where a run gets its credentials: the laboratory first, then the environment.

    Args:
        execution_id: The execution that the run is, where the laboratory knows it.
    """
    return Chain(Lent(execution_id))


class Lent:
    """The credentials of one run that the laboratory lends; see ``guard.credentials.Resolver``.

    Args:
        execution_id: The execution that the run is, where the laboratory knows it.
        transport: What asks the laboratory; found out at the first credential by default.
    """

    def __init__(self, execution_id: str = "", transport: Transport | None = None) -> None:
        self._execution_id = execution_id
        self._transport = transport
        self._lent: dict[tuple[Any, ...], Secret] = {}

    def resolve(self, name: str, *, kinds: Sequence[str], host: str | None) -> Secret:
        """The secret of a credential.

        Raises:
            NotFound: The laboratory has none of that name, there is no laboratory, or it is away, which is
                a warning too.
            Forbidden: It may not be sent to this host, or is of another kind.
            CredentialError: It is there, and cannot be unlocked.
        """
        key = (name, tuple(kinds), host)
        if key not in self._lent:
            self._lent[key] = Secret(self._lease(name, list(kinds), host))
        return self._lent[key]

    def _lease(self, name: str, kinds: list[str], host: str | None) -> str:
        body = {"name": name, "kinds": kinds, "host": host}
        if self._execution_id:
            body["execution_id"] = self._execution_id
        try:
            transport = self._transport or _laboratory()
            if transport is None:
                raise NotFound(f"there is no laboratory that keeps the credential {name!r}")
            return str(transport.call("POST", "credentials/lease", body=body)["value"])
        except VaultError as error:
            raise CredentialError(error.message, hint=error.hint) from None
        except (ServerUnavailable, StoreError, SettingsError, Unauthenticated) as error:
            message = f"the credential {name!r} is looked for in the environment alone: {error.message}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            raise NotFound(message) from None


def _laboratory() -> Transport | None:
    """The server of this kernel, else the store on this machine; None where nothing is kept."""
    from bpaz_lab.api.transport.kernel_login import own_server

    if (server := own_server()) is not None:
        return _quick(server)
    from bpaz_lab.api.transport.local import is_there, local
    from bpaz_lab.settings import Settings

    settings = Settings.read()
    return local(settings) if settings.profile == "local" and is_there(settings) else None


@lru_cache(4)
def _quick(server: Remote) -> Remote:
    """The same server, asked with less patience."""
    from bpaz_lab.api.transport.remote import Remote

    return Remote(server.url, server.login, patience=PATIENCE)
