"""Hostile strings in every text that any route takes: no answer of 500 or above, and no harm to the tables.

The texts are found in the table of routes: parameters of the path, of the query, and every field of a body,
however deep. By default each gets one of the strings, drawn with a fixed seed, on one of the two databases;
at full length all of them on both.
"""

from __future__ import annotations

import random
from itertools import count
from urllib.parse import quote
from uuid import UUID

import pytest

from bpaz_lab.services.openapi import description
from bpaz_lab.services.table import ROUTES
from tests.support.routes import body_of, path_of
from tests.withstand.town import GREETING, execution, rows, stored, town_in

pytestmark = [pytest.mark.integration, pytest.mark.api]

HOSTILE = [
    "'; DROP TABLE users; --",
    '"; DROP TABLE workflows; --',
    "' OR '1'='1",
    "1); DELETE FROM roles; --",
    "' UNION SELECT encrypted_secret FROM user_credentials --",
    "$$; SELECT pg_sleep(30); $$",
    "'||(SELECT pg_sleep(30))||'",
    "\\'; VACUUM; --",
    "%' ESCAPE '%",
    "%_\\%\\_",
    "{0.__class__.__mro__}",
    "{{7*7}}${7*7}#{7*7}<%= 7*7 %>",
    "__import__('os').system('id')",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "%00",
    "%s%n%x",
    "\u202egnp.exe",
    "\ufeff\u200b\u2028",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "🦆" * 50,
    "a" * 5_000,
    "\n\r\t",
    "\x7f\x80\x9f",
    "-1",
    "1e309",
    "9" * 40,
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "00000000-0000-0000-0000-000000000000",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999+14:00",
    "0001-01-01T00:00:00+23:59",
]
NUMBERS = [0, -1, 2**31, 2**53, 10**18, 1e300, -1e300, 0.5]
HEADERS = ("If-Match", "Last-Event-ID", "Idempotency-Key", "Accept", "X-Request-Id", "User-Agent")
SESSIONS = ("sign_out", "erase_profile")
"""They would end the attacker's own stay."""


class Resting:
    """Takes executions and starts no kernel: what is tested here is told to nobody."""

    async def start(self, execution_id, caller):
        pass

    async def cancel(self, execution_id):
        pass

    async def answer(self, execution_id):
        pass

    def told(self, execution_id, status):
        pass

    def kernels(self):
        return 0

    async def close(self):
        pass


@pytest.fixture(scope="module")
def town(kept, tmp_path_factory):
    folder = tmp_path_factory.mktemp("injection")
    with town_in(folder, "root", "ada", "vic", runs_per_user=10**6, **kept) as made:
        kernels, made.server.lab.runner = made.server.lab.runner, Resting()
        ada, things = made["ada"], made.things
        things["sentinel"] = stored(ada, description="untouched")
        things["workflow"] = stored(ada)
        things["template"] = ada.post("templates", json={"flow_data": GREETING}).json()["id"]
        fields = {"api_key": "sk-of-ada-0123456789abcdef", "base_url": "http://127.0.0.1:9/v1"}
        body = {"name": "mine", "type": "openai_compatible", "fields": fields}
        things["credential"] = ada.post("credentials", json=body).json()["id"]
        organization = made["root"].post("admin/organizations", json={"name": "Lab"}).json()["id"]
        things["execution"] = execution(made, "ada", status="pending", kernel_id="kernel-of-ada")
        made.ids = {
            "workflows.id": things["workflow"],
            "templates.id": things["template"],
            "credentials.id": things["credential"],
            "executions.id": things["execution"],
            "admin/organizations.id": organization,
            "admin/users.id": made.people["vic"].id,
        }
        yield made
        made.server.lab.runner = kernels


def client_of(town, route):
    if route.access == "kernel":
        return town.kernel("ada")
    if route.path.startswith("admin/") or route.name in ("read_metrics", "publish_template"):
        return town["root"]
    return town["ada"] if route.access == "user" else town.server.client()


