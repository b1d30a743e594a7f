"""Postgres is killed and started again, and its connections are cut, while clients and an execution go on.

Meanwhile every answer is a typed 503 and comes soon; afterwards all go on by themselves, and nothing of the
execution is missing.
"""

from __future__ import annotations

import threading
import time

import pytest

from tests.withstand.town import GREETING, stored

pytestmark = [pytest.mark.integration, pytest.mark.api]

SOON = 15.0
"""Seconds that nobody waits longer than for an answer; a hanging server would take the client's 60."""
LONG = {
    "bpaz": 1,
    "name": "Long",
    "nodes": {
        "items": {"type": "PromptTemplate", "settings": {"template": "{text}"}},
        **{f"wait{n}": {"type": "Delay", "settings": {"seconds": 0.4}} for n in range(12)},
    },
    "edges": [
        ["items.text", "wait0.value"],
        *[[f"wait{n}.value", f"wait{n + 1}.value"] for n in range(11)],
    ],
}


@pytest.fixture(scope="module")
def database(postgres, postgres_template):
    name = postgres.create(postgres_template)
    yield name
    postgres.drop(name)


@pytest.fixture(scope="module")
def server(postgres, database, tmp_path_factory):
    from tests.support.server import serving

    with serving(tmp_path_factory.mktemp("away"), {"database_url": postgres.url(database)}) as running:
        yield running


class Clients:
    """Clients that ask without end: one reads a list, one reads a workflow, one saves it again and again."""

    def __init__(self, server):
        self.answers, self.lost = [], []
        self._over = threading.Event()
        self._clients = [server.client() for _ in range(3)]
        self.workflow = stored(self._clients[0])
        self.saved = 1
        work = (self._list, self._get, self._save)
        self._threads = [
            threading.Thread(target=self._go, args=pair) for pair in zip(work, self._clients, strict=True)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)

    def _go(self, work, client):
        while not self._over.is_set():
            began = time.monotonic()
            answer = work(client)
            self.answers.append((began, time.monotonic() - began, work.__name__, answer))
            time.sleep(0.02)

    def _list(self, client):
        return client.get("workflows/")

    def _get(self, client):
        return client.get(f"workflows/{self.workflow}")

    def _save(self, client):
        body = {"message": "again", "version": self.saved}
        answer = client.put(f"workflows/{self.workflow}", json=body)
        if answer.status_code == 200:
            self.saved = answer.json()["version"]
        elif answer.status_code == 409:  # it was saved, and the answer got lost with the connection
            self.lost.append(answer.json()["error"]["current"]["version"])
            assert self.lost[-1] == self.saved + 1
            self.saved += 1
        return answer

    def well(self, since):
        """Whether each client has had a good answer since then."""
        good = {
            name for began, _, name, answer in self.answers if began > since and answer.status_code == 200
        }
        return good == {"_list", "_get", "_save"}

    def check(self):
        """Everything was answered soon, and well or with a typed 503."""
        for _, lasted, _, answer in self.answers:
            assert answer.status_code in (200, 409, 503), answer.text
            if answer.status_code == 503:
                assert answer.json()["error"]["code"] == "store_unavailable", answer.text
                assert answer.headers["Retry-After"]
            assert lasted < SOON


def until(condition, seconds=40):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def started(server):
    answer = server.client().post(
        "workflows/execute?wait=0", json={"flow_data": LONG, "inputs": {"text": "on and on"}}
    )
    assert answer.status_code == 202, answer.text
    id = answer.json()["id"]
    until(lambda: len(events(server, id)) > 3, 60)
    return id


def events(server, id):
    answer = server.client().get(f"executions/{id}/events", headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def complete(server, id):
    """The execution ends well, and has all of its events."""
    client = server.client()
    until(lambda: client.get(f"executions/{id}").json()["status"] not in ("pending", "running"), 60)
    told = client.get(f"executions/{id}").json()
    assert (told["status"], told["output"]) == ("completed", "on and on")
    found = events(server, id)
    assert [event["seq"] for event in found] == list(range(len(found)))
    assert found[-1]["type"] == "run.finished"
    ended = [event["node"] for event in found if event["type"] == "node.finished"]
    assert sorted(ended) == sorted(LONG["nodes"])


def versions(server, clients):
    """Every save that was told to be one is there, and no other."""
    client, found, cursor = server.client(), [], ""
    while True:
        params = {"sort": "version", "limit": 200, "cursor": cursor}
        page = client.get(f"workflows/{clients.workflow}/versions", params=params).json()
        found += [each["version"] for each in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert found == list(range(1, clients.saved + 1)) or found == list(range(1, clients.saved + 2))


def test_killed_and_started_again(server, postgres):
    health = server.client(jupyter=False)
    id = started(server)
    with Clients(server) as clients:
        until(lambda: clients.well(0))
        postgres.kill()
        try:
            until(lambda: health.get("health").status_code == 503)
            told = server.client().get("health/details")
            assert told.status_code == 503
            assert told.json()["components"]["database"]["code"] == "store_unavailable"
            away = time.monotonic()
            until(lambda: sum(answer.status_code == 503 for *_, answer in clients.answers) >= 6)
            refused = server.client().post("workflows/", json={"flow_data": GREETING})
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
            assert not clients.well(away)
        finally:
            postgres.start()
        back = time.monotonic()
        until(lambda: clients.well(back))
        assert health.get("health").status_code == 200
    clients.check()
    complete(server, id)
    versions(server, clients)


def test_all_connections_are_cut_again_and_again(server, postgres, database):
    id = started(server)
    with Clients(server) as clients:
        until(lambda: clients.well(0))
        for _ in range(8):
            postgres.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s AND pid <> pg_backend_pid()",
                parameters=(database,),
            )
            time.sleep(0.15)
        back = time.monotonic()
        until(lambda: clients.well(back))
    clients.check()
    complete(server, id)
    versions(server, clients)
