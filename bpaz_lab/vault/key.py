"""One key of the ring: shows its id and keeps the rest to itself.

Example:
    >>> key = Key(bytes(range(32)))
    >>> key
    Key(630dcd2966c43366)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import Final, NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bpaz_lab.errors import SettingsError
from bpaz_lab.vault.sealing import seal, unseal

SHORTEST: Final = 32


class Key:
    """A key that wraps data keys; it refuses to become text, to be pickled or written as JSON.

    Args:
        secret: At least 32 random bytes.
    """

    __slots__ = ("_secret", "id")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.id = hashlib.sha256(secret).hexdigest()[:16]
        """The first 64 bits of the SHA-256 of the key: names it, and does not give it away."""

    def wrap(self, data_key: bytes, place: str) -> str:
        """A data key, sealed; see `sealing.seal`."""
        return seal(self._wrapping(), self.id, data_key, place)

    def unwrap(self, text: str, place: str) -> bytes:
        """The data key in a sealed text.

        Raises:
            VaultError: Sealed with another key, or for another place.
        """
        return unseal(self._wrapping(), text, place)

    def _wrapping(self) -> bytes:
        # RFC 5869: 32 bytes of a key of any length, of no use for anything but wrapping.
        return HKDF(SHA256(), length=32, salt=None, info=b"bpaz_lab wraps data keys").derive(self._secret)

    def __repr__(self) -> str:
        return f"Key({self.id})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Key cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


def new_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(SHORTEST)


def written(key: bytes) -> str:
    """A key as settings and the key file hold it: base64."""
    return base64.b64encode(key).decode()


def read_keys(text: str, name: str) -> tuple[bytes, ...]:
    """The keys of a setting: base64 (either alphabet) with commas between.

    Args:
        text: The setting's value.
        name: The setting, for the error.

    Raises:
        SettingsError: One is malformed or short. The error shows nothing of it.
    """
    keys = tuple(_read(part, place, name) for place, part in enumerate(text.replace(",", " ").split(), 1))
    if not keys:
        raise _wrong(name, "there is no key in it")
    if len(set(keys)) < len(keys):
        raise _wrong(name, "a key stands in it twice")
    return keys


def _read(text: str, place: int, name: str) -> bytes:
    plain = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise _wrong(name, f"key {place} is not base64") from None
    if len(key) < SHORTEST:
        raise _wrong(name, f"key {place} is shorter than {SHORTEST} bytes")
    if len(set(key)) < SHORTEST // 4:  # 32 random bytes have so few different ones never
        raise _wrong(name, f"key {place} is not random")
    return key


def _wrong(name: str, what: str) -> SettingsError:
    return SettingsError(
        f"BPAZ_{name.upper()}: {what}",
        path=name,
        hint="A key is the base64 of at least 32 random bytes; `bpaz vault key` makes one.",
    )
