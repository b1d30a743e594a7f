"""The description of the API, and the page that shows it."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from bpaz_lab.services.route import ROUTES
from bpaz_lab.services.table import find
from tests.support.routes import body_of

pytestmark = pytest.mark.api


@pytest.fixture(scope="module")
def spec(server):
    told = server.client().get("openapi.json")
    assert told.status_code == 200
    return told.json()


def operations(spec):
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_it_is_valid(spec):
    assert spec["openapi"] == "3.1.0"
    validate(spec, cls=OpenAPIV31SpecValidator)


def test_it_is_the_table(spec):
    told = {(method, path.removeprefix("/"), each["operationId"]) for method, path, each in operations(spec)}
    assert told == {(route.method, route.path, route.name) for route in ROUTES}


def test_every_operation_is_told_and_belongs_somewhere(spec):
    tags = {tag["name"] for tag in spec["tags"] if tag["description"]}
    for method, path, each in operations(spec):
        assert each["summary"].strip(), path
        assert set(each["tags"]) <= tags
        assert "default" in each["responses"]
        route, _ = find(method, re.sub(r"{\w+}", "7", path)) if "{" not in path else (None, None)
        if route is not None and route.access == "public":
            assert each["security"] == []


def test_every_way_to_sign_in_is_described(spec):
    used = {name for _, _, each in operations(spec) for way in each["security"] for name in way}
    assert used == set(spec["components"]["securitySchemes"])


def test_every_parameter_has_limits_or_a_kind(spec):
    for _, path, each in operations(spec):
        for parameter in each["parameters"]:
            assert parameter["schema"], (path, parameter["name"])


def test_no_text_that_comes_in_is_without_an_end(spec):
    """Every string of a body has a greatest length, so that nobody can fill the database with one."""
    endless = []
    for route in ROUTES:
        if route.body is None or route.raw:
            continue
        schema = spec["paths"][f"/{route.path}"][route.method.lower()]["requestBody"]["content"][
            "application/json"
        ]["schema"]
        endless += [f"{route.name}: {place}" for place in without_end(schema, spec["components"]["schemas"])]
    assert endless == []


def without_end(schema, known, place="body", seen=()):
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [] if name in seen else without_end(known[name], known, place, (*seen, name))
    found = []
    for key in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(key, []):
            found += without_end(each, known, place, seen)
    for name, each in schema.get("properties", {}).items():
        found += without_end(each, known, f"{place}.{name}", seen)
    bounded = {"maxLength", "enum", "const", "format", "pattern"} & set(schema)
    if schema.get("type") == "string" and not bounded:
        found.append(place)
    return found


def test_an_error_is_as_it_is_described(spec, api):
    told = api.post("kernel/challenge", json={}).json()["error"]
    fields = spec["components"]["schemas"]["ErrorDetails"]["properties"]
    assert set(told) <= set(fields)
    example = spec["components"]["responses"]["Error"]["content"]["application/json"]["example"]
    assert set(told) == set(example["error"])


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.name)
def test_the_smallest_body_is_one(route):
    from pydantic import TypeAdapter

    TypeAdapter(route.body).validate_python(body_of(route))


# ---- the page -------------------------------------------------------------------------------------------


def test_the_page_asks_nobody_else_and_runs_its_own_script_alone(api):
    page = api.get("docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    for kind in ("script", "style"):
        (inside,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert policy[f"{kind}-src"] == f"'sha256-{digest}'"
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write", page.text)


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_shows_every_route(server, scheme):
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-sync",
        "--no-first-run",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(color_scheme=scheme)
        faults, hosts = [], set()
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(
            f"{server.url}login?token=the-token-of-jupyter&next=%2Fbpaz%2Fapi%2Fv1%2Fdocs%23compute_ports"
        )
        page.wait_for_selector("#compute_ports[open]")
        assert page.locator("details").count() == len(ROUTES)
        page.get_by_label("Search routes").fill("compute_ports")
        assert page.locator("details:visible").count() == 1
        browser.close()
    assert faults == []
    assert hosts == {f"127.0.0.1:{server.app.port}"}
