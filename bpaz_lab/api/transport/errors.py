"""An error that a server answered, as the error that it was."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab import errors
from bpaz_lab.errors import (
    BpazError,
    Conflict,
    DocumentError,
    Invalid,
    RequestError,
    ServerUnavailable,
    Throttled,
)

if TYPE_CHECKING:
    import httpx

BY_STATUS: Final[dict[int, type[BpazError]]] = {
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: Conflict,
    413: errors.TooLarge,
    429: Throttled,
    502: ServerUnavailable,
    503: ServerUnavailable,
    504: ServerUnavailable,
    507: errors.StoreFull,
}
"""For an answer that is not one of bpaz_lab: of Jupyter itself, or of a proxy before it."""


def error_of(answer: httpx.Response) -> BpazError:
    """The error that an answer tells of; its body must have been read."""
    told = _told(answer)
    if not told:
        return _foreign(answer)
    error = from_dict(told, retry_after=_seconds(answer.headers.get("retry-after", "")))
    if answer.status_code >= 500 and not error.hint and (name := answer.headers.get("x-request-id", "")):
        error.hint = f"The log of the server tells more; the request is {name}."
    return error


def from_dict(told: dict[str, Any], *, retry_after: float = 1.0) -> BpazError:
    """The error that ``to_dict`` told of, with what its class adds to that.

    Example:
        >>> from_dict({"code": "not_found", "message": "no such workflow", "hint": "", "path": "id"})
        NotFound('no such workflow')
    """
    code, message = str(told.get("code", "")), str(told.get("message", "the request failed"))
    cls = _classes().get(code, RequestError)
    where: dict[str, Any] = {"hint": str(told.get("hint", "")), "path": str(told.get("path", ""))}
    if issubclass(cls, Conflict):
        return cls(message, current=told.get("current"), **where)
    if issubclass(cls, Throttled):
        return cls(message, retry_after=retry_after, **where)
    problems = told.get("problems") or ()
    if issubclass(cls, DocumentError):
        found = [from_dict(each) for each in problems]
        return cls(message, problems=[each for each in found if isinstance(each, DocumentError)], **where)
    if issubclass(cls, Invalid):
        return cls(message, problems=problems, **where)
    return cls(message, **where)


@cache
def _classes() -> dict[str, type[BpazError]]:
    """The classes of ``errors`` by their code."""
    return {
        cls.code: cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, BpazError)
    }


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(answer.content)
    except ValueError:
        return {}
    told = body.get("error") if isinstance(body, dict) else None
    return told if isinstance(told, dict) else {}


def _foreign(answer: httpx.Response) -> BpazError:
    status, where = answer.status_code, answer.request.url.copy_with(query=None)
    if answer.is_redirect:  # Jupyter sends to its login whom it does not know
        status = 401
    message = f"{where} answered {answer.status_code} {answer.reason_phrase}".rstrip()
    hint = {
        401: "Give the token of the Jupyter server: bz.connect(url, token=...).",
        403: "Give the token of the Jupyter server: bz.connect(url, token=...).",
        404: "Is that a Jupyter server, and is bpaz_lab installed there? There, ask: bpaz doctor.",
    }.get(status, "")
    return BY_STATUS.get(status, RequestError)(message, hint=hint)


def _seconds(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        return 1.0
