"""Secrets: a value that does not become text by accident, and how to spot one that did.

Example:
    >>> key = Secret("not-a-real-key")
    >>> key
    Secret(•••)
    >>> key.reveal()
    'not-a-real-key'
    >>> is_reference({"$cred": "openai"})
    True
"""

from __future__ import annotations

import hmac
import re
from typing import Any, Final, NoReturn, TypeGuard

MASK: Final = "•••"
REFERENCE_KEY: Final = "$cred"


class Secret:
    """A secret value that refuses to be printed, formatted, pickled or written as JSON.

    ``repr`` shows ``Secret(•••)``; ``str``, f-strings and pickle raise ``TypeError``, so that a
    secret reaches a header or a file only where the code says ``reveal()``.

    Args:
        value: The secret itself.

    Raises:
        TypeError: The value is not a string.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"a secret is a string, not a {type(value).__name__}")
        self._value = value

    def reveal(self) -> str:
        """The value, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> NoReturn:
        raise TypeError("a Secret does not become text; call reveal() where its value is needed")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled; resolve the credential again where it is needed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        return self

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, so that timing tells nothing about the value."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self._value), _bytes(other._value))

    def __hash__(self) -> int:
        return hash(self._value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def is_reference(value: Any) -> TypeGuard[dict[str, str]]:
    """Whether a value is ``{"$cred": "<name>"}``, the only form of a secret in a document."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and isinstance(value.get(REFERENCE_KEY), str)
        and bool(value[REFERENCE_KEY])
    )


KEY_SHAPES: Final[dict[str, str]] = {
    "OpenAI, Anthropic and their like": r"sk-(?:[A-Za-z0-9]{20}|(?=[\w-]{0,19}\d)[\w-]{20})",
    "Stripe": r"[sr]k_(?:live|test)_[A-Za-z0-9]{16}",
    "Google": r"AIza[\w-]{30}",
    "GitHub": r"gh[pousr]_[A-Za-z0-9]{30}|github_pat_\w{22}",
    "GitLab": r"glpat-[\w-]{20}",
    "Slack": r"xox[abeoprs]-[\w-]{10}",
    "Hugging Face": r"hf_[A-Za-z0-9]{30}",
    "Tavily": r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{16}",
    "Pinecone": r"pcsk_\w{20}",
    "Groq": r"gsk_[A-Za-z0-9]{20}",
    "AWS": r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    "a JSON web token": r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
}
"""Whose key it is, and the shape that the provider's own documentation or key scanners give it."""

_ANY_KEY: Final = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(KEY_SHAPES.values())})")


def looks_like_secret(text: str) -> bool:
    """Whether a text holds something shaped like a well-known provider's key.

    A heuristic: it refuses keys pasted into a document, it does not prove that there are none.
    """
    return _ANY_KEY.search(text) is not None
