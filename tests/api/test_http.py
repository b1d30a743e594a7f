"""What holds for every request, whatever it asks for."""

from __future__ import annotations

import json
import socket

import pytest

pytestmark = pytest.mark.api

PORTS = "nodes/PromptTemplate/ports"
JSON = {"Content-Type": "application/json"}


def error(response):
    return response.json()["error"]


# ---- ids and headers ----------------------------------------------------------------------------------


def test_a_request_keeps_the_id_that_it_came_with(api):
    told = api.get("nope", headers={"X-Request-Id": "mine-7"})
    assert told.headers["X-Request-Id"] == error(told)["request_id"] == "mine-7"


@pytest.mark.parametrize("id", ["", "a b", "x" * 65, "<script>", "a;b"])
def test_an_id_that_could_be_anything_is_replaced(api, id):
    told = api.get("health", headers={"X-Request-Id": id}).headers["X-Request-Id"]
    assert len(told) == 32
    assert told.isalnum()


@pytest.mark.parametrize("path", ["health", "nope", "nodes", "docs", "metrics"])
def test_every_answer_is_guarded(api, path):
    headers = api.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert "Server" not in headers


# ---- paths and methods ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["nope", "", "nodes/x/y", "..%2f..%2fapi", "nodes/%ff", "workflows/%00", "nodes//ports"]
)
def test_an_unknown_route_is_typed(api, path):
    told = api.get(path)
    assert (told.status_code, error(told)["code"]) == (404, "not_found")
    assert told.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE", "POST"])
def test_a_method_that_a_route_lacks_says_which_it_has(api, method):
    told = api.request(method, "nodes")
    assert (told.status_code, error(told)["code"]) == (405, "method_not_allowed")
    assert told.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_method_that_nobody_knows_is_refused(api):
    assert api.request("BREW", "nodes").status_code == 405


