"""How this kernel signs in at the Jupyter server that started it, without asking anybody.

The server tells its address in ``BPAZ_SERVER_URL``. Which kernel this is, and a key that only this kernel
and its server know, stand in the kernel's connection file. The key never travels: it answers a challenge,
and the kernel gets a token for ten minutes (see ``accounts/capability.py``).
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from bpaz_lab.accounts.capability import proof
from bpaz_lab.api.transport import ACCESS_HEADER, BASE, Remote
from bpaz_lab.api.transport_errors import error_of

if TYPE_CHECKING:
    from collections.abc import Generator

SERVER_URL: Final = "BPAZ_SERVER_URL"
EARLY: Final = 60.0
"""Seconds before its end that a token is renewed."""


@dataclass(frozen=True)
class Kernel:
    """This kernel: its id, and the key of its connection file."""

    id: str
    key: bytes

    def __repr__(self) -> str:
        return f"Kernel({self.id!r})"


def this_kernel() -> Kernel | None:
    """This process as a kernel of Jupyter; None where it is none."""
    if "ipykernel" not in sys.modules:
        return None
    from ipykernel.connect import get_connection_file

    try:
        file = Path(get_connection_file())
        key = str(json.loads(file.read_text(encoding="utf-8"))["key"])
    except (RuntimeError, OSError, ValueError, KeyError):  # ipykernel is loaded, and this is no kernel
        return None
    id = file.stem.removeprefix("kernel-")
    return Kernel(id, key.encode()) if key and id != file.stem else None


def own_server() -> Remote | None:
    """The server that this kernel belongs to, signed in to on the first request; None without one.

    The same for the whole process, so that it signs in once.
    """
    url, kernel = os.environ.get(SERVER_URL, ""), this_kernel()
    return _server(url, kernel) if url and kernel else None


@lru_cache(4)
def _server(url: str, kernel: Kernel) -> Remote:
    return Remote(url, KernelLogin(url, kernel))


class KernelLogin(httpx.Auth):
    """Signs requests with this kernel's token, and renews that before it ends or when it is refused.

    Args:
        url: The address of the server.
        kernel: This kernel.
    """

    def __init__(self, url: str, kernel: Kernel) -> None:
        self._base = url.rstrip("/") + f"/{BASE}/kernel/"
        self._kernel = kernel
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def __repr__(self) -> str:
        return f"KernelLogin({self._kernel.id!r})"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Adds the token; where the server does not know it (any more), proves the kernel once again."""
        token = yield from self._current(refused="")
        request.headers[ACCESS_HEADER] = f"Bearer {token}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            token = yield from self._current(refused=token)
            request.headers[ACCESS_HEADER] = f"Bearer {token}"
            yield request

    def _current(self, *, refused: str) -> Generator[httpx.Request, httpx.Response, str]:
        with self._lock:
            if self._token in ("", refused) or time.monotonic() > self._until:
                id = self._kernel.id
                nonce = (yield from self._ask("challenge", kernel_id=id))["nonce"]
                answer = proof(self._kernel.key, id, nonce)
                told = yield from self._ask("capability", kernel_id=id, nonce=nonce, proof=answer)
                lasts = float(told["expires_in"])
                self._token = told["token"]
                self._until = time.monotonic() + max(lasts - EARLY, lasts / 2)
            return self._token

    def _ask(self, what: str, **body: str) -> Generator[httpx.Request, httpx.Response, dict[str, str]]:
        answer = yield httpx.Request("POST", self._base + what, json=body)
        answer.read()
        if not answer.is_success:
            raise error_of(answer)
        told: dict[str, str] = answer.json()
        return told
