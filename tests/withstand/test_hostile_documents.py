"""Hostile documents, thousands where there is time: no answer of 500 or above, and the server does nothing.

A hook on the interpreter's own audit events listens while they are saved, checked, compared and asked to be
run: the server's threads execute, import, open and connect to nothing that they do not for a harmless one.
"""

from __future__ import annotations

import copy
import json
import random
import socket
import sys
import threading
from contextlib import contextmanager

import pytest

from bpaz_lab.nodes.catalogue import catalogue
from tests.support.executions import Waiting
from tests.support.server import serving
from tests.withstand.town import GREETING

pytestmark = [pytest.mark.integration, pytest.mark.api]

WATCHED = (
    "exec", "compile", "import", "open", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn",
    "os.fork",
    "os.spawn", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "shutil.", "socket.connect",
    "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request", "pickle.find_class",
    "marshal.", "ctypes.", "code.__new__", "object.__setattr__", "glob.glob", "tempfile.", "webbrowser.open",
)  # fmt: skip

TEXTS = [
    "__import__('os').system('touch /tmp/harmed')", "{0.__class__.__mro__}", "{question.__class__}",
    "{{7*7}}",
    "os.system", "builtins.eval", "../../../../etc/passwd", "/etc/passwd", "/proc/self/environ",
    "file:///etc/shadow",
    "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:%PORT%/", "//127.0.0.1:%PORT%/x",
    "~root/.ssh/id_rsa",
    "<script>alert(1)</script>", "'; DROP TABLE workflows; --", "=1+1", "${jndi:ldap://127.0.0.1:%PORT%/a}",
    "!!python/object/apply:os.system ['id']", "\u202e", "\ufeff", "a" * 3_000, "", " ", ".", "..", "$cred",
    "$ref", "#",
    "True", "None", "1", "NaN", "%s%n", "x.y", "x.y.z", ".x", "x.", "lambda: 0", "(a+)+$", "a" * 40 + "!",
]  # fmt: skip
NAMES = [
    "__class__", "__init__", "__proto__", "constructor", "$cred", "$ref", "bpaz", "nodes", "edges", "body",
    "settings",
    "type", "version", "policy", "layout", "notes", "groups", "title", "path", "url", "base_url",
    "api_key", "code",
    "expression", "template", "model", "hello", "x" * 200, "", "class", "1", "a-b", "a b", "ä", "self",
]  # fmt: skip
VALUES = [
    None, True, False, 0, -1, 1, 2**31, 2**53, -(2**53), 1e308, -1e308, 5e-324, 0.1, [], {}, [[]], [{}],
    {"$cred": "x"},
    {"$cred": ""}, {"$cred": {"$cred": "x"}}, {"$cred": "x", "y": 1}, ["a.b", "c.d"], ["a.b"], ["a", "b",
    "c"],
]  # fmt: skip


class Watch:
    """What the server's threads do; the test's own thread does not count."""

    def __init__(self):
        self.on, self.seen, self.mine = False, [], threading.get_ident()
        sys.addaudithook(self._hook)

    def _hook(self, event, arguments):
        if self.on and threading.get_ident() != self.mine and event.startswith(WATCHED):
            if event in ("compile", "exec") and _of_sqlalchemy(sys._getframe(1)):
                return
            self.seen.append((event, repr(arguments[:1])[:300]))

    @contextmanager
    def watching(self):
        self.on, self.seen = True, []
        try:
            yield self
        finally:
            self.on = False


def _of_sqlalchemy(frame):
    """SQLAlchemy writes small functions at the first use of a kind of expression, in the background too."""
    return "/sqlalchemy/util/langhelpers" in frame.f_code.co_filename


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose executions no kernel takes: a kernel is a process, and none may be started here."""
    with serving(tmp_path_factory.mktemp("hostile"), {"runs_per_user": 10**6}) as running:
        kernels, running.lab.runner = running.lab.runner, Waiting(running.lab)
        yield running
        running.lab.runner = kernels


@pytest.fixture(scope="module")
def trap():
    """A listener that nobody may come to."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    yield listener
    listener.close()


class Maker:
    """Makes documents, each from a number."""

    def __init__(self, port):
        self.types = sorted(each.__name__ for each in catalogue())
        self.port = str(port)

    def document(self, number):
        chance = random.Random(number)  # noqa: S311 (no secret)
        made = self._plausible(chance) if number % 4 else self._any(chance, 5)
        for _ in range(chance.randint(0, 4)):
            made = self._mutated(chance, made)
        return made

    def _text(self, chance):
        return chance.choice(TEXTS).replace("%PORT%", self.port)

    def _plausible(self, chance, depth=0):
        """A document whose shape is right, with settings that are not."""
        nodes = {}
        for number in range(chance.randint(1, 4)):
            entry = {"type": chance.choice([*self.types, *self.types, "Nothing", "os.system", ""])}
            entry["settings"] = {name: self._any(chance, 2) for name in self._fields(chance, entry["type"])}
            if depth < 2 and chance.random() < 0.2:
                entry["body"] = self._plausible(chance, depth + 1)
            if chance.random() < 0.2:
                entry["policy"] = {
                    chance.choice(["retries", "timeout", "on_error", "x"]): self._any(chance, 1)
                }
            nodes[f"n{number}"] = entry
        ends = [
            f"n{chance.randint(0, 4)}.{chance.choice(['text', 'value', 'result', 'prompt', 'x'])}"
            for _ in range(6)
        ]
        edges = [ends[:2], ends[2:4]] if chance.random() < 0.5 else []
        made = {"nodes": nodes, "edges": edges}
        return made if depth else {"bpaz": 1, "name": self._text(chance) or "x", **made}

    def _fields(self, chance, type):
        spec = catalogue().spec(type)
        own = [field.name for field in spec.fields] if spec else []
        return chance.sample(own, min(len(own), 3)) + (
            [chance.choice(NAMES)] if chance.random() < 0.3 else []
        )

    def _any(self, chance, depth):
        kind = chance.random()
        if depth == 0 or kind < 0.55:
            return self._text(chance) if kind < 0.35 else copy.deepcopy(chance.choice(VALUES))
        if kind < 0.75:
            return [self._any(chance, depth - 1) for _ in range(chance.randint(0, 4))]
        return {chance.choice(NAMES): self._any(chance, depth - 1) for _ in range(chance.randint(0, 4))}

    def _mutated(self, chance, value):
        """Something else in one place."""
        if isinstance(value, dict) and value and chance.random() < 0.85:
            name = chance.choice(sorted(value))
            changed = {**value, name: self._mutated(chance, value[name])}
            if chance.random() < 0.15:
                del changed[name]
            elif chance.random() < 0.15:
                changed[chance.choice(NAMES)] = changed.pop(name)
            return changed
        if isinstance(value, list) and value and chance.random() < 0.85:
            place = chance.randrange(len(value))
            return [*value[:place], self._mutated(chance, value[place]), *value[place + 1 :]]
        return self._any(chance, 2)


