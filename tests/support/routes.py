"""Requests for any route: a path with ids in it, and the smallest body that its schema takes."""

from __future__ import annotations

from uuid import UUID

NOBODY = "0b5b2f0e-6a4e-4f0c-9c43-5a3f7f8f2a11"
DOCUMENT = {"bpaz": 1, "name": "Nothing", "nodes": {}, "edges": [], "layout": {}, "notes": {}, "groups": {}}


def path_of(route, ids=None):
    """The path with these ids: by ``resource.parameter`` or by parameter, else of what does not exist.

    What the query must have stands behind it.
    """
    ids, path = ids or {}, route.path
    for name, kind in route.parameters.items():
        default = {UUID: NOBODY, int: "1", str: "PromptTemplate"}[kind]
        value = ids.get(f"{route.path.split('/{')[0]}.{name}", ids.get(name, default))
        path = path.replace(f"{{{name}}}", str(value))
    needed = {each.alias or name: each for name, each in _query(route).items() if each.is_required()}
    told = [f"{name}={NOBODY if each.annotation is UUID else 1}" for name, each in needed.items()]
    return path + ("?" + "&".join(told) if told else "")


def _query(route):
    return route.query.model_fields if route.query else {}


def body_of(route):
    """The smallest body that the route takes; None for a route without one."""
    from bpaz_lab.services.openapi import description

    operation = description()["paths"][f"/{route.path}"][route.method.lower()]
    if "requestBody" not in operation:
        return None
    content = operation["requestBody"]["content"]
    if route.raw:
        return b"\x90"
    schema = content["application/json"]["schema"]
    return smallest(schema, description()["components"]["schemas"])


_SENSIBLE = {"flow_data": DOCUMENT, "email": "nobody@example.org", "password": "a long enough one for all"}


def smallest(schema, known, name=""):
    """The smallest value of a schema; of a few fields one that makes sense."""
    if name in _SENSIBLE:
        return _SENSIBLE[name]
    if "$ref" in schema or "anyOf" in schema:
        inner = known[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema["anyOf"][0]
        return smallest(inner, known, name)
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        return {each: smallest(fields[each], known, each) for each in schema.get("required", [])}
    values = {"string": "a" * schema.get("minLength", 1), "integer": schema.get("minimum", 1), "array": []}
    return schema["enum"][0] if "enum" in schema else values[schema["type"]]


def send(client, route, ids=None, **options):
    """Sends the route's smallest request; a stream is read to its first bytes only."""
    options["headers"] = {"If-Match": '"1"', **options.get("headers", {})}
    body = body_of(route)
    if route.raw:
        options["headers"]["Content-Type"] = "application/octet-stream"
        options["content"] = body
    elif body is not None:
        options["json"] = body
    with client.stream(route.method, path_of(route, ids), **options) as response:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            next(response.iter_bytes(), b"")
        else:
            response.read()
        return response