def texts_of(value, schema, known, path=()):
    """The places in a body where a text or a number stands or may stand."""
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    for each in schema.get("anyOf", ()):
        yield from texts_of(value, each, known, path)
    kind = schema.get("type")
    if kind in ("string", "number", "integer") or not schema:
        yield path
    for name, inner in schema.get("properties", {}).items():
        yield from texts_of(None, inner, known, (*path, name))
    if kind == "array":
        yield from texts_of(None, schema.get("items", {}), known, (*path, 0))
    if kind == "object" and (more := schema.get("additionalProperties")):
        yield (*path, "*")  # a name
        yield from texts_of(None, more if isinstance(more, dict) else {}, known, (*path, "name"))


def put(body, path, text):
    """The body with a text at this place."""
    if not path:
        return text
    first, *rest = path
    if first == "*":
        return {**(body if isinstance(body, dict) else {}), text: "value"}
    if first == 0:
        return [put(None, rest, text)]
    body = body if isinstance(body, dict) else {}
    return {**body, first: put(body.get(first), rest, text)}


def schema_of(route):
    told = description()
    operation = told["paths"][f"/{route.path}"][route.method.lower()]
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return operation, schema, told["components"]["schemas"]


def attempts(route, ids, some):
    """The requests of a route: (path, options)."""
    body, path = body_of(route), path_of(route, ids)
    options = sent(route, body)
    operation, schema, known = schema_of(route)
    names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
    calm = {"wait": 0} if "wait" in names else {}
    yield from ((each, options) for each in paths(route, ids, some))
    for name in names:
        for text in [*some(), *map(str, some(NUMBERS))]:
            yield path, {**options, "params": {**calm, name: text}}
    if route.raw:
        yield from ((path, sent(route, text.encode())) for text in some())
    for place in () if route.raw else dict.fromkeys(texts_of(body, schema, known)):
        for value in [*some(), *(() if place[-1:] == ("*",) else some(NUMBERS))]:
            yield path, {"json": put(body, place, value), "params": calm}
    for name in HEADERS:
        text = "".join(each if each.isprintable() else "." for each in some()[0])
        headers = {**options.get("headers", {}), name: text.encode()}
        yield path, {**options, "headers": headers, "params": calm}


def sent(route, body):
    """What httpx is told, so that it sends this body."""
    if route.raw:
        return {"content": body, "headers": {"Content-Type": "application/octet-stream"}}
    return {} if body is None else {"json": body}


def paths(route, ids, some):
    """The path with a text in the place of each parameter."""
    for name, kind in route.parameters.items():
        if kind is UUID or route.method == "GET":
            broken = route_with(route.path.replace(f"{{{name}}}", "•"), route)
            yield from (path_of(broken, ids).replace("•", quote(text, safe="")) for text in some())


def route_with(path, route):
    from dataclasses import replace

    names = {name: kind for name, kind in route.parameters.items() if f"{{{name}}}" in path}
    return replace(route, path=path, parameters=names)


def sentinel(town):
    """What nobody has named."""
    kept, id = rows(town.server), town.things["sentinel"]
    return {
        "tables": set(kept),
        "workflow": [row for row in kept["workflows"] + kept["workflow_versions"] if id in row],
        "people": {
            name: any(person.id in row for row in kept["users"]) for name, person in town.people.items()
        },
        "roles": [row for row in kept["roles"] if "'admin'" in row or "'viewer'" in row],
    }


