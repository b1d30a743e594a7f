"""Routes as data: what a function serves, what it takes and what it answers.

The path, the method and who may call stand in the decorator; the rest is the function's signature: after
``call`` come the parameters of the path by name, ``query`` and ``body`` (pydantic models; ``bytes`` for
a body that is no JSON), and the returned type is the answer. The server, OpenAPI, the client in process,
and the tests that walk over every route all read this one table.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

Method = Literal["GET", "POST", "PUT", "DELETE"]
Access = Literal["public", "anonymous", "user", "kernel"]
"""``public``: anybody. ``anonymous``: whom Jupyter lets in, signed in or not. ``user``: who is signed in, or
a kernel on that person's behalf. ``kernel``: only a kernel that has proved itself."""

BYTES: Final = "application/octet-stream"
"""How a body of bytes is sent."""
LARGEST: Final = 5 * 2**20
"""Bytes that a body of bytes may have, also where less JSON is accepted: kernels send pieces of 4 MiB."""

Value = TypeVar("Value")


class Model(BaseModel):
    """The base of what routes take and answer: unknown fields are an error."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """An answer with more than a body: a function that gives one says ``-> Answer[Health]``.

    Attributes:
        value: A model, or anything that is JSON; None for no body.
        status: The HTTP status.
        headers: Headers to add.
        cookies: Cookies to set: name to value and attributes; a value of None deletes.
    """

    value: Value | None = None
    status: int = 200
    headers: Mapping[str, str] | None = None
    cookies: Mapping[str, tuple[str | None, Mapping[str, Any]]] | None = None


@dataclass(frozen=True)
class Raw:
    """An answer that is no JSON: a table as CSV, a page, figures."""

    content: str | bytes
    media_type: str
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Message:
    """One message of a stream of server-sent events."""

    data: Any
    event: str = ""
    id: str = ""


@dataclass(frozen=True)
class Stream:
    """An answer that goes on: server-sent events."""

    messages: AsyncIterator[Message]
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        method: The HTTP method.
        path: The path below the API's base, ``workflows/{id}``.
        call: The function.
        access: Who may call it; what that person may do is the function's own question to the policy.
        status: The status of success.
        parameters: The parameters of the path: name to type (str, int or UUID).
        query: The model of the query string; None for none.
        body: The model of the body, or bytes; None for none.
        answer: The type of the answer: a model, or Raw or Stream; None for no body.
    """

    method: Method
    path: str
    call: Callable[..., Any]
    access: Access
    status: int
    parameters: Mapping[str, type]
    query: type[BaseModel] | None
    body: type[BaseModel | bytes] | None
    answer: Any

    @property
    def name(self) -> str:
        """The name of the function, which is the operation's id."""
        return self.call.__name__

    @property
    def kinds(self) -> tuple[Any, ...]:
        """What it may answer with: ``Page[X] | Raw`` is two, no body is none."""
        many = isinstance(self.answer, UnionType) or get_origin(self.answer) is Union
        found = get_args(self.answer) if many else (self.answer,)
        return tuple(each for each in found if each not in (None, type(None)))

    @property
    def optional(self) -> bool:
        """Whether it takes a body or none: ``Body | None``."""
        return type(None) in get_args(self.body)

    @property
    def raw(self) -> bool:
        """Whether its body is bytes and no JSON."""
        return self.body is bytes

    def most(self, body_limit: int) -> int:
        """How many bytes its body may have."""
        return max(body_limit, LARGEST) if self.raw else body_limit

    @property
    def resource(self) -> str:
        """The file that it stands in."""
        return self.call.__module__.rpartition(".")[2]


ROUTES: Final[list[Route]] = []
"""Every route, in the order of definition; ``services.table`` imports all of them."""


def route(
    method: Method, path: str, *, access: Access = "user", status: int = 200
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a function a route.

    Args:
        method: The HTTP method.
        path: The path below the API's base; ``{name}`` is a parameter of the function.
        access: Who may call it.
        status: The status of success.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        hints = get_type_hints(function)
        names = [name for name in inspect.signature(function).parameters if name != "call"]
        special = ("query", "body")
        ROUTES.append(
            Route(
                method,
                path,
                function,
                access,
                status,
                {name: hints[name] for name in names if name not in special},
                hints.get("query"),
                hints.get("body"),
                _answered(hints.get("return")),
            )
        )
        return function

    return register


def _answered(hint: Any) -> Any:
    """What is in the answer: a function may say ``Answer[X]`` instead of ``X``."""
    if hint is Answer:
        return Any
    return get_args(hint)[0] if get_origin(hint) is Answer else hint
