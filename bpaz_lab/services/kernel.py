"""How a kernel signs in at the server that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from bpaz_lab.accounts.capability import LIFETIME
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.route import Model, route

if TYPE_CHECKING:
    from uuid import UUID


class Kernels(Protocol):
    """What the server knows of its kernels."""

    def key(self, kernel_id: str) -> bytes | None:
        """The key of a kernel's connection file; None where there is no such kernel."""

    async def owner(self, kernel_id: str) -> UUID | None:
        """Whom a kernel belongs to; None where nobody knows."""


class Challenge(Model):
    """Which kernel wants to sign in."""

    kernel_id: str = Field(min_length=1, max_length=100)


class Challenged(Model):
    """What the kernel has to answer."""

    nonce: str


class Proof(Challenge):
    """The kernel's answer."""

    nonce: str = Field(max_length=200)
    proof: str = Field(max_length=200)


class Capability(Model):
    """What the kernel sends as ``X-Bpaz-Authorization: Bearer <token>``."""

    token: str
    expires_in: float = Field(description="Seconds.")


@route("POST", "kernel/challenge", access="public")
async def challenge_kernel(call: Call, body: Challenge) -> Challenged:
    """Begin to sign a kernel in: a challenge that only the kernel itself can answer."""
    return Challenged(nonce=call.lab.capabilities.challenge(body.kernel_id))


@route("POST", "kernel/capability", access="public")
async def grant_capability(call: Call, body: Proof) -> Capability:
    """Sign a kernel in: its answer to the challenge for a capability of ten minutes."""
    kernels = call.lab.kernels
    key = kernels.key(body.kernel_id) if kernels else None
    owner = await kernels.owner(body.kernel_id) if kernels and key else None
    token = call.lab.capabilities.grant(body.kernel_id, body.nonce, body.proof, key=key, owner=owner)
    return Capability(token=token, expires_in=LIFETIME)
