"""Who makes a request.

Jupyter's own identity opens the door. Behind it, in the profile ``local``, the person is the owner of
the server; in ``shared`` the access token in ``X-Bpaz-Authorization`` says who. A kernel has no Jupyter
token: its capability, which only the process with the connection file's key can get, opens the door too.
The header ``Authorization`` belongs to Jupyter and is not looked at here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpaz_lab.errors import Unauthenticated

if TYPE_CHECKING:
    from bpaz_lab.services.lab import Lab
    from bpaz_lab.store.caller import Caller

HEADER: Final = "X-Bpaz-Authorization"
CLIENT: Final = "X-Bpaz-Client"
"""What a program sends that is no browser; see ``handlers.py`` on XSRF."""
_SCHEME: Final = "bearer "


def let_in(known: object, header: str) -> None:
    """Demands that Jupyter knows who asks, or that a kernel does.

    Args:
        known: Jupyter's user; None for nobody.
        header: The value of ``X-Bpaz-Authorization``; empty without it.

    Raises:
        Unauthenticated: Neither is so.
    """
    if known is None and not _is_capability(_token(header)):
        raise Unauthenticated(
            "Jupyter does not know who asks",
            hint="Log in to Jupyter, or send its token: 'Authorization: token …'.",
        )


async def identify(lab: Lab, header: str, *, request_id: str, address: str) -> Caller:
    """The person who asks, or the kernel that asks on a person's behalf.

    Args:
        lab: The laboratory.
        header: The value of ``X-Bpaz-Authorization``; empty without it.
        request_id: The request, as the logs name it.
        address: Where the request came from.

    Raises:
        Unauthenticated: A token is given, and it is not good, or no longer.
        StoreError: The database cannot be asked.
    """
    from bpaz_lab.services import identities
    from bpaz_lab.store.caller import Caller

    await lab.ready()
    token = _token(header)
    if _is_capability(token):
        grant = lab.capabilities.check(token)
        return await identities.on_behalf(
            lab, grant.owner, grant.kernel_id, request_id=request_id, address=address
        )
    if header:
        return await identities.authenticate(lab, token, request_id=request_id, address=address)
    if lab.settings.profile == "local":
        return await identities.owner(lab, request_id=request_id, address=address)
    return Caller(request_id=request_id, address=address)


def _token(header: str) -> str:
    return header[len(_SCHEME) :].strip() if header.lower().startswith(_SCHEME) else ""


def _is_capability(token: str) -> bool:
    from bpaz_lab.accounts.capability import PREFIX

    return token.startswith(PREFIX)
