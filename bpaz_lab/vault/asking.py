"""Asking a provider whether it takes a key: one small request through the guarded client.

Redirects are not followed, for a key goes where it was meant to go and nowhere else. What the provider
says is shown in its own words, but for secrets: some print the key that they refuse, whole or in part.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bpaz_lab.errors import EgressRefused
from bpaz_lab.guard.emit import quiet_loggers
from bpaz_lab.guard.http import async_client
from bpaz_lab.guard.secret import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.guard.egress import EgressPolicy
    from bpaz_lab.guard.mask import Masker

LONGEST: Final = 300
"""Characters of a provider's words that are shown."""

_HALF_SHOWN: Final = re.compile(r"[\w-]*(?:\*{2,}|\.{4,}|…)[\w-]*")
_SAYING: Final = ("message", "error_description", "error", "detail", "reason", "title", "status")


@dataclass(frozen=True)
class Question:
    """The smallest request that tells whether a key is taken."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


class Reply(NamedTuple):
    """What came back."""

    status: int
    text: str


class Unreached(Exception):
    """There was no reply; says why."""


async def ask(question: Question, egress: EgressPolicy) -> Reply:
    """Asks once.

    Raises:
        Unreached: No reply came, or the request may not be made.
    """
    import httpx

    host = httpx.URL(question.url).host
    headers = {"user-agent": "bpaz_lab", "accept": "application/json", **question.headers}
    try:
        with quiet_loggers():
            async with async_client(egress, follow_redirects=False, timeout=egress.max_seconds) as client:
                reply = await client.request(
                    question.method, question.url, params=dict(question.query) or None, headers=headers
                )
    except EgressRefused as refused:
        raise Unreached(f"{refused.message}") from None
    except (UnicodeEncodeError, httpx.LocalProtocolError):
        raise Unreached("it holds a character that no key holds") from None
    except httpx.TimeoutException:
        raise Unreached(f"{host} did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Unreached(f"{host} cannot be reached") from None
    return Reply(reply.status_code, reply.text)


def words(reply: Reply, masker: Masker) -> str:
    """What the provider says, in one short line without secrets; empty for a page or nothing."""
    try:
        said = _said(json.loads(reply.text))
    except (ValueError, RecursionError):
        said = "" if reply.text.lstrip().startswith("<") else reply.text
    line = " ".join("".join(each if each.isprintable() else " " for each in said).split())
    masked = _HALF_SHOWN.sub(MASK, masker.text(line))
    return masked if len(masked) <= LONGEST else f"{masked[: LONGEST - 1]}…"


def _said(told: Any) -> str:
    if isinstance(told, str):
        return told
    if isinstance(told, list):
        return _said(told[0]) if told else ""
    if isinstance(told, dict):
        return next((said for name in _SAYING if (said := _said(told.get(name)))), "")
    return ""
