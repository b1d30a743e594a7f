"""The one mapping from errors to what HTTP answers."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any, Final

from tornado.web import HTTPError

from bpaz_lab import errors
from bpaz_lab.errors import BpazError

STATUS: Final[dict[type[BpazError], int]] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.StaleChange: 409,
    errors.TooLarge: 413,
    errors.WrongMediaType: 415,
    errors.Throttled: 429,
    errors.JsonError: 400,
    errors.RequestError: 422,
    errors.DocumentError: 422,
    errors.PatchError: 422,
    errors.InputError: 422,
    errors.CredentialError: 422,
    errors.EgressRefused: 422,
    errors.FileRefused: 422,
    errors.MissingPackage: 422,
    errors.StoreUnavailable: 503,
    errors.SchemaOutdated: 503,
    errors.VaultError: 503,
    errors.SettingsError: 503,
    errors.StoreFull: 507,
}
"""The status of an error's class, or of the nearest class above it; 500 for the rest."""

_CODES: Final = {401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
_UNTOLD: Final = "Give an administrator the request's id: the server's log has more."


def status_of(error: BaseException) -> int:
    """The HTTP status of an error.

    Example:
        >>> status_of(errors.EdgeError("no such port")), status_of(KeyError("x"))
        (422, 500)
    """
    if isinstance(error, HTTPError):
        return error.status_code
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def body_of(error: BaseException, request_id: str) -> dict[str, Any]:
    """The body of an error: what happened, where, what to do next. Of a fault of our own it tells nothing.

    Args:
        error: What was raised.
        request_id: The request, as the log names it.
    """
    status = status_of(error)
    if status == 500:
        code = error.code if isinstance(error, BpazError) else BpazError.code
        told: dict[str, Any] = {"code": code, "message": "the server failed", "hint": _UNTOLD, "path": ""}
    elif isinstance(error, BpazError):
        told = dict(error.to_dict())
        problems = getattr(error, "problems", None)
        if problems is not None:
            told["problems"] = [each if isinstance(each, dict) else each.to_dict() for each in problems]
        if isinstance(error, errors.Conflict) and error.current is not None:
            told["current"] = error.current
    else:  # what Jupyter or Tornado itself refuses
        message = getattr(error, "log_message", None) or HTTPStatus(status).phrase
        code = _CODES.get(status, errors.RequestError.code)
        told = {"code": code, "message": message, "hint": "", "path": ""}
    return {"error": {**told, "request_id": request_id}}


def headers_of(error: BaseException) -> dict[str, str]:
    """The headers that an error adds."""
    if isinstance(error, errors.Throttled):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    if isinstance(error, errors.MethodNotAllowed):
        return {"Allow": ", ".join([*error.allowed, "OPTIONS"])}
    if isinstance(error, errors.StoreUnavailable):
        return {"Retry-After": "1"}
    return {}
