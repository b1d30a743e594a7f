"""Serves a request: finds its route, checks who asks and what was sent, calls the function.

The server hands in what came over HTTP; ``bz.connect()`` without a server hands in Python values.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from bpaz_lab.errors import Forbidden, Invalid, TooLarge, Unauthenticated
from bpaz_lab.guard.strict_json import Limits, loads
from bpaz_lab.services.route import BYTES, Answer, Raw, Route, Stream
from bpaz_lab.services.table import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.services.call import Call
    from bpaz_lab.store.caller import Caller

_LARGE: Final = 2**16  # bytes of a body that is worked on beside the loop, so that others are served
_LONGEST_PATH: Final = 200
_HINTS: Final = {
    "missing": "Add it.",
    "extra_forbidden": "Leave it out; openapi.json lists what the route takes.",
    "twice": "Give it once.",
    "nul": "Take the NUL character out.",
}


async def dispatch(
    call: Call,
    method: str,
    path: str,
    query: Mapping[str, list[str]] | None = None,
    body: Any = None,
) -> Answer[Any] | Raw | Stream:
    """Serves one request.

    Args:
        call: Who asks, and what is asked.
        method: The HTTP method.
        path: The path below the API's base.
        query: The values of each parameter of the query string.
        body: JSON as bytes, or the value itself; None for no body. Bytes stay so where the route takes such.

    Returns:
        What to answer: the status is set, and ``value`` is a model or JSON.

    Raises:
        BpazError: What is wrong with the request, or why it cannot be served now.
    """
    route, parameters = find(method, path)
    return await serve(call, route, parameters, query, body)


async def serve(
    call: Call,
    route: Route,
    parameters: Mapping[str, Any],
    query: Mapping[str, list[str]] | None = None,
    body: Any = None,
) -> Answer[Any] | Raw | Stream:
    """Serves a request whose route is known; see ``dispatch``."""
    admit(route, call.caller)
    given = dict(parameters)
    asked = read_query(route, query or {})
    sent = await read_body(route, body, route.most(call.lab.settings.body_limit))
    if route.query is not None:
        given["query"] = asked
    if route.body is not None:
        given["body"] = sent
    large = not isinstance(body, bytes) or len(body) >= _LARGE
    call = replace(call, read_only=route.method == "GET", large=large)
    return _answer(route, await route.call(call, **given))


def admit(route: Route, caller: Caller) -> None:
    """Whether the route is for this caller at all.

    Raises:
        Unauthenticated: Nobody is signed in.
        Forbidden: Only a kernel may do this.
    """
    if route.access in ("public", "anonymous"):
        return
    if caller.user_id is None:
        raise Unauthenticated("nobody is signed in", hint="Sign in, and send the access token.")
    if route.access == "kernel" and not caller.kernel_id:
        raise Forbidden("only a kernel may do this", hint="It is done by the kernel of an execution itself.")


def read_query(route: Route, query: Mapping[str, list[str]]) -> Any:
    """The query string as the route's model; None where the route takes none.

    Raises:
        Invalid: A parameter is unknown, given twice, or of another kind.
    """
    fields = {field.alias or name: field for name, field in _fields(route.query).items()}
    problems, values = [], {}
    for name, texts in query.items():
        lists = name in fields and get_origin(fields[name].annotation) is list
        if len(texts) > 1 and not lists:
            problems.append(_problem("twice", "it is given more than once", "query", name))
        elif any("\0" in text for text in texts):
            problems.append(_problem("nul", "it holds a NUL character", "query", name))
        elif route.query is None:
            problems.append(_problem("extra_forbidden", "the route takes no parameters", "query", name))
        values[name] = texts if lists else texts[0]
    if problems:
        raise _invalid("the query string", problems)
    return None if route.query is None else _validated(route.query, values, "query")


async def read_body(route: Route, body: Any, limit: int) -> Any:
    """The body as the route's model, or as bytes where it takes such; None where the route takes none.

    Raises:
        TooLarge: It has too many bytes.
        JsonError: It is not strict JSON.
        Invalid: It is not what the route takes.
    """
    if route.raw:
        return _bytes(body, limit)
    if isinstance(body, bytes):
        body = await _parsed(body, limit)
    if route.body is not None:
        if body is None and route.optional:
            return None
        return _validated(route.body, {} if body is None else body, "body")
    if body not in (None, {}):
        raise Invalid("the route takes no body", path="body", hint="Leave it out.")
    return None


async def _parsed(body: bytes, limit: int) -> Any:
    if not body:
        return None
    _measure(body, limit)
    limits = Limits(size=limit)
    if len(body) < _LARGE:
        return loads(body, limits=limits)
    return await asyncio.to_thread(loads, body, limits=limits)


def _bytes(body: Any, limit: int) -> bytes:
    if body is None:  # of no bytes
        return b""
    if not isinstance(body, bytes):
        raise Invalid("the route takes bytes", path="body", hint=f"Send 'Content-Type: {BYTES}'.")
    _measure(body, limit)
    return body


def _measure(body: bytes, limit: int) -> None:
    if len(body) > limit:
        raise TooLarge(
            f"the body has {len(body):,} bytes, more than the {limit:,} accepted",
            hint="Send less, or let an administrator raise BPAZ_BODY_LIMIT.",
        )


def _answer(route: Route, value: Any) -> Answer[Any] | Raw | Stream:
    if isinstance(value, Raw | Stream):
        return value
    answer = value if isinstance(value, Answer) else Answer(value)
    if answer.status != 200:
        return answer
    empty = answer.value is None and route.status == 200
    return replace(answer, status=204 if empty else route.status)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _fields(model: type[BaseModel] | None) -> Mapping[str, Any]:
    return {} if model is None else model.model_fields


def _validated(kind: Any, value: Any, place: str) -> Any:
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [_problem(fault["type"], fault["msg"], place, *fault["loc"]) for fault in faults]
    raise _invalid("the body" if place == "body" else "the query string", problems)


def _problem(code: str, message: str, *place: str | int) -> dict[str, str]:
    path = ".".join(str(each) for each in place)[:_LONGEST_PATH]
    return {"code": code, "message": message, "hint": _HINTS.get(code, ""), "path": path}


def _invalid(what: str, problems: list[dict[str, str]]) -> Invalid:
    first = problems[0]
    message = first["message"] if len(problems) == 1 else f"{what} has {len(problems)} problems"
    return Invalid(message, path=first["path"], hint=first["hint"], problems=problems)
