"""The table of all routes, and which of them a method and a path mean.

Every file of this folder is imported, so that a new one is found without being named anywhere. Literal
segments go before parameters: ``workflows/execute`` is never the workflow ``execute``.

Example:
    >>> route, parameters = find("GET", "nodes/PromptTemplate")
    >>> route.name, parameters
    ('get_node', {'type': 'PromptTemplate'})
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote
from uuid import UUID

import bpaz_lab.services
from bpaz_lab.errors import MethodNotAllowed, NotFound
from bpaz_lab.services.route import ROUTES, Route, Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_APART: Final = {"table", "dispatch"}  # what serves the table is not in it
_LONGEST: Final = 255

for _module in pkgutil.iter_modules(bpaz_lab.services.__path__):
    if _module.name not in _APART:
        importlib.import_module(f"bpaz_lab.services.{_module.name}")


@dataclass
class _Branch:
    """One segment of paths."""

    routes: dict[str, Route] = field(default_factory=dict)
    below: dict[str, _Branch] = field(default_factory=dict)
    other: _Branch | None = None


def _tree(routes: Iterable[Route]) -> _Branch:
    root = _Branch()
    for route in routes:
        branch = root
        for segment in route.path.strip("/").split("/"):
            if segment.startswith("{"):
                branch.other = branch = branch.other or _Branch()
            else:
                branch = branch.below.setdefault(segment, _Branch())
        known = branch.routes.setdefault(route.method, route)
        if known is not route:
            raise ValueError(f"{known.name} and {route.name} both serve {route.method} {route.path}")
    return root


_ROOT: Final = _tree(ROUTES)


def find(method: str, path: str) -> tuple[Route, dict[str, Any]]:
    """The route of a method and a path, and the parameters in the path.

    Args:
        method: The HTTP method.
        path: The path below the API's base, percent-encoded; a slash at its end does not count.

    Raises:
        NotFound: No route has this path, or a parameter cannot be.
        MethodNotAllowed: The path has routes, and none for this method.
    """
    segments = _segments(path)
    for branch in _branches(_ROOT, segments):
        if method in branch.routes:
            route = branch.routes[method]
            return route, _parameters(route, segments)
    allowed = methods(path)
    if not allowed:
        raise NotFound(f"there is no route {_shown(path)!r}", hint="GET openapi.json lists all routes.")
    raise MethodNotAllowed(
        f"{_shown(path)!r} has no {method}", hint=f"It has {', '.join(allowed)}.", allowed=allowed
    )


def methods(path: str) -> list[str]:
    """The methods that a path has; HEAD wherever there is a GET that ends."""
    routes = {
        name: route
        for branch in _branches(_ROOT, _segments(path))
        for name, route in reversed(branch.routes.items())
    }
    if "GET" in routes and Stream not in routes["GET"].kinds:
        routes["HEAD"] = routes["GET"]
    return sorted(routes)


def _segments(path: str) -> list[str]:
    try:
        found = [unquote(each, errors="strict") for each in path.strip("/").split("/")]
    except UnicodeDecodeError:
        return [""]
    return found if all(len(each) <= _LONGEST and each.isprintable() for each in found) else [""]


def _branches(branch: _Branch, segments: list[str]) -> Iterator[_Branch]:
    if not segments:
        if branch.routes:
            yield branch
        return
    first, *rest = segments
    if first in branch.below:
        yield from _branches(branch.below[first], rest)
    if branch.other is not None and first:
        yield from _branches(branch.other, rest)


def _parameters(route: Route, segments: list[str]) -> dict[str, Any]:
    names = [each.strip("{}") if each.startswith("{") else "" for each in route.path.strip("/").split("/")]
    return {name: _converted(route, name, text) for name, text in zip(names, segments, strict=True) if name}


def _converted(route: Route, name: str, text: str) -> Any:
    kind = route.parameters[name]
    if kind is int and re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    if kind is UUID and re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        return UUID(text)
    if kind is str:
        return text
    raise NotFound(f"there is no such {name}", hint="Check the id, or list what there is.")


def _shown(path: str) -> str:
    return path if len(path) <= _LONGEST else path[:_LONGEST] + "…"
