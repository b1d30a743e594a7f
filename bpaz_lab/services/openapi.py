"""OpenAPI 3.1, made from the table of routes and the pydantic models; nothing of it is written down twice."""

from __future__ import annotations

import asyncio
import inspect
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Union
from uuid import UUID

from pydantic import TypeAdapter

from bpaz_lab import __version__
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.route import BYTES, ROUTES, Answer, Model, Raw, Stream, route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpaz_lab.services.route import Access, Route

VERSION: Final = "3.1.0"
_REF: Final = "#/components/schemas/{model}"
_PARAMETERS: Final[dict[type, dict[str, Any]]] = {
    UUID: {"type": "string", "format": "uuid"},
    int: {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    str: {"type": "string", "minLength": 1, "maxLength": 255},
}
_METHODS: Final = ("GET", "POST", "PUT", "DELETE")
_GROUPS: Final = {
    "workflows": "Workflows that are kept: their versions, what differs between two, runs and conversations.",
    "executions": "Runs: how they stand, what they gave, what they told on the way.",
    "templates": "Workflows to begin with, built in or published.",
    "credentials": "Keys for providers. A value goes in and never comes out again.",
    "nodes": "The node types that this server knows.",
    "auth": "Signing up, in and out, and one's own account; in the profile `shared`.",
    "organizations": "The organisations that one is a member of.",
    "admin": "People, organisations, roles, and what was done; for administrators.",
    "health": "Whether the server can serve.",
    "metrics": "Figures for Prometheus.",
    "kernel": "How a kernel proves to its server which kernel it is.",
    "openapi": "This description.",
    "docs": "The page that shows it.",
}
"""What each group of routes is about, in the order in which one reads them."""
_SECURITY: Final[dict[Access, list[dict[str, list[str]]]]] = {
    "public": [],
    "anonymous": [{"jupyterToken": []}, {"jupyterCookie": []}],
    "user": [
        {"jupyterToken": []},
        {"jupyterToken": [], "accessToken": []},
        {"jupyterCookie": [], "accessToken": []},
        {"accessToken": []},
    ],
    "kernel": [{"accessToken": []}],
}
_SCHEMES: Final = {
    "jupyterToken": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The token of the Jupyter server, as `token …`. In the profile `local` it is enough.",
    },
    "jupyterCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "username",
        "description": "The login of a page of Jupyter. Whatever is no GET needs `X-XSRFToken` with it.",
    },
    "accessToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Bpaz-Authorization",
        "description": "`Bearer` and the access token of `auth/signin` (profile `shared`), or a kernel's "
        "capability, which needs no token of Jupyter.",
    },
}


class Problem(Model):
    """One thing that is wrong with a request."""

    code: str
    message: str
    hint: str
    path: str


class ErrorDetails(Problem):
    """What went wrong, where, and what to do next."""

    request_id: str
    problems: list[Problem] | None = None
    current: Any = None


class Error(Model):
    """The body of every error."""

    error: ErrorDetails


_EXAMPLE: Final = {
    "error": {
        "code": "invalid",
        "message": "Field required",
        "hint": "Add it.",
        "path": "body.name",
        "request_id": "6f1d0c7a52a84b0c8f3b1f0a9f3c2d11",
        "problems": [
            {"code": "missing", "message": "Field required", "hint": "Add it.", "path": "body.name"}
        ],
    }
}


@route("GET", "openapi.json", access="anonymous")
async def get_openapi(call: Call) -> Answer[dict[str, Any]]:  # noqa: ARG001 (every route has it)
    """This description of the API, in OpenAPI 3.1."""
    return Answer(await asyncio.to_thread(description))


