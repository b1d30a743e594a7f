from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bpaz_lab.errors import EgressRefused
from bpaz_lab.guard.egress import EgressPolicy
from bpaz_lab.guard.http import async_client, client

pytestmark = pytest.mark.unit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.requests.append((self.path, self.headers))
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        getattr(self, f"serve_{url.path.strip('/') or 'ok'}", self.serve_ok)(query)

    def answer(self, body=b"", status=200, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def serve_ok(self, query):
        self.answer(b"hello")

    def serve_redirect(self, query):
        self.answer(status=302, Location=query["to"][0])

    def serve_loop(self, query):
        left = int(query["left"][0])
        self.answer(status=302, Location=f"/loop?left={left - 1}" if left else "/ok")

    def serve_big(self, query):
        self.answer(b"x" * 5000)

    def serve_endless(self, query):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.trickle(b"3e8\r\n" + b"x" * 1000 + b"\r\n", 0.001)

    def serve_drip(self, query):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.trickle(b"x", 0.05)

    def serve_dripping_head(self, query):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.trickle(b"x", 0.05)

    def trickle(self, piece, pause):
        try:
            for _ in range(500):
                self.wfile.write(piece)
                self.wfile.flush()
                if self.server.stopped.wait(pause):
                    break
        except OSError:
            pass
        self.close_connection = True

    def serve_bomb(self, query):
        self.answer(gzip.compress(b"x" * 1_000_000), Content_Encoding="gzip")


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host="127.0.0.1"):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), Handler)
        self.connections, self.requests, self.stopped = 0, [], threading.Event()
        self.port = self.server_address[1]

    def get_request(self):
        self.connections += 1
        return super().get_request()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return super().__enter__()

    def __exit__(self, *exc):
        self.stopped.set()
        self.shutdown()
        super().__exit__(*exc)


@pytest.fixture
def outer():
    """A server that the policy of a test allows."""
    with Server() as server:
        yield server


@pytest.fixture
def inner():
    """A server that must never be connected to."""
    with Server() as server:
        yield server


@pytest.fixture(params=["sync", "async"])
def fetch(request):
    """``fetch(policy, url, **options)`` through either client."""

    def fetch_sync(policy, url, **options):
        with client(policy) as web:
            return web.get(url, **options)

    async def fetch_async(policy, url, **options):
        async with async_client(policy) as web:
            return await web.get(url, **options)

    def run_async(policy, url, **options):
        return asyncio.run(fetch_async(policy, url, **options))

    return fetch_sync if request.param == "sync" else run_async


def only(server, **options):
    return EgressPolicy(allow=(f"127.0.0.1:{server.port}",), **options)


SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1",
    "0177.0.0.1", "017700000001",
    "0", "0.0.0.0",  # noqa: S104 (an address to refuse)
    "localhost", "LOCALHOST", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::127.0.0.1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "user:pass@127.0.0.1",
    "example.org@127.0.0.1",
]  # fmt: skip
# Some spellings httpx itself does not take for a URL.
REFUSALS = (EgressRefused, httpx.InvalidURL, httpx.RemoteProtocolError)


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_a_private_address_is_connected_to(fetch, inner, host):
    with pytest.raises(REFUSALS):
        fetch(EgressPolicy(), f"http://{host}:{inner.port}/")
    assert inner.connections == 0


@pytest.mark.parametrize("host", SPELLINGS)
@pytest.mark.parametrize("local", [False, True], ids=["strict", "local"])
def test_no_redirect_leads_to_a_private_address(fetch, outer, inner, host, local):
    policy = EgressPolicy.local() if local else only(outer)
    url = httpx.URL(f"http://127.0.0.1:{outer.port}/redirect", params={"to": f"http://{host}:{inner.port}/"})
    with pytest.raises(REFUSALS):
        fetch(policy, url)
    assert outer.connections == 1
    assert inner.connections == 0


@pytest.mark.parametrize(
    "target", ["ftp://127.0.0.1:{}/", "file:///etc/passwd", "gopher://127.0.0.1:{}/x", "//127.1:{}/"]
)
def test_redirects_stay_with_http(fetch, outer, inner, target):
    url = httpx.URL(f"http://127.0.0.1:{outer.port}/redirect", params={"to": target.format(inner.port)})
    with pytest.raises(REFUSALS):
        fetch(only(outer), url)
    assert inner.connections == 0


@pytest.mark.parametrize("url", ["ftp://example.org/", "file:///etc/passwd", "/relative", "data:,x"])
def test_only_http_is_spoken(fetch, url):
    with pytest.raises(EgressRefused, match="not reached"):
        fetch(EgressPolicy(), url)


def test_an_allowed_address_is_reached(fetch, outer):
    url = f"http://127.0.0.1:{outer.port}/"
    assert fetch(only(outer), url).text == "hello"
    assert fetch(EgressPolicy.local(), f"http://localhost:{outer.port}/").text == "hello"
    assert fetch(EgressPolicy(allow=("127.0.0.0/8",)), url).text == "hello"


def test_a_local_redirect_may_stay_on_its_origin(fetch, outer):
    assert fetch(EgressPolicy.local(), f"http://127.0.0.1:{outer.port}/loop?left=2").text == "hello"


@pytest.mark.parametrize(("hops", "reached"), [(4, True), (5, False)])
def test_redirects_are_capped(fetch, outer, hops, reached):
    url = f"http://127.0.0.1:{outer.port}/loop?left={hops}"
    if reached:
        assert fetch(only(outer), url).text == "hello"
    else:
        with pytest.raises(EgressRefused, match="more than 5 redirects"):
            fetch(only(outer), url)
        assert len(outer.requests) == 6


