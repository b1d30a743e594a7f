"""How one signs in at a laboratory that is not this kernel's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.transport.remote import ACCESS, Bearer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bpaz_lab.api.transport.remote import Login, Remote


def login_of(url: str, token: str) -> Bearer:
    """Who asks, by a token, or by the one in the address that Jupyter prints.

    An access token of bpaz_lab is a JSON web token, which has two dots; one of Jupyter has none.
    """
    import httpx

    door = httpx.URL(url).params.get("token", "")
    if token.count(".") == 2:
        return Bearer(door, token)
    return Bearer(token or door)


class SignIn:
    """Who asks, by email and password: an access token, renewed while the login lasts.

    Args:
        door: What opens the door of Jupyter.
        access: The access token.
    """

    def __init__(self, door: Login, access: str) -> None:
        self.door = door
        self._access = access
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "SignIn(•••)"

    @classmethod
    def at(cls, remote: Remote, email: str, password: str) -> SignIn:
        """Signs in.

        Raises:
            Unauthenticated: Email or password is wrong.
            Throttled: It was tried too often.
        """
        door = remote.login.door if isinstance(remote.login, SignIn) else remote.login
        told = {"email": email, "password": password}
        return cls(door, str(remote.ask("auth/signin", told, _only_door(door, remote.ask))["access_token"]))

    def headers(self, ask: Callable[..., Any]) -> dict[str, str]:
        """The headers of a request; an access token that was refused is renewed first.

        Raises:
            Unauthenticated: The login has ended.
        """
        door = _only_door(self.door, ask)
        with self._lock:
            if not self._access:  # the cookie of the login goes along by itself
                self._access = str(ask("auth/refresh", None, door)["access_token"])
            return {**door, ACCESS: f"Bearer {self._access}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forgets an access token that was refused."""
        with self._lock:
            if refused.get(ACCESS) == f"Bearer {self._access}":
                self._access = ""
        return True


def _only_door(login: Login, ask: Callable[..., Any]) -> dict[str, str]:
    return {name: value for name, value in login.headers(ask).items() if name != ACCESS}
