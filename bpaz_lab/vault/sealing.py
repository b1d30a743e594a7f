"""Sealing bytes with AES-256-GCM, in the one text form that the vault writes.

``v1.<name of the key>.<nonce>.<ciphertext>``, the last two in base64url without padding. The nonce is 96
random bits (NIST SP 800-38D, 8.2.2); a key seals a person's few secrets, far from the 2^32 messages that
such nonces allow. What stands before the nonce is authenticated together with the place that the caller
names, so a sealed text opens in no other place, and no letter of it can be changed.

Example:
    >>> key = bytes(range(32))
    >>> text = seal(key, "k1", b"hello", "a place")
    >>> text.split(".")[:2]
    ['v1', 'k1']
    >>> unseal(key, text, "a place")
    b'hello'
    >>> unseal(key, text, "another place")
    Traceback (most recent call last):
    bpaz_lab.errors.VaultError: the secret cannot be unlocked
      hint: What is stored was changed or belongs elsewhere. Enter the secret again.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bpaz_lab.errors import VaultError

VERSION: Final = "v1"
_NONCE: Final = 12


def broken() -> VaultError:
    """The one answer to whatever does not unlock: it tells nothing about why."""
    return VaultError(
        "the secret cannot be unlocked",
        hint="What is stored was changed or belongs elsewhere. Enter the secret again.",
    )


def seal(key: bytes, name: str, content: bytes, place: str) -> str:
    """Seals some bytes.

    Args:
        key: 32 bytes.
        name: What the key is called; stands in the text, to find the key by.
        content: What to seal.
        place: Where the text will stand; it opens nowhere else.
    """
    nonce = secrets.token_bytes(_NONCE)
    head = f"{VERSION}.{name}"
    sealed = AESGCM(key).encrypt(nonce, content, f"{head}|{place}".encode())
    return f"{head}.{_text(nonce)}.{_text(sealed)}"


def unseal(key: bytes, text: str, place: str) -> bytes:
    """Opens what `seal` made.

    Raises:
        VaultError: Another key, another place, or not what was sealed.
    """
    name, nonce, sealed = _parts(text)
    try:
        return AESGCM(key).decrypt(nonce, sealed, f"{VERSION}.{name}|{place}".encode())
    except InvalidTag:
        raise broken() from None


def key_name(text: str) -> str:
    """The name of the key that a text was sealed with.

    Raises:
        VaultError: It is no sealed text.
    """
    return _parts(text)[0]


def _parts(text: str) -> tuple[str, bytes, bytes]:
    parts = text.split(".")
    if len(parts) != 4 or parts[0] != VERSION or not parts[1]:
        raise broken()
    nonce, sealed = _bytes(parts[2]), _bytes(parts[3])
    if len(nonce) != _NONCE:
        raise broken()
    return parts[1], nonce, sealed


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise broken() from None
    if _text(content) != text:  # several spellings would decode to the same bytes
        raise broken()
    return content