@pytest.mark.parametrize("path", ["big", "endless"])
def test_size_is_capped(fetch, outer, path):
    with pytest.raises(EgressRefused, match="4,000 bytes"):
        fetch(only(outer, max_bytes=4000), f"http://127.0.0.1:{outer.port}/{path}")


def test_an_announced_size_is_refused_before_the_body_is_read(outer):
    url = f"http://127.0.0.1:{outer.port}/big"
    with client(only(outer, max_bytes=4000)) as web, pytest.raises(EgressRefused), web.stream("GET", url):
        pytest.fail("the body could be read")


def test_a_body_of_exactly_the_cap_is_taken(fetch, outer):
    assert len(fetch(only(outer, max_bytes=5000), f"http://127.0.0.1:{outer.port}/big").content) == 5000


@pytest.mark.parametrize("path", ["drip", "dripping_head"])
def test_time_is_capped_although_each_read_is_quick(fetch, outer, path):
    with pytest.raises(EgressRefused, match="took longer"):
        fetch(only(outer, max_seconds=0.3), f"http://127.0.0.1:{outer.port}/{path}")


def test_a_compressed_answer_is_not_unpacked(fetch, outer):
    with pytest.raises(EgressRefused, match="compressed"):
        fetch(only(outer), f"http://127.0.0.1:{outer.port}/bomb")
    assert outer.requests[0][1]["Accept-Encoding"] == "identity"


def resolves_to(monkeypatch, *answers):
    """Let ``models.example`` resolve to each list of addresses in turn; gives the list of look-ups."""
    real, asked = socket.getaddrinfo, []

    def getaddrinfo(host, port, *args, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if name != "models.example":
            return real(host, port, *args, **options)
        asked.append(name)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_resolves_to_loopback_is_refused(fetch, inner, monkeypatch):
    resolves_to(monkeypatch, ["127.0.0.1"])
    with pytest.raises(EgressRefused):
        fetch(EgressPolicy(), f"http://models.example:{inner.port}/")
    resolves_to(monkeypatch, ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(EgressRefused):
        fetch(EgressPolicy(), f"http://models.example:{inner.port}/")
    assert inner.connections == 0


def test_the_checked_address_is_the_one_connected_to(fetch, outer, monkeypatch):
    asked = resolves_to(monkeypatch, ["127.0.0.1"], ["192.0.2.1"])
    answer = fetch(EgressPolicy(allow=("127.0.0.1",)), f"http://models.example:{outer.port}/")
    assert answer.text == "hello"
    assert asked == ["models.example"]
    assert outer.requests[0][1]["Host"] == f"models.example:{outer.port}"


def test_tls_names_the_host_and_not_the_address(fetch, monkeypatch):
    resolves_to(monkeypatch, ["127.0.0.1"])
    greeting = []

    def listen():
        connection, _ = listener.accept()
        with connection:
            greeting.append(connection.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=listen)
        thread.start()
        with pytest.raises(httpx.TransportError):
            fetch(EgressPolicy.local(), f"https://models.example:{listener.getsockname()[1]}/")
        thread.join()
    assert b"models.example" in greeting[0]


def test_keys_stay_on_their_origin(fetch, outer, inner):
    both = EgressPolicy(allow=("127.0.0.1",))
    url = httpx.URL(
        f"http://127.0.0.1:{outer.port}/redirect", params={"to": f"http://127.0.0.1:{inner.port}/"}
    )
    headers = {
        "Authorization": "Bearer x",
        "X-Api-Key": "x",
        "Cookie": "a=x",
        "X-Goog-Api-Key": "x",
        "X-Other": "y",
    }
    fetch(both, url, headers=headers)
    assert headers.keys() <= {name.title() for name in outer.requests[0][1]}
    assert {name.title() for name in inner.requests[0][1]} & headers.keys() == {"X-Other"}


@pytest.mark.parametrize("option", ["transport", "mounts", "proxy", "trust_env"])
@pytest.mark.parametrize("make", [client, async_client])
def test_the_transport_cannot_be_replaced(make, option):
    with pytest.raises(TypeError, match=option):
        make(EgressPolicy(), **{option: None})


def test_a_proxy_of_the_environment_is_used_only_where_the_policy_says_so(fetch, outer, inner, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{outer.port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    policy = EgressPolicy(trust_env=True)
    assert fetch(policy, "http://models.example/a").text == "hello"
    assert outer.requests[-1][0] == "http://models.example/a"
    seen = outer.connections
    for host in ("127.0.0.1", "localhost", "0x7f.1", "[::1]", "169.254.169.254"):
        with pytest.raises(EgressRefused):
            fetch(policy, f"http://{host}:{inner.port}/")
    with pytest.raises(EgressRefused):
        fetch(EgressPolicy(), f"http://127.0.0.1:{inner.port}/")
    assert inner.connections == 0
    direct = EgressPolicy(allow=("127.0.0.1",))
    assert fetch(direct, f"http://127.0.0.1:{inner.port}/").text == "hello"
    assert outer.connections == seen
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert fetch(EgressPolicy.local(), f"http://127.0.0.1:{inner.port}/").text == "hello"
    assert outer.connections == seen


def test_a_closed_port_is_the_usual_error_of_httpx(fetch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(httpx.ConnectError):
            fetch(EgressPolicy.local(), f"http://127.0.0.1:{port}/")


def test_a_connection_is_reused(outer):
    with client(only(outer)) as web:
        for _ in range(3):
            assert web.get(f"http://127.0.0.1:{outer.port}/").text == "hello"
    assert outer.connections == 1


def test_a_body_streams(outer):
    with client(only(outer)) as web, web.stream("GET", f"http://127.0.0.1:{outer.port}/endless") as answer:
        assert next(answer.iter_bytes(1000)) == b"x" * 1000
