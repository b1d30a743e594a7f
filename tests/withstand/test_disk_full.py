"""A full disk, and a database that may only be read: 507, nothing half-saved, and well again by itself.

A small tmpfs holds the data folder where one may mount it (as root); else SQLite's own page limit stands in.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.support.server import serving
from tests.withstand.town import GREETING, rows, stored

pytestmark = [pytest.mark.integration, pytest.mark.api]

SIZE = "2m"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A disk of two megabytes."""
    folder = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("nobody but root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(scope="module")
def server(disk, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("full"), {"data_folder": str(disk)}) as running:
        yield running


def fill(disk):
    """Leaves no room at all."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def large(number):
    hello = {"type": "PromptTemplate", "settings": {"template": f"{number} " + "x" * 50_000}}
    return {**GREETING, "nodes": {"hello": hello}}


def whole(server):
    """Every workflow has its versions and its lines in the audit log, as many as saves were told."""
    kept = rows(server)
    return kept["workflows"], kept["workflow_versions"], kept["audit_log"]


def full_answer(answer):
    assert answer.status_code == 507, answer.text
    error = answer.json()["error"]
    assert error["code"] == "store_full"
    assert error["hint"]


def test_a_full_disk(server, disk):
    client = server.client()
    id = stored(client)
    credential = {"name": "kept", "type": "openai", "fields": {"api_key": "sk-0123456789abcdef"}}
    assert client.post("credentials", json=credential).status_code == 201
    fill(disk)
    before = whole(server)
    number = len(before[0])
    for attempt in range(60):  # what is left of the last page may take some
        answer = client.post("workflows/", json={"flow_data": large(attempt)})
        if answer.status_code != 201:
            break
        number += 1
    full_answer(answer)
    before = whole(server)
    assert [len(each) for each in before[:2]] == [number, number]
    full_answer(client.put(f"workflows/{id}", json={"flow_data": large(0), "version": 1}))
    full_answer(client.post("templates", json={"flow_data": large(0)}))
    full_answer(client.post(f"workflows/{id}/chat", json={"content": "x" * 90_000}))
    execute = {"flow_data": large(0), "inputs": {}}
    full_answer(client.post("workflows/execute?wait=0", json=execute))
    assert whole(server) == before
    assert client.get(f"workflows/{id}").json()["version"] == 1  # reading goes on
    assert client.get("workflows/").status_code == 200
    assert client.get("health").status_code in (200, 503)

    (disk / "ballast").unlink()
    answer = client.put(f"workflows/{id}", json={"flow_data": large(0), "version": 1})
    assert answer.status_code == 200, answer.text
    after = whole(server)
    assert [len(each) for each in after[:2]] == [number, number + 1]
    assert len(after[2]) == len(before[2]) + 1


def test_a_server_that_starts_on_a_full_disk(disk, tmp_path):
    """Jupyter starts all the same; a request tells why, and works once there is room."""
    folder = disk / "new"
    folder.mkdir()
    fill(disk)
    try:
        with serving(tmp_path, {"data_folder": str(folder)}) as late:
            client = late.client()
            answer = client.get("workflows/")
            assert answer.status_code in (503, 507), answer.text
            assert answer.json()["error"]["code"] != "error"
            (disk / "ballast").unlink()
            assert client.get("workflows/").status_code == 200
            stored(client)
    finally:
        (disk / "ballast").unlink(missing_ok=True)


@pytest.fixture
def sealed(tmp_path):
    """A server whose data folder can be made one that may only be read, for root too."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    mount = subprocess.run(["mount", "--bind", folder, folder], check=False, capture_output=True)
    if mount.returncode:
        pytest.skip("nobody but root may mount")
    with serving(tmp_path, {"data_folder": str(folder)}) as running:
        yield (
            running,
            lambda how: subprocess.run(
                ["mount", "-o", f"remount,{how},bind", folder], check=True, capture_output=True
            ),
        )
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_database_that_may_only_be_read(sealed):
    server, remount = sealed
    client = server.client()
    id = stored(client)
    before = whole(server)
    server.run(server.lab.database.close())  # files that are open for writing keep a disk writable
    remount("ro")
    answer = client.put(f"workflows/{id}", json={"description": "x", "version": 1})
    full_answer(answer)
    assert client.post("workflows/", json={"flow_data": GREETING}).status_code == 507
    remount("rw")
    answer = client.put(f"workflows/{id}", json={"description": "x", "version": 1})
    assert answer.status_code == 200, answer.text
    after = whole(server)
    assert len(after[1]) == len(before[1]) + 1


def test_a_page_limit(serve):
    """The same without a disk of one's own: SQLite is told how many pages there are."""
    server = serve()
    client = server.client()
    id = stored(client)

    async def limit(pages):
        from sqlalchemy import text

        async with server.lab_now.database.session() as session:
            found = await (await session.connection()).execute(text(f"PRAGMA max_page_count = {pages}"))
            return found.scalar()

    server.lab_now = server.lab
    assert server.run(limit(1)) > 1  # it cannot be fewer than there are
    before = whole(server)
    for attempt in range(20):
        answer = client.post("workflows/", json={"flow_data": large(attempt)})
        if answer.status_code != 201:
            break
    full_answer(answer)
    kept = whole(server)
    assert len(kept[0]) == len(kept[1])
    assert len(kept[2]) - len(before[2]) == len(kept[0]) - len(before[0])
    full_answer(client.put(f"workflows/{id}", json={"flow_data": large(0), "version": 1}))
    assert whole(server) == kept
    server.run(limit(1_000_000))
    answer = client.put(f"workflows/{id}", json={"flow_data": large(0), "version": 1})
    assert answer.status_code == 200, answer.text
