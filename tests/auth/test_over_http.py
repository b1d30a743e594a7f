"""Signing in over HTTP, as a browser does it: cookies, headers, and what Jupyter's door adds."""

from __future__ import annotations

import uuid
from http.cookies import SimpleCookie

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.auth]

PASSWORD = "a long walk in the rain"


def somebody():
    """An address that nobody has yet: the server is one for the whole file."""
    return {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}


@pytest.fixture
def page(shared):
    """A page of a browser that Jupyter has let in."""
    return shared.browser()


def cookies(answer):
    """What an answer sets, by name."""
    made = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        made.load(line)
    return made


def bearer(answer):
    return {"X-Bpaz-Authorization": f"Bearer {answer.json()['access_token']}"}


def test_the_refresh_token_is_in_a_cookie_for_one_path(shared, page):
    answer = page.post("auth/signup", json=somebody())
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    morsel = cookies(answer)["bpaz_refresh"]
    assert morsel["path"] == f"{shared.app.base_url}bpaz/api/v1/auth/refresh"
    assert morsel["httponly"]
    assert morsel["samesite"] == "Strict"
    assert int(morsel["max-age"]) == 7 * 86400
    assert morsel.value not in answer.text
    assert answer.json()["access_token"] not in str(answer.headers)


def test_a_browser_refreshes_by_its_cookie(page):
    signed_in = page.post("auth/signup", json=somebody())
    first = page.cookies["bpaz_refresh"]
    answer = page.post("auth/refresh")
    assert answer.status_code == 200
    assert page.cookies["bpaz_refresh"] != first
    profile = page.get("auth/profile", headers=bearer(answer))
    assert profile.json()["email"] == signed_in.json()["user"]["email"]


def test_no_other_request_carries_the_cookie(page):
    page.post("auth/signup", json=somebody())
    assert "bpaz_refresh" not in page.build_request("GET", "auth/profile").headers["cookie"]
    assert "bpaz_refresh" in page.build_request("POST", "auth/refresh").headers["cookie"]


def test_the_cookie_alone_says_nothing_about_who_asks(page):
    page.post("auth/signup", json=somebody())
    assert page.get("auth/profile").status_code == 401
    assert page.get("workflows/").status_code == 401


def test_signing_out_takes_the_cookie_away_and_ends_the_token(page):
    answer = page.post("auth/signup", json=somebody())
    assert page.get("auth/profile", headers=bearer(answer)).status_code == 200
    ended = page.post("auth/signout", headers=bearer(answer))
    assert ended.status_code == 204
    assert "bpaz_refresh" not in page.cookies
    assert page.get("auth/profile", headers=bearer(answer)).status_code == 401
    assert page.post("auth/refresh").status_code == 401


def test_a_refresh_without_the_xsrf_token_is_refused(shared, page):
    page.post("auth/signup", json=somebody())
    kept = page.headers.pop("X-XSRFToken")
    assert page.post("auth/refresh").status_code == 403
    page.headers["X-XSRFToken"] = kept
    assert page.post("auth/refresh").status_code == 200


@pytest.mark.parametrize("route", ["auth/signup", "auth/signin", "auth/refresh"])
def test_jupyter_opens_the_door_first(shared, route):
    outside = shared.client(jupyter=False, headers={"X-Bpaz-Client": "test"})
    assert outside.post(route, json=somebody()).status_code in (401, 403)


NO_TOKENS = [
    "Bearer",
    "Bearer x",
    "Basic eDp4",
    "x",
    "Bearer a.b.c",
    "Bearer bpaz-kernel-x",
    "Bearer " + "x" * 5000,
]


@pytest.mark.parametrize("header", NO_TOKENS)
def test_a_header_that_is_no_token_is_401(shared, header):
    client = shared.client()
    client.headers["X-Bpaz-Authorization"] = header
    answer = client.get("auth/profile")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"


def test_unknown_and_wrong_get_the_same_answer_over_http(page):
    known = somebody()
    page.post("auth/signup", json=known)
    wrong = page.post("auth/signin", json={**known, "password": "not the password"})
    unknown = page.post("auth/signin", json=somebody())
    assert wrong.status_code == unknown.status_code == 401
    told = [{**each.json()["error"], "request_id": ""} for each in (wrong, unknown)]
    assert told[0] == told[1]
    assert "set-cookie" not in wrong.headers or "bpaz_refresh" not in wrong.headers["set-cookie"]


def test_too_many_wrong_passwords_say_when_to_try_again(page):
    known = somebody()
    for _ in range(15):  # each wait is twice the one before, and soon longer than an attempt takes
        answer = page.post("auth/signin", json=known)
        if answer.status_code != 401:
            break
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["code"] == "throttled"


def test_an_answer_to_a_wrong_form_shows_no_password(page):
    answer = page.post("auth/signin", json={"email": "not an address", "password": PASSWORD, "more": 1})
    assert answer.status_code == 422
    assert PASSWORD not in answer.text


def test_one_owner_needs_no_account(server):
    page = server.browser()
    profile = page.get("auth/profile").json()
    assert (profile["identity_provider"], profile["permissions"]) == ("local", ["all"])
    answer = page.post("auth/signin", json=somebody())
    assert answer.status_code == 403
    assert "no accounts" in answer.json()["error"]["message"]


def test_an_export_and_a_table_are_files(server):
    page = server.browser()
    answer = page.get("auth/profile/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="bpaz_lab-export.json"'
    assert answer.json()["tables"]["users"][0]["subject"] == "owner"
    answer = page.get("admin/audit", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("id,created_at,")
