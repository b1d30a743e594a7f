from __future__ import annotations

import json

import pytest

from bpaz_lab.api.transport.kernel_login import Kernel, KernelLogin
from bpaz_lab.api.transport.remote import ACCESS, CLIENT, Bearer, Remote, address
from bpaz_lab.api.transport.sse import Message
from bpaz_lab.errors import (
    Conflict,
    DocumentError,
    Forbidden,
    InputError,
    Invalid,
    NotFound,
    RequestError,
    RunCrashed,
    ServerUnavailable,
    SettingError,
    StoreFull,
    StoreUnavailable,
    Throttled,
    TooLarge,
    Unauthenticated,
)
from tests.support.told_server import told_server

pytestmark = pytest.mark.unit


@pytest.fixture
def told():
    with told_server() as server:
        yield server


@pytest.fixture
def remote(told):
    remote = Remote(told.url, Bearer("door-token", "access-token"), patience=2)
    yield remote
    remote.close()


def failing(told, status, error, **headers):
    body = json.dumps({"error": error}).encode()
    told.answers = [(status, {"Content-Type": "application/json", **headers}, body)]


def test_a_request_carries_what_it_was_given(told, remote):
    told.answers = [(200, {"Content-Type": "application/json"}, b'{"id": 1}')]
    query = {"limit": 5, "cursor": "", "is_public": True, "name": "a b"}
    assert remote.call("PUT", "workflows/x", query=query, body={"a": [1]}, headers={"If-Match": '"3"'}) == {
        "id": 1
    }
    method, path, headers, body = told.asked[0]
    assert (method, path) == ("PUT", "/base/bpaz/api/v1/workflows/x?limit=5&is_public=true&name=a+b")
    assert json.loads(body) == {"a": [1]}
    assert headers["If-Match"] == '"3"'
    assert headers["Authorization"] == "token door-token"
    assert headers[ACCESS] == "Bearer access-token"
    assert headers["Content-Type"] == "application/json"
    assert headers[CLIENT].startswith("bpaz_lab/")


def test_an_answer_without_a_body_is_none_and_one_that_is_no_json_a_text(told, remote):
    told.answers = [(204, {}, b""), (200, {"Content-Type": "text/csv"}, b"a,b\n")]
    assert remote.call("DELETE", "x") is None
    assert remote.call("GET", "x") == "a,b\n"


def test_no_cookie_of_jupyter_is_kept(told, remote):
    told.answers = [(200, {"Content-Type": "application/json", "Set-Cookie": "_xsrf=2|x; Path=/"}, b"{}")]
    remote.call("GET", "x")
    remote.call("POST", "x")
    assert "Cookie" not in told.asked[1][2]


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (413, TooLarge),
        (422, InputError),
        (500, RunCrashed),
        (503, StoreUnavailable),
        (507, StoreFull),
    ],
)
def test_an_error_comes_back_as_what_it_was(told, remote, status, cls):
    failing(told, status, cls("it is so", hint="do this", path="a.b").to_dict())
    with pytest.raises(cls) as caught:
        remote.call("GET", "x")
    assert type(caught.value) is cls
    assert caught.value.to_dict() == cls("it is so", hint="do this", path="a.b").to_dict()


def test_a_conflict_brings_what_is_there_now(told, remote):
    failing(told, 409, {"code": "conflict", "message": "m", "current": {"version": 4}})
    with pytest.raises(Conflict) as caught:
        remote.call("PUT", "x")
    assert caught.value.current == {"version": 4}


def test_too_often_says_when_to_try_again(told, remote):
    failing(told, 429, {"code": "throttled", "message": "m"}, **{"Retry-After": "7"})
    with pytest.raises(Throttled) as caught:
        remote.call("GET", "x")
    assert caught.value.retry_after == 7


def test_all_problems_of_a_document_come_back(told, remote):
    problems = [SettingError(f"{n} is wrong", path=f"nodes.{n}") for n in ("a", "b")]
    sent = {**DocumentError.of(problems).to_dict(), "problems": [each.to_dict() for each in problems]}
    failing(told, 422, sent)
    with pytest.raises(DocumentError) as caught:
        remote.call("POST", "x")
    assert [(type(each), each.path) for each in caught.value.problems] == [
        (SettingError, "nodes.a"),
        (SettingError, "nodes.b"),
    ]


def test_all_problems_of_a_request_come_back(told, remote):
    problems = [{"code": "missing", "message": "Field required", "hint": "Add it.", "path": "body.name"}]
    failing(told, 422, {"code": "invalid", "message": "m", "problems": problems})
    with pytest.raises(Invalid) as caught:
        remote.call("POST", "x")
    assert caught.value.problems == problems


def test_an_unknown_error_keeps_its_words(told, remote):
    failing(told, 422, {"code": "of_tomorrow", "message": "something new", "hint": "upgrade"})
    with pytest.raises(RequestError, match="something new") as caught:
        remote.call("GET", "x")
    assert caught.value.hint == "upgrade"


def test_a_fault_of_the_server_names_the_request(told, remote):
    failing(told, 500, {"code": "error", "message": "m"}, **{"X-Request-Id": "r-17"})
    with pytest.raises(Exception, match="m") as caught:
        remote.call("GET", "x")
    assert "r-17" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "headers", "cls"),
    [
        (302, {"Location": "/login?next=x"}, Unauthenticated),
        (403, {}, Forbidden),
        (404, {"Content-Type": "text/html"}, NotFound),
        (502, {"Content-Type": "text/html"}, ServerUnavailable),
        (418, {}, RequestError),
    ],
)
def test_an_answer_that_is_not_ours_is_told_by_its_status(told, remote, status, headers, cls):
    told.answers = [(status, headers, b"<html>no</html>")]
    with pytest.raises(cls) as caught:
        remote.call("GET", "x")
    assert type(caught.value) is cls
    assert str(status) in caught.value.message


