"""Every route of the table, asked by those who may not."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from uuid import UUID

import pytest

from bpaz_lab.services.route import Stream
from bpaz_lab.services.table import ROUTES
from tests.support.accounts import belongings, sign_up
from tests.support.routes import path_of, send

pytestmark = pytest.mark.api

OURS = {"X-Bpaz-Client": "tests"}


def of(routes):
    return pytest.mark.parametrize("route", routes, ids=lambda route: f"{route.method} {route.path}")


every_route = of(ROUTES)
closed_routes = of([route for route in ROUTES if route.access != "public"])
signed_in_routes = of([route for route in ROUTES if route.access in ("user", "kernel")])
mutations = of([route for route in ROUTES if route.method != "GET"])
kernel_routes = of([route for route in ROUTES if route.access == "kernel"])
of_somebody = of([route for route in ROUTES if UUID in route.parameters.values() and route.access == "user"])


def code(response):
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture(scope="module")
def admin(shared):
    return sign_up(shared, "ada")


@pytest.fixture(scope="module")
def bob(shared, admin):
    return sign_up(shared, "bob")


@pytest.fixture(scope="module")
def eve(shared, admin):
    return sign_up(shared, "eve")


@pytest.fixture(scope="module")
def bobs(shared, bob):
    return belongings(shared, bob, bob.user["id"])


@pytest.fixture(scope="module")
def organization(admin):
    told = admin.post("admin/organizations", json={"name": "Others"})
    assert told.status_code == 201, told.text
    return told.json()["id"]


# ---- who may come in ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strangers(shared, bob):
    """Those whom Jupyter does not know."""
    return {
        "nobody": shared.client(jupyter=False, headers=OURS),
        "a wrong token of Jupyter": shared.client(headers={"Authorization": "token wrong", **OURS}),
        "an access token alone": shared.client(jupyter=False, access=bob.token),
    }


@pytest.fixture(scope="module")
def unsigned(shared, bob):
    """Those whom Jupyter knows and we do not."""
    claims = shared.lab.tokens.read(bob.token)
    expired = shared.lab.tokens.issue(claims.user_id, claims.session_id, now=time.time() - 86_400)
    return {
        "no access token": shared.client(),
        "nonsense": shared.client(access="a.b.c"),
        "no capability": shared.client(access="bpaz-kernel-nonsense"),
        "an expired one": shared.client(access=expired),
    }


@closed_routes
def test_nobody_comes_in_whom_jupyter_does_not_know(strangers, route):
    told = {name: code(send(client, route)) for name, client in strangers.items()}
    assert told == dict.fromkeys(strangers, (401, "unauthenticated"))


@signed_in_routes
def test_nobody_comes_in_who_is_not_signed_in(unsigned, route):
    told = {name: code(send(client, route)) for name, client in unsigned.items()}
    assert told == dict.fromkeys(unsigned, (401, "unauthenticated"))


@kernel_routes
def test_what_kernels_do_no_person_may(bob, bobs, route):
    assert code(send(bob, route, bobs)) == (403, "forbidden")


# ---- what is another's ---------------------------------------------------------------------------------


@of_somebody
def test_what_is_anothers_is_not_there(eve, bobs, organization, route):
    ids = {**bobs, "admin/organizations.id": organization}
    told = send(eve, route, ids)
    assert code(told) in ((404, "not_found"), (403, "forbidden")), told.text
    if route.path.split("/")[0] in ("workflows", "executions", "credentials", "templates"):
        nothing = send(eve, route)
        assert code(told) == code(nothing) == (404, "not_found")
        assert [told.json()["error"][key] for key in ("message", "hint", "path")] == [
            nothing.json()["error"][key] for key in ("message", "hint", "path")
        ]


@of_somebody
def test_the_administrator_reads_nobodys_work(admin, bobs, route):
    if route.path.split("/")[0] in ("workflows", "executions", "credentials", "templates"):
        assert code(send(admin, route, bobs)) == (404, "not_found")


def test_what_is_ones_own_is_there(bob, bobs):
    for name, id in bobs.items():
        resource = name.partition(".")[0]
        if resource != "admin/users":
            assert bob.get(f"{resource}/{id}").status_code == 200, resource


# ---- what a request may do -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(shared, bob):
    """A page of Jupyter that bob has open, without the XSRF token, but with our own headers."""
    client = shared.browser(xsrf=False, access=bob.token)
    client.headers.update(OURS)
    return client


@mutations
def test_a_page_without_the_xsrf_token_changes_nothing(page, bobs, route):
    assert code(send(page, route, bobs)) == (403, "forbidden")


def test_with_the_token_the_page_may(shared, bob):
    page = shared.browser(access=bob.token)
    assert page.put("auth/profile", json={"full_name": "Bob"}).status_code == 200


def test_a_get_writes_nothing(shared, bob, bobs):
    gets = [route for route in ROUTES if route.method == "GET"]
    for route in gets:  # whatever is made at a first use
        send(bob, route, bobs)
    before = version(shared)
    for route in gets:
        assert send(bob, route, bobs).status_code < 500
        if Stream not in route.kinds:
            head, get = bob.head(path_of(route, bobs)), send(bob, route, bobs)
            assert (head.status_code, head.content) == (get.status_code, b"")
    assert version(shared) == before


def test_a_write_is_seen_by_that_check(shared, bob):
    before = version(shared)
    assert bob.put("auth/profile", json={"full_name": "Bob"}).status_code == 200
    assert version(shared) != before


def version(server):
    """Changes with every commit of anybody to the database, and to nothing else."""
    (file,) = server.folder.rglob("*.sqlite3")
    connection = CONNECTIONS.setdefault(file, sqlite3.connect(file, check_same_thread=False))
    return connection.execute("PRAGMA data_version").fetchone()[0]


CONNECTIONS = {}


@pytest.fixture(scope="module", autouse=True)
def closes_connections():
    yield
    for connection in CONNECTIONS.values():
        with closing(connection):
            pass
    CONNECTIONS.clear()
