from __future__ import annotations

import pytest
from tornado.web import HTTPError

from bpaz_lab import errors
from bpaz_lab.errors import BpazError
from bpaz_lab.server.errors import STATUS, body_of, headers_of, status_of

pytestmark = pytest.mark.unit


def subclasses(cls):
    return {cls}.union(*(subclasses(each) for each in cls.__subclasses__()))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Unauthenticated("x"), 401),
        (errors.Forbidden("x"), 403),
        (errors.NotFound("x"), 404),
        (errors.MethodNotAllowed("x"), 405),
        (errors.Conflict("x"), 409),
        (errors.StaleChange("x"), 409),
        (errors.TooLarge("x"), 413),
        (errors.WrongMediaType("x"), 415),
        (errors.Invalid("x"), 422),
        (errors.EdgeError("x"), 422),
        (errors.InputError("x"), 422),
        (errors.JsonError("x"), 400),
        (errors.Throttled("x"), 429),
        (errors.StoreUnavailable("x"), 503),
        (errors.SchemaOutdated("x"), 503),
        (errors.KeyMissing("x"), 503),
        (errors.SettingsError("x"), 503),
        (errors.StoreFull("x"), 507),
        (errors.StoreError("x"), 500),
        (BpazError("x"), 500),
        (ValueError("x"), 500),
        (HTTPError(403, "no"), 403),
    ],
)
def test_the_status_of_an_error(error, status):
    assert status_of(error) == status


def test_every_error_of_a_request_and_of_a_document_is_the_requests_fault():
    told = [
        cls for root in (errors.RequestError, errors.DocumentError) for cls in subclasses(root)
        if cls.__module__ == "bpaz_lab.errors"
    ]  # fmt: skip
    assert len(told) > 20
    assert [cls for cls in told if not 400 <= status_of(cls("x")) < 500] == []


def test_no_class_in_the_table_is_hidden_by_one_above_it():
    for cls, status in STATUS.items():
        assert status_of(cls("x")) == status


def test_the_body_says_what_where_and_what_next():
    told = body_of(errors.EdgeError("no port", hint="Look.", path="edges.0"), "r1")["error"]
    problem = {"code": "edge", "message": "no port", "hint": "Look.", "path": "edges.0"}
    assert told == {**problem, "request_id": "r1", "problems": [problem]}


def test_a_conflict_shows_what_there_is_now():
    assert body_of(errors.Conflict("x", current={"version": 3}), "r")["error"]["current"] == {"version": 3}
    assert "current" not in body_of(errors.Conflict("x"), "r")["error"]


@pytest.mark.parametrize(
    "error", [ValueError("sk-canary"), errors.StoreError("SELECT sk-canary", hint="sk-canary")]
)
def test_a_fault_of_our_own_tells_nothing_but_the_request(error):
    told = body_of(error, "r7")["error"]
    assert "canary" not in str(told)
    assert told["request_id"] == "r7"


def test_what_tornado_refuses_has_the_same_form():
    assert body_of(HTTPError(403, "'_xsrf' argument missing"), "r")["error"] == {
        "code": "forbidden", "message": "'_xsrf' argument missing", "hint": "", "path": "", "request_id": "r",
    }  # fmt: skip
    assert body_of(HTTPError(400), "r")["error"]["message"] == "Bad Request"


def test_headers_say_when_to_come_again_and_what_is_allowed():
    assert headers_of(errors.Throttled("x", retry_after=2.2)) == {"Retry-After": "3"}
    assert headers_of(errors.Throttled("x", retry_after=0)) == {"Retry-After": "1"}
    assert headers_of(errors.MethodNotAllowed("x", allowed=["GET"])) == {"Allow": "GET, OPTIONS"}
    assert headers_of(errors.StoreUnavailable("x")) == {"Retry-After": "1"}
    assert headers_of(errors.NotFound("x")) == {}