@pytest.mark.parametrize("resource", sorted({route.resource for route in ROUTES}))
def test_no_text_does_harm(town, resource, full):
    before, asked, made = sentinel(town), count(), count()
    turn = ("sqlite", "postgresql").index(town.server.lab.database.dialect)
    chance = random.Random(resource)  # noqa: S311 (no secret)

    def some(values=HOSTILE):
        return values if full else chance.sample(values, 1)

    for route in ROUTES:
        if route.resource != resource or route.name in SESSIONS:
            continue
        ids = {} if route.method == "DELETE" else town.ids
        client = client_of(town, route)
        for path, options in attempts(route, ids, some):
            number = next(made)
            if not full and (number + number // 2) % 2 != turn:  # in turns, the texts as well as the numbers
                continue
            with client.stream(route.method, path, **options) as answer:
                next(asked)
                if answer.headers.get("content-type", "").startswith("text/event-stream"):
                    continue
                answer.read()
            assert answer.status_code < 500, (route.name, path, options, answer.text)
            if answer.status_code >= 400:
                assert answer.headers["Content-Type"] == "application/json", (route.name, path, options)
                assert answer.json()["error"]["code"] != "error", (route.name, path, options)
    assert next(asked) > 0
    assert sentinel(town) == before


def integers_of(schema, known, path=()):
    """The places in a body where an integer stands."""
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    for each in schema.get("anyOf", ()):
        yield from integers_of(each, known, path)
    if schema.get("type") == "integer":
        yield path
    for name, inner in schema.get("properties", {}).items():
        yield from integers_of(inner, known, (*path, name))
    if schema.get("type") == "array":
        yield from integers_of(schema.get("items", {}), known, (*path, 0))


def too_large(route, ids):
    """The requests of a route with an integer that no column takes: (path, options)."""
    number, body, path = "9" * 40, body_of(route), path_of(route, ids)
    operation, schema, known = schema_of(route)
    options = sent(route, body)
    for name, kind in route.parameters.items():
        if kind is int:
            broken = route_with(route.path.replace(f"{{{name}}}", number), route)
            yield path_of(broken, ids), options
    for each in operation.get("parameters", ()):
        if each["in"] == "query" and [*integers_of(each["schema"], known)]:
            yield path, {**options, "params": {each["name"]: number}}
    for place in dict.fromkeys(integers_of(schema, known)):
        yield path, {"json": put(body, place, number)}


def test_no_integer_is_too_large(town):
    asked = count()
    for route in ROUTES:
        client = client_of(town, route)
        for path, options in too_large(route, town.ids):
            answer = client.request(route.method, path, **options)
            assert answer.status_code < 500, (route.name, path, options, answer.text)
            next(asked)
    assert next(asked) > 10


def test_the_strings_would_be_noticed(town):
    """What the check above looks at does change, when a table is harmed."""

    async def harm(lab, statement):
        from sqlalchemy import text

        async with lab.database.session() as session:
            await (await session.connection()).execute(text(statement))

    before, lab = sentinel(town), town.server.lab
    town.server.run(harm(lab, "UPDATE workflows SET description = 'x' WHERE description = 'untouched'"))
    assert sentinel(town) != before
    town.server.run(harm(lab, "UPDATE workflows SET description = 'untouched' WHERE description = 'x'"))


def test_hostile_names_come_back_as_they_were(town, full):
    """Searching for them finds them alone, and a table has no formula."""
    ada = town["ada"]
    for text in HOSTILE if full else HOSTILE[::3]:
        name = text.strip()
        if not name or len(name) > 255:
            continue
        answer = ada.post("workflows/", json={"flow_data": GREETING, "name": name})
        assert answer.status_code == 201, (text, answer.text)
        id = answer.json()["id"]
        assert ada.get(f"workflows/{id}").json()["name"] == name
        for query in ({"name": name}, {"contains": name}):
            found = ada.get("workflows/", params={**query, "limit": 200, "scope": "mine"}).json()["items"]
            assert id in [each["id"] for each in found], query
            assert all(name.casefold() in each["name"].casefold() for each in found)
    told = town["root"].get("admin/audit", params={"format": "csv"})
    assert told.status_code == 200
    assert not any(
        cell.startswith(("=", "@", "+")) for line in told.text.splitlines() for cell in line.split(",")
    )