def test_a_server_that_is_not_there():
    with pytest.raises(ServerUnavailable, match="cannot be reached"):
        Remote("http://127.0.0.1:9/", Bearer()).call("GET", "x")


def test_a_server_that_does_not_answer(told):
    told.answers = [(200, {"Content-Length": "10"}, b"")]
    with pytest.raises(ServerUnavailable, match="did not answer in time"):
        Remote(told.url, Bearer(), patience=0.2).call("GET", "x")


def test_what_is_no_json_is_refused_before_it_is_sent(told, remote):
    for value in (object(), float("nan")):
        with pytest.raises(InputError, match="must be JSON"):
            remote.call("POST", "x", body={"inputs": value})
    assert told.asked == []


# ---- streams ---------------------------------------------------------------------------------------


def test_a_stream_is_read_to_its_end(told, remote):
    body = ': \n\nid: 0\nevent: token\ndata: {"text":"a\u2028b"}\n\nid: 1\nevent: run.finished\ndata: {}\n\n'
    told.answers = [(200, {"Content-Type": "text/event-stream"}, body.encode())]
    assert list(remote.stream("executions/x/events", after="7")) == [
        Message("token", {"text": "a\u2028b"}, "0"),
        Message("run.finished", {}, "1"),
    ]
    assert told.asked[0][2]["Last-Event-ID"] == "7"


def test_a_stream_that_is_cut_off(told, remote):
    body = b"id: 0\nevent: token\ndata: {}\n\nid: 1\nevent: tok"
    headers = {"Content-Type": "text/event-stream", "Content-Length": "1000", "Connection": "close"}
    told.answers = [(200, headers, body)]
    found = []
    with pytest.raises(ServerUnavailable):
        found.extend(remote.stream("x"))
    stream = remote.stream("x")
    assert next(stream) == Message("token", {}, "0")
    with pytest.raises(ServerUnavailable):
        next(stream)


def test_a_stream_that_is_refused(told, remote):
    failing(told, 404, NotFound("there is no such execution").to_dict())
    with pytest.raises(NotFound, match="no such execution"):
        next(remote.stream("x"))


# ---- who asks --------------------------------------------------------------------------------------


def test_nothing_shows_a_token(remote):
    login = KernelLogin(Kernel("k1", b"the-key"))
    login._token = "the-token"
    shown = f"{remote!r} {remote.login!r} {login!r} {Kernel('k1', b'the-key')!r}"
    assert "token" not in shown.lower().replace("bearer()", "")
    assert "the-key" not in shown


def test_a_kernel_proves_itself_once_and_again_when_it_is_refused(told):
    json_ = {"Content-Type": "application/json"}
    nonce = (200, json_, b'{"nonce": "n"}')
    ok = (200, json_, b"{}")

    def capability(token, lasts=600):
        return 200, json_, json.dumps({"token": token, "expires_in": lasts}).encode()

    refused = (401, json_, json.dumps({"error": Unauthenticated("ended").to_dict()}).encode())
    told.answers = [nonce, capability("t1"), ok, ok, refused, nonce, capability("t2"), ok]
    remote = Remote(told.url, KernelLogin(Kernel("k1", b"key")))
    for _ in range(3):
        remote.call("GET", "x")
    asked = [(path.rpartition("/")[2], headers.get(ACCESS)) for _, path, headers, _ in told.asked]
    assert asked == [
        ("challenge", None),
        ("capability", None),
        ("x", "Bearer t1"),
        ("x", "Bearer t1"),
        ("x", "Bearer t1"),
        ("challenge", None),
        ("capability", None),
        ("x", "Bearer t2"),
    ]
    assert all(b"key" not in body.replace(b"kernel_id", b"") for *_, body in told.asked)
    remote.close()


def test_a_kernel_that_is_refused_twice_is_told_so(told):
    failing(told, 401, Unauthenticated("the kernel could not prove itself").to_dict())
    with pytest.raises(Unauthenticated, match="could not prove itself"):
        Remote(told.url, KernelLogin(Kernel("k1", b"key"))).call("GET", "x")


def test_a_token_is_renewed_before_it_ends(told):
    json_ = {"Content-Type": "application/json"}
    short = (200, json_, b'{"token": "t", "expires_in": 0}')
    told.answers = [(200, json_, b'{"nonce": "n"}'), short, (200, json_, b"{}")] * 2
    remote = Remote(told.url, KernelLogin(Kernel("k1", b"key")))
    remote.call("GET", "x")
    remote.call("GET", "x")
    assert sum("challenge" in path for _, path, _, _ in told.asked) == 2
    remote.close()


# ---- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("http://localhost:8888", "http://localhost:8888/"),
        ("http://localhost:8888/lab?token=abc", "http://localhost:8888/"),
        ("http://localhost:8888/lab/tree/notes/a.ipynb", "http://localhost:8888/"),
        ("http://localhost:8888/tree#x", "http://localhost:8888/"),
        ("https://hub.example/user/ann/lab/workspaces/auto-a", "https://hub.example/user/ann/"),
        ("https://hub.example/user/ann/bpaz/api/v1/workflows/", "https://hub.example/user/ann/"),
        ("https://ann:secret@hub.example/laboratory/", "https://hub.example/laboratory/"),
    ],
)
def test_an_address_as_the_browser_shows_it(url, clean):
    assert address(url) == clean


@pytest.mark.parametrize("url", ["localhost:8888", "ftp://x/", "/lab", "", "http://", "http://[::1"])
def test_what_is_no_address(url):
    with pytest.raises(RequestError, match="is no address of a server"):
        address(url)
