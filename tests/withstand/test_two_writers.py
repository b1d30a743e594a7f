"""Many who save the same workflow at once: one winner a version, the others are told, and nothing is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.withstand.town import GREETING, rows, stored

pytestmark = [pytest.mark.integration, pytest.mark.api]

WRITERS = 5


@pytest.fixture(scope="module")
def server(kept, tmp_path_factory):
    from tests.support.server import serving

    with serving(tmp_path_factory.mktemp("writers"), kept) as running:
        yield running


def document(mark):
    """A document that says who saved it."""
    hello = {"type": "PromptTemplate", "settings": {"template": mark}}
    return {**GREETING, "nodes": {"hello": hello}}


def mark_of(document):
    return document["nodes"]["hello"]["settings"]["template"]


class Writer:
    """Loads once, then saves again and again, each time on what was the latest the last time it looked."""

    def __init__(self, name, client, id, saves):
        self.name, self.client, self.id, self.saves = name, client, id, saves
        self.won, self.lost = {}, 0

    def go(self):
        version = 1
        for number in range(self.saves):
            mark = f"{self.name} {number}"
            body = {"flow_data": document(mark), "message": mark}
            by = sum(mark.encode()) % 2 == 0
            headers = {"If-Match": f'"{version}"'} if by else {}
            answer = self.client.put(
                f"workflows/{self.id}", json=body if by else {**body, "version": version}, headers=headers
            )
            told = answer.json()
            if answer.status_code == 200:
                assert told["version"] == version + 1
                assert mark_of(told["flow_data"]) == mark
                assert answer.headers["ETag"] == f'"{version + 1}"'
                self.won[version + 1] = mark
                version += 1
            else:
                assert answer.status_code == 409, answer.text
                current = told["error"]["current"]
                assert current["version"] > version
                assert mark_of(current["flow_data"]) == current["message"]
                version = current["version"]
                self.lost += 1
        return self


def test_one_winner_a_version(server, full):
    saves = (1_000 if full else 60) // WRITERS
    id = stored(server.client(), document("first"), message="first")
    writers = [Writer(f"writer {n}", server.client(), id, saves) for n in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        done = list(pool.map(Writer.go, writers))
    won = {1: "first"} | {version: mark for writer in done for version, mark in writer.won.items()}
    assert len(won) == 1 + sum(len(writer.won) for writer in done)  # no version was won twice
    assert sorted(won) == list(range(1, len(won) + 1))
    assert sum(writer.lost for writer in done) + len(won) - 1 == saves * WRITERS
    assert sum(writer.lost for writer in done) > 0  # or else nobody has tried to be first

    client, kept, cursor = server.client(), {}, ""
    while True:
        page = client.get(
            f"workflows/{id}/versions", params={"sort": "version", "limit": 25, "cursor": cursor}
        ).json()
        kept |= {each["version"]: each["message"] for each in page["items"]}
        cursor = page["next"]
        if not cursor:
            break
    assert kept == won
    latest = client.get(f"workflows/{id}").json()
    assert (latest["version"], mark_of(latest["flow_data"])) == (len(won), won[len(won)])
    middle = len(won) // 2 + 1
    told = client.get(f"workflows/{id}/versions/{middle}").json()
    assert mark_of(told["flow_data"]) == won[middle]
    saved = [row for row in rows(server)["audit_log"] if id in row and "'workflow.update'" in row]
    assert len(saved) == len(won) - 1  # each save stands in the log, and no attempt does


@pytest.mark.parametrize("how", ["PUT", "restore", "DELETE"])
def test_all_at_the_same_moment(server, how):
    client = server.client()
    id = stored(client, document("first"))
    assert client.put(f"workflows/{id}", json={"description": "x", "version": 1}).status_code == 200
    ready = threading.Barrier(WRITERS)

    def save(client):
        ready.wait(30)
        if how == "DELETE":
            return client.delete(f"workflows/{id}").status_code
        if how == "restore":
            return client.post(f"workflows/{id}/versions/1/restore", json={"version": 2}).status_code
        return client.put(f"workflows/{id}", json={"description": "y", "version": 2}).status_code

    with ThreadPoolExecutor(WRITERS) as pool:
        told = sorted(pool.map(save, [server.client() for _ in range(WRITERS)]))
    good, late = {"PUT": (200, 409), "restore": (201, 409), "DELETE": (204, 404)}[how]
    assert told == sorted([good, *[late] * (WRITERS - 1)])


def test_the_same_request_twice_runs_once(server):
    """Ten requests with one Idempotency-Key, at the same moment."""
    ready = threading.Barrier(WRITERS)
    body = {"flow_data": GREETING, "inputs": {"name": "you"}}

    def run(client):
        ready.wait(30)
        return client.post("workflows/execute?wait=0", json=body, headers={"Idempotency-Key": "once"})

    before = len(rows(server)["workflow_executions"])
    with ThreadPoolExecutor(WRITERS) as pool:
        told = list(pool.map(run, [server.client() for _ in range(WRITERS)]))
    assert {answer.status_code for answer in told} <= {200, 202}, [answer.text for answer in told]
    assert len({answer.json()["id"] for answer in told}) == 1
    assert len(rows(server)["workflow_executions"]) == before + 1
    client, id = server.client(), told[0].json()["id"]
    answer = client.post(f"executions/{id}/cancel")
    assert answer.status_code == 200