def ask(client, document, saved, ways=(0, 1, 2)):
    """Everything that takes a document, or some of it; gives the answers."""
    told = [client.post("workflows/?check=true", json={"flow_data": document})]
    if told[0].status_code == 201:
        told.append(client.get(f"workflows/{told[0].json()['id']}?check=true"))
        assert told[-1].json()["flow_data"] == told[0].json()["flow_data"]
    if 0 in ways:
        told.append(client.post("templates", json={"flow_data": document}))
    if 1 in ways:
        told.append(client.post("workflows/execute?wait=0", json={"flow_data": document, "inputs": {}}))
    if 2 in ways:
        now = client.get(f"workflows/{saved}").json()["version"]
        body = {"flow_data": document, "message": "x", "version": now}
        told.append(client.put(f"workflows/{saved}?check=true", json=body))
        if told[-1].status_code == 200:
            told.append(client.get(f"workflows/{saved}/diff"))
    return told


def test_hostile_documents_are_only_data(server, watch, trap, full):
    client, maker = server.client(), Maker(trap.getsockname()[1])
    made = client.post("workflows/", json={"flow_data": GREETING})
    saved = made.json()["id"]
    second = {**GREETING, "edges": [["hello.text", "other.text"]]}
    with watch.watching():  # what is done for harmless ones, and what is imported at first use
        for document in (GREETING, second, GREETING):
            ask(client, document, saved)
        for number in range(-1, -40, -1):
            ask(client, maker.document(number), saved)
    with watch.watching():
        for document in (GREETING, second):
            ask(client, document, saved)
        usual = set(watch.seen)
    taken = 0
    with watch.watching():
        for number in range(10_000 if full else 300):
            ways = (0, 1, 2) if full else (number % 3,)
            for answer in ask(client, maker.document(number), saved, ways):
                assert answer.status_code < 500, (number, answer.request.url, answer.text)
                assert answer.status_code in (200, 201, 202, 400, 413, 422), (number, answer.text)
                taken += answer.status_code in (200, 201, 202)
        unusual = set(watch.seen) - usual
    assert unusual == set()
    assert taken > 50  # or else they are all refused for one reason, and reach nothing
    with pytest.raises(TimeoutError):
        trap.accept()
    cursor, listed = "", 0
    while True:
        page = client.get("workflows/", params={"limit": 200, "cursor": cursor})
        assert page.status_code == 200
        listed += len(page.json()["items"])
        cursor = page.json()["next"]
        if not cursor:
            break
    assert listed > 10


@pytest.mark.parametrize("harm", ["import", "exec", "open", "connect"])
def test_the_watch_sees_harm(watch, trap, tmp_path, harm):
    (tmp_path / "one_more_module.py").write_text("x = 1")

    def do():
        if harm == "import":
            sys.path.insert(0, str(tmp_path))
            import one_more_module  # noqa: F401

            sys.path.pop(0)
        if harm == "exec":
            exec("x = 1")  # noqa: S102 (that is what is to be seen)
        if harm == "open":
            (tmp_path / "one_more_module.py").read_text()
        if harm == "connect":
            socket.create_connection(trap.getsockname()).close()
            trap.accept()[0].close()

    with watch.watching():
        thread = threading.Thread(target=do)
        thread.start()
        thread.join()
    assert watch.seen


def test_hostile_bytes(server, full):
    """Documents cut, doubled and turned over byte by byte: they are refused as what they are."""
    client, chance = server.client(), random.Random(7)  # noqa: S311 (no secret)
    sound = json.dumps({"flow_data": GREETING}).encode()
    told = set()
    for _ in range(2_000 if full else 100):
        broken = bytearray(sound)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(broken))
            how = chance.randrange(4)
            if how == 0:
                broken[place] = chance.randrange(256)
            elif how == 1:
                del broken[place : place + chance.randint(1, 9)]
            elif how == 2:
                broken[place:place] = bytes(broken[place : place + chance.randint(1, 30)])
            else:
                broken[place:place] = chance.choice(
                    [b"\\ud800", b"NaN", b"1e999", b"\0", b"\xff", b"[" * 300, b"{}"]
                )
        answer = client.post(
            "workflows/", content=bytes(broken), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (201, 400, 422), (bytes(broken), answer.text)
        told.add(answer.status_code)
    assert {400, 422} <= told
