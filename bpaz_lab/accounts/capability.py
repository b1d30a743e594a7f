"""How a kernel proves to its server which kernel it is, and what it gets for that.

Only a kernel and the server that started it know the key in the kernel's connection file. The server
gives a challenge, the kernel answers with its HMAC, and gets a capability: a random token, good for ten
minutes, bound to that kernel and to the person whom the kernel belongs to. It lives in the memory of
the server, as the kernels do; only its hash is kept.

Example:
    >>> from uuid import uuid4
    >>> granted, owner = Capabilities(), uuid4()
    >>> nonce = granted.challenge("k1")
    >>> token = granted.grant("k1", nonce, proof(b"key", "k1", nonce), key=b"key", owner=owner)
    >>> granted.check(token).kernel_id
    'k1'
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bpaz_lab.errors import Throttled, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

LIFETIME: Final = 600.0
"""Seconds that a capability holds; the kernel proves itself again before."""
PATIENCE: Final = 30.0
"""Seconds in which a challenge must be answered."""
MOST: Final = 1000
"""Challenges that wait for an answer at a time: anybody may ask for one."""
PREFIX: Final = "bpaz-kernel-"
"""What a capability begins with, so that it is never taken for an access token."""


@dataclass(frozen=True)
class Grant:
    """What a capability stands for."""

    kernel_id: str
    owner: UUID
    expires: float


def proof(key: bytes, kernel_id: str, nonce: str) -> str:
    """The answer to a challenge: HMAC-SHA-256, in hexadecimal."""
    return hmac.new(key, f"bpaz-kernel|{kernel_id}|{nonce}".encode(), hashlib.sha256).hexdigest()


class Capabilities:
    """The challenges and capabilities of one server.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._challenges: dict[str, tuple[str, float]] = {}
        self._grants: dict[str, Grant] = {}

    def challenge(self, kernel_id: str) -> str:
        """A challenge for a kernel, to be answered once and within half a minute.

        Raises:
            Throttled: Too many challenges wait for an answer.
        """
        now = self._clock()
        self._challenges = {nonce: each for nonce, each in self._challenges.items() if each[1] > now}
        if len(self._challenges) >= MOST:
            raise Throttled("too many kernels sign in at once", hint="Try again.", retry_after=PATIENCE)
        nonce = secrets.token_urlsafe(32)
        self._challenges[nonce] = kernel_id, now + PATIENCE
        return nonce

    def grant(self, kernel_id: str, nonce: str, answer: str, *, key: bytes | None, owner: UUID | None) -> str:
        """A capability for a kernel that has answered its challenge.

        Args:
            kernel_id: The kernel.
            nonce: The challenge.
            answer: The kernel's ``proof``.
            key: The key of the kernel's connection file; None for a kernel that is not there.
            owner: Whom the kernel belongs to; None where nobody knows.

        Raises:
            Unauthenticated: The challenge is not this kernel's or too old, or the answer is wrong.
        """
        asked, until = self._challenges.pop(nonce, ("", 0.0))
        right = hmac.compare_digest(proof(key or secrets.token_bytes(32), kernel_id, nonce).encode(),
                                    answer.encode("utf-8", "replace"))  # fmt: skip
        if not (right and key and asked == kernel_id and self._clock() < until):
            raise Unauthenticated(
                "the kernel could not prove itself", hint="Restart the kernel, or connect with a token."
            )
        if owner is None:
            raise Unauthenticated(
                "nobody is known to own this kernel", hint="Sign in: bz.connect(url, token=...)."
            )
        now = self._clock()
        self._grants = {name: each for name, each in self._grants.items() if each.expires > now}
        token = PREFIX + secrets.token_urlsafe(32)
        self._grants[_hashed(token)] = Grant(kernel_id, owner, now + LIFETIME)
        return token

    def check(self, token: str) -> Grant:
        """What a capability stands for.

        Raises:
            Unauthenticated: It is none, or no longer.
        """
        grant = self._grants.get(_hashed(token))
        if grant is None or self._clock() >= grant.expires:
            raise Unauthenticated("the kernel's capability has ended", hint="Prove the kernel again.")
        return grant

    def revoke(self, kernel_id: str) -> None:
        """Ends every capability of a kernel, for instance because it has died."""
        self._grants = {name: each for name, each in self._grants.items() if each.kernel_id != kernel_id}


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
