"""Masking: every known secret, and every form it is known to travel in, becomes ``•••``.

Example:
    >>> masker = Masker(["open sesame"])
    >>> masker.text("GET /?key=open%20sesame")
    'GET /?key=•••'
    >>> stream = masker.stream()
    >>> stream.feed("say open ses"), stream.feed("ame!"), stream.flush()
    ('say ', '•••!', '')
"""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from bpaz_lab.guard.secret import MASK, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST: Final = 4


class Masker:
    """Masks known secrets in text and in JSON-like values. Safe to share between threads.

    Secrets shorter than four characters are not masked: they would blot out ordinary words, and
    no provider hands out keys that short.

    Args:
        secrets: The secrets to mask.
    """

    def __init__(self, secrets: Iterable[str | Secret] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: tuple[str, ...] = ()
        for secret in secrets:
            self.add(secret)

    @property
    def forms(self) -> tuple[str, ...]:
        """Every text that is masked."""
        return self._forms

    def add(self, secret: str | Secret) -> None:
        """Mask this secret too, from now on and in streams already open."""
        value = secret.reveal() if isinstance(secret, Secret) else secret
        if len(value) < SHORTEST:
            return
        with self._lock:
            self._forms = tuple({*self._forms, *forms_of(value)})

    def text(self, text: str) -> str:
        """The text with every form of every secret masked."""
        return _masked(text, _spans(text, self._forms))

    def value(self, value: Any) -> Any:
        """A JSON-like value with its strings, keys and numbers masked; other objects stay as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Secret):
            return MASK
        if isinstance(value, dict):
            masked: dict[Any, Any] = {}
            for key, item in value.items():
                name = self.value(key) if isinstance(key, str | int | float) else key
                while name in masked:
                    name = f"{name}•"
                masked[name] = self.value(item)
            return masked
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, int | float) and _spans(str(value), self._forms):
            return self.text(str(value))
        return value

    def stream(self) -> MaskStream:
        """A masker for one text that comes in pieces."""
        return MaskStream(self)


class MaskStream:
    """Masks a text that comes in pieces; the pieces together equal ``masker.text`` of the whole.

    It holds back only what may be the beginning of a secret.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = ""

    def feed(self, chunk: str) -> str:
        """Take the next piece and give what can be shown by now."""
        text = self._held + chunk
        forms = self._masker.forms
        spans = _spans(text, forms)
        cut = _pending(text, forms)
        # What was found may overlap with what is still coming.
        cut = next((start for start, end in spans if start < cut < end), cut)
        self._held = text[cut:]
        return _masked(text[:cut], [span for span in spans if span[1] <= cut])

    def flush(self) -> str:
        """Give the rest: the text has ended."""
        rest, self._held = self._held, ""
        return self._masker.text(rest)


def forms_of(secret: str) -> set[str]:
    """The forms a secret travels in: plain, URL-encoded, base64, hex and JSON-escaped.

    Base64 knows the standard and the URL-safe alphabet and all three alignments, so that a secret
    inside a longer encoded text (``user:key`` of basic authentication) is found as well.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    urls = {quote(raw, safe) for safe in ("", "/", "!'()*", "!#$&'()*+,/:;=?@")} | {quote_plus(raw)}
    escaped = json.dumps(secret)[1:-1]
    return {
        secret,
        *urls,
        *(re.sub("%..", lambda found: found.group().lower(), url) for url in urls),
        escaped,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        escaped.replace("/", "\\/"),
        raw.hex(),
        raw.hex().upper(),
        *_base64_forms(raw),
    }


def _base64_forms(raw: bytes) -> set[str]:
    forms = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        alone = encode(raw).decode()
        forms |= {alone, alone.rstrip("=")}
        for offset in range(3):
            # Keep the characters whose six bits all come from the secret.
            first = -(-8 * offset // 6)
            last = 8 * (offset + len(raw)) // 6
            forms.add(encode(bytes(offset) + raw).decode()[first:last])
    return forms


def _spans(text: str, forms: Iterable[str]) -> list[tuple[int, int]]:
    """Where forms stand in the text, overlapping ones joined, from left to right."""
    found: list[tuple[int, int]] = []
    for form in forms:
        start = text.find(form)
        while start != -1:
            found.append((start, start + len(form)))
            start = text.find(form, start + 1)
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], MASK]
        done = end
    return "".join(parts) + text[done:]


def _pending(text: str, forms: Iterable[str]) -> int:
    """Where the text may begin a form that is not complete yet; its length if nowhere."""
    earliest = len(text)
    for form in forms:
        start = text.find(form[0], max(0, len(text) - len(form) + 1), earliest)
        while start != -1:
            if form.startswith(text[start:]):
                earliest = start
                break
            start = text.find(form[0], start + 1, earliest)
    return earliest
