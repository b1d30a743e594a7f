"""Tokens: who holds an access token is the person for half an hour; a refresh token gives the next one.

The access token is a JWT of one algorithm (HMAC-SHA-256), with every claim required and none besides
(RFC 8725, "JSON Web Token Best Current Practices"). It names the login that it belongs to, which is looked
up at each request, so that signing out ends it at once. A refresh token means nothing to whom it is shown:
it names its login, and 256 bits that nobody can guess; only its SHA-256 is kept. It needs no slow hash,
because there is nothing to guess at.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import jwt

from bpaz_lab.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.settings import Settings

ALGORITHM: Final = "HS256"
ISSUER: Final = "bpaz_lab"
AUDIENCE: Final = "bpaz_lab/api"
CLAIMS: Final = frozenset({"iss", "aud", "sub", "sid", "jti", "iat", "exp"})
HEADERS: Final = frozenset({"alg", "kid", "typ"})
SKEW: Final = 5
"""Seconds that the clocks of servers may differ."""
LONGEST: Final = 2000
"""Characters of a token that are looked at."""


@dataclass(frozen=True)
class Claims:
    """What an access token says.

    Attributes:
        user_id: The person.
        session_id: The login.
        token_id: The token.
        expires: When it ends, in seconds since 1970.
    """

    user_id: UUID
    session_id: UUID
    token_id: str
    expires: int


class Tokens:
    """Signs and checks tokens.

    Args:
        keys: The keys, each at least 32 bytes. The first signs; all are accepted, so that a new one can be
            put before the old one without signing anybody out.
        settings: How long tokens hold.
    """

    def __init__(self, keys: Sequence[bytes], settings: Settings) -> None:
        self._keys = {_key_id(key): key for key in keys}
        self._first = keys[0]
        self.lifetime = settings.access_token_minutes * 60

    def issue(self, user_id: UUID, session_id: UUID, *, now: float | None = None) -> str:
        """An access token for a login of a person.

        Args:
            user_id: The person.
            session_id: The login.
            now: Seconds since 1970; the clock where it is left out.
        """
        begun = int(time.time() if now is None else now)
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(user_id), "sid": str(session_id),
                  "jti": uuid4().hex, "iat": begun, "exp": begun + self.lifetime}  # fmt: skip
        return jwt.encode(claims, self._first, algorithm=ALGORITHM, headers={"kid": _key_id(self._first)})

    def read(self, token: str) -> Claims:
        """What an access token says, if it is a good one.

        Raises:
            Unauthenticated: It is none, not of this installation, or no longer good.
        """
        try:
            claims = self._decoded(token)
            return Claims(UUID(claims["sub"]), UUID(claims["sid"]), str(claims["jti"]), int(claims["exp"]))
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the access token has ended", hint="Refresh it.") from None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
            raise Unauthenticated("the access token is not valid", hint="Sign in again.") from None

    def _decoded(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST:
            raise ValueError(len(token))
        header = jwt.get_unverified_header(token)
        if header.keys() - HEADERS:
            raise ValueError(sorted(header))
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys[header["kid"]],
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=SKEW,
            options={"require": sorted(CLAIMS)},
        )
        if claims.keys() != CLAIMS or claims["aud"] != AUDIENCE:
            raise ValueError(sorted(claims))
        return claims

    def refresh_token(self, session_id: UUID) -> str:
        """The first refresh token of a login."""
        return f"{session_id.hex}.{secrets.token_urlsafe(32)}"

    def next_refresh_token(self, token: str) -> str:
        """The refresh token that follows another one.

        It is made of the one before and of the key: whoever asks twice, because two tabs wake up together or
        an answer got lost, is told the same one. Without the key it cannot be told from a random one.
        """
        digest = hmac.digest(self._first, b"bpaz-refresh|" + token.encode(), "sha256")
        return f"{token.partition('.')[0]}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def session_of(refresh_token: str) -> UUID | None:
    """The login that a refresh token names; None where it does not look like one."""
    named, _, secret = refresh_token.partition(".")
    if len(named) != 32 or len(secret) != 43:
        return None
    try:
        return UUID(hex=named)
    except ValueError:
        return None


def hashed(token: str) -> str:
    """What is kept of a refresh token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:16]