@cache
def description() -> dict[str, Any]:
    """The whole description, made once."""
    routes = sorted(ROUTES, key=_place)
    schemas, definitions = _schemas(routes)
    paths: dict[str, Any] = {}
    for each in routes:
        paths.setdefault(f"/{each.path}", {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": VERSION,
        "info": {
            "title": "bpaz_lab",
            "version": __version__,
            "summary": "LLM workflows in a Jupyter server.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "../v1", "description": "`bpaz/api/v1` below the base URL of the server."}],
        "tags": _tags(routes),
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": _SCHEMES,
            "responses": {
                "Error": {
                    "description": "An error.",
                    "headers": {"X-Request-Id": {"schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": _ref("Error"), "example": _EXAMPLE}},
                }
            },
        },
    }


def _schemas(routes: Iterable[Route]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The schema of each body, query and answer by operation, and what they refer to."""
    asked: list[tuple[Any, Any, TypeAdapter[Any]]] = [("Error", "serialization", TypeAdapter(Error))]
    for each in routes:
        if each.query is not None:
            asked.append((f"{each.name}.query", "validation", TypeAdapter(each.query)))
        if each.body is not None and not each.raw:
            asked.append((f"{each.name}.body", "validation", TypeAdapter(each.body)))
        if (told := _json(each)) is not None:
            asked.append((f"{each.name}.answer", "serialization", TypeAdapter(told)))
    schemas, whole = TypeAdapter.json_schemas(asked, ref_template=_REF)
    definitions = whole.get("$defs", {})
    queries = {_name(schema) for (key, _), schema in schemas.items() if key.endswith(".query")}
    found = {key: schema for (key, _), schema in schemas.items()}
    for key, schema in found.items():
        if key.endswith(".query") and _name(schema):
            found[key] = definitions[_name(schema)]
    return found, {name: each for name, each in sorted(definitions.items()) if name not in queries}


def _operation(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    summary, text = _told(route)
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": summary,
        "tags": [_tag(route)],
        "security": _SECURITY[route.access],
        "parameters": [*_path_parameters(route), *_query_parameters(schemas.get(f"{route.name}.query"))],
        "responses": _responses(route, schemas.get(f"{route.name}.answer")),
    }
    if text:
        operation["description"] = text
    if route.body is not None:
        operation["requestBody"] = {"required": not route.optional, "content": _sent(route, schemas)}
    return operation


def _sent(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    if route.raw:
        return {BYTES: {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": schemas[f"{route.name}.body"]}}


def _told(route: Route) -> tuple[str, str]:
    """The first line of the docstring, and its paragraphs before the first section."""
    whole = inspect.getdoc(route.call) or route.name
    summary, _, rest = whole.partition("\n")
    kept = rest.split("\nArgs:")[0].split("\nRaises:")[0].split("\nReturns:")[0]
    return summary, kept.strip()


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PARAMETERS[kind]}
        for name, kind in route.parameters.items()
    ]


def _query_parameters(schema: dict[str, Any] | None) -> list[dict[str, Any]]:
    if schema is None:
        return []
    required = schema.get("required", [])
    found = []
    for name, each in schema.get("properties", {}).items():
        inner = {key: value for key, value in each.items() if key not in ("description", "title")}
        parameter = {"name": name, "in": "query", "required": name in required, "schema": inner}
        if "description" in each:
            parameter["description"] = each["description"]
        found.append(parameter)
    return found


def _responses(route: Route, schema: Any) -> dict[str, Any]:
    kinds = route.kinds
    status = 204 if not kinds and route.status == 200 else route.status
    success: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    content = {"application/json": {"schema": schema}} if schema is not None else {}
    if Stream in kinds:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    if Raw in kinds:
        content["text/*" if schema is not None else "*/*"] = {"schema": {"type": "string"}}
    if content:
        success["content"] = content
    failures = [422, 503]
    failures += [] if route.access == "public" else [401]
    failures += [403] if route.access in ("user", "kernel") else []
    failures += [404] if route.parameters else []
    failures += [400, 413, 415] if route.body is not None else []
    error = {"$ref": "#/components/responses/Error"}
    return {
        str(status): success,
        **{str(each): error for each in sorted(failures)},
        "default": error,
    }


def _json(route: Route) -> Any:
    """The type of the JSON that a route answers; None where it is no JSON."""
    found = [each for each in route.kinds if each not in (Raw, Stream)]
    return Union[tuple(found)] if found else None  # noqa: UP007 (made at run time)


def _tags(routes: Iterable[Route]) -> list[dict[str, str]]:
    """The groups of routes, those with a sentence of their own first."""
    used = {_tag(each): inspect.getmodule(each.call) for each in routes}
    told = {name: text for name, text in _GROUPS.items() if name in used}
    told |= {
        name: (inspect.getdoc(module) or "").partition("\n")[0]
        for name, module in sorted(used.items())
        if name not in told
    }
    return [{"name": name, "description": text} for name, text in told.items()]


def _place(route: Route) -> tuple[str, int]:
    return route.path.strip("/"), _METHODS.index(route.method)


def _tag(route: Route) -> str:
    return route.path.split("/")[0].partition(".")[0]


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=name)}


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