def test_options_say_what_there_is(api):
    told = api.options("workflows/")
    assert (told.status_code, told.headers["Allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    assert api.options("nope").status_code == 404


def test_head_is_get_without_the_body(api):
    told = api.head("nodes")
    assert (told.status_code, told.content) == (200, b"")
    assert int(told.headers["Content-Length"]) == len(api.get("nodes").content)


def test_a_slash_at_the_end_does_not_count(api):
    assert api.get("nodes/").json() == api.get("nodes").json()
    assert api.get("workflows").json() == api.get("workflows/").json()


# ---- bodies and queries -----------------------------------------------------------------------------------

HOSTILE = {
    "nothing but a brace": b"{",
    "a trailing comma": b'{"settings": {},}',
    "NaN": b'{"settings": {"a": NaN}}',
    "Infinity": b'{"settings": {"a": -Infinity}}',
    "a key twice": b'{"settings": {}, "settings": {}}',
    "no UTF-8": b'{"settings": {"a": "\xff"}}',
    "a byte order mark": b'\xef\xbb\xbf{"settings": {}}',
    "UTF-16": '{"settings": {}}'.encode("utf-16"),
    "half a surrogate pair": b'{"settings": {"a": "\\ud800"}}',
    "NUL": b'{"settings": {"a": "\\u0000"}}',
    "NUL in a key": b'{"settings": {"\\u0000": 1}}',
    "too deep": b'{"settings": ' + b'{"a": ' * 100 + b"1" + b"}" * 101,
    "much too deep": b"[" * 100_000,
    "an endless number": b'{"settings": {"a": ' + b"9" * 100_000 + b"}}",
    "a huge exponent": b'{"settings": {"a": 1e999999}}',
    "a string too long": b'{"settings": {"a": "' + b"x" * 300_000 + b'"}}',
    "two values": b'{"settings": {}} {"settings": {}}',
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    "a pickle": b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_the_clients_fault(api, name):
    told = api.post(PORTS, content=HOSTILE[name], headers=JSON)
    assert (told.status_code, error(told)["code"]) == (400, "json"), told.text
    assert api.get("health").status_code == 200


@pytest.mark.parametrize(
    "value", [[], 1, "x", True, {"nope": 1}, {"settings": []}, {"settings": {"a": 2**60 + 1}}]
)
def test_json_of_another_shape_says_where(api, value):
    told = api.post(PORTS, content=json.dumps(value), headers=JSON)
    assert told.status_code in (400, 422)
    assert error(told)["message"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/json; charset=latin-1",
    ],
)
def test_a_body_must_say_that_it_is_json(api, kind):
    told = api.post(PORTS, content=b'{"settings": {}}', headers={"Content-Type": kind})
    assert (told.status_code, error(told)["code"]) == (415, "media_type")


def test_json_may_name_its_charset(api):
    told = api.post(PORTS, content=b"{}", headers={"Content-Type": 'Application/JSON; charset="UTF-8"'})
    assert told.status_code == 200


@pytest.mark.parametrize(
    "query",
    ["nope=1", "search=a&search=b", "search", "search=%ff", "search=%00", "&".join(["category=a"] * 60)],
)
def test_a_query_is_read_strictly(api, query):
    told = api.get(f"nodes?{query}")
    assert (told.status_code, error(told)["code"]) == (422, "invalid")


def test_a_token_of_jupyter_has_no_place_in_an_address(server):
    with server.client(jupyter=False) as client:
        told = client.get("nodes", params={"token": "the-token-of-jupyter"})
    assert told.status_code == 422


def test_a_value_that_was_sent_does_not_come_back(api):
    told = api.post("credentials", json={"name": "x" * 101, "type": 5, "fields": {"value": ["sk-canary"]}})
    assert told.status_code == 422
    assert len(error(told)["problems"]) == 3
    assert "canary" not in told.text


# ---- how much -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    from tests.support.server import serving

    settings = {"body_limit": 2048, "allowed_origins": ["https://pages.example.org"]}
    with serving(tmp_path_factory.mktemp("small"), settings) as server:
        yield server


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_refused_and_not_kept(small, chunked):
    def parts():
        for _ in range(64):
            yield b" " * 65_536

    content = parts() if chunked else b" " * 4 * 2**20
    with small.client() as client:
        told = client.post(PORTS, content=content, headers=JSON)
        assert (told.status_code, error(told)["code"]) == (413, "too_large")
        assert client.post(PORTS, content=b"{}" + b" " * 2046, headers=JSON).status_code == 200


def test_a_body_that_never_comes_holds_nobody_up(small):
    with socket.create_connection(("127.0.0.1", small.app.port)) as slow:
        slow.sendall(
            b"POST /bpaz/api/v1/kernel/challenge HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
        )
        assert small.client().get("health").status_code == 200


# ---- other origins ----------------------------------------------------------------------------------------


def asked(client, origin, method="GET"):
    return client.request(method, "nodes", headers={"Origin": origin})


def test_a_listed_page_may_read_the_answer(small):
    told = asked(small.client(), "https://pages.example.org")
    assert told.headers["Access-Control-Allow-Origin"] == "https://pages.example.org"
    assert "Access-Control-Allow-Credentials" not in told.headers
    assert told.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "https://pages.example.org.evil.example", "null", "*"]
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_other_page_may(small, server, origin, method):
    for each in (small, server):  # whom Jupyter itself would let in, as it has shown its token
        told = asked(each.client(), origin, method)
        assert "Access-Control-Allow-Origin" not in told.headers
        assert "Access-Control-Allow-Headers" not in told.headers


def test_a_listed_page_may_ask_what_it_may_send(small):
    with small.client(jupyter=False) as client:
        told = asked(client, "https://pages.example.org", "OPTIONS")
    assert told.status_code == 204
    assert "X-Bpaz-Authorization" in told.headers["Access-Control-Allow-Headers"]
    assert told.headers["Access-Control-Allow-Methods"] == "GET, HEAD"


def test_an_error_can_be_read_by_a_listed_page_too(small):
    with small.client(headers={"Origin": "https://pages.example.org"}) as client:
        told = client.get("nope", headers={"Authorization": "token the-token-of-jupyter"})
    assert told.headers["Access-Control-Allow-Origin"] == "https://pages.example.org"


def test_a_page_of_another_origin_is_refused_with_a_cookie(server):
    told = asked(server.browser(), "https://evil.example.org", "GET")
    assert told.status_code in (403, 404)
    assert "nodes" not in told.json()


def test_jupyters_own_setting_of_origins_does_not_count_here(serve):
    server = serve(jupyter={"allow_origin": "*", "allow_credentials": True})
    told = asked(server.client(), "https://evil.example.org")
    assert "Access-Control-Allow-Origin" not in told.headers
    assert "Access-Control-Allow-Credentials" not in told.headers


def test_another_host_in_the_request_is_refused(server):
    with server.client(headers={"Host": "evil.example.org"}) as client:  # DNS rebinding
        told = client.get("health")
    assert (told.status_code, error(told)["code"]) == (403, "forbidden")
