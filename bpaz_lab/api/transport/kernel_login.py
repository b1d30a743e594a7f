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
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.accounts.capability import proof
from bpaz_lab.api.transport.remote import ACCESS, Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SERVER_URL: Final = "BPAZ_SERVER_URL"
EARLY: Final = 60.0
"""Seconds before its end that a token is renewed."""


@dataclass(frozen=True)
class Kernel:
    """This kernel: its id, and the key of its connection file."""

    id: str
    key: bytes = field(repr=False)


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
    """The server that this kernel belongs to, signed in to at the first request; None without one.

    The same for the whole process, so that it signs in once.
    """
    url, kernel = os.environ.get(SERVER_URL, ""), this_kernel()
    return _server(url, kernel, os.getpid()) if url and kernel else None


@lru_cache(4)
def _server(url: str, kernel: Kernel, _process: int) -> Remote:
    return Remote(url, KernelLogin(kernel))


class KernelLogin:
    """Says which kernel asks; see :class:`~bpaz_lab.api.transport.remote.Login`.

    Args:
        kernel: This kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def __repr__(self) -> str:
        return f"KernelLogin({self._kernel.id!r})"

    def headers(self, ask: Callable[..., Any]) -> dict[str, str]:
        """The token, got anew where it ends soon.

        Raises:
            Unauthenticated: The server does not know this kernel.
        """
        with self._lock:
            if not self._token or time.monotonic() > self._until:
                id = self._kernel.id
                nonce = ask("kernel/challenge", {"kernel_id": id})["nonce"]
                answer = {"kernel_id": id, "nonce": nonce, "proof": proof(self._kernel.key, id, nonce)}
                told = ask("kernel/capability", answer)
                lasts = float(told["expires_in"])
                self._token, self._until = told["token"], time.monotonic() + max(lasts - EARLY, lasts / 2)
            return {ACCESS: f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forgets a token that was refused: a server that was restarted knows it no longer."""
        with self._lock:
            if refused.get(ACCESS) == f"Bearer {self._token}":
                self._token = ""
        return True
