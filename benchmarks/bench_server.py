"""What the API adds to the database: single rows against the bare statements, and pages of a long list.

A request goes over loopback to a real Jupyter server. The floor is the same row written or read by one
SQLAlchemy statement in a transaction of its own, and Jupyter's server answering a request that does nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from measure import medians, seconds, side_by_side, table
from sqlalchemy import delete, insert, select, update
from tornado.web import RequestHandler

sys.path.insert(0, str(Path(__file__).parents[1]))

from bpaz_lab.store.tables import User, Workflow
from tests.support.postgres import Postgres
from tests.support.server import BASE, TOKEN, Server, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WORKFLOWS = 100_000
PAGE = 100
FLOW = {
    "bpaz": 1,
    "name": "Greeting",
    "nodes": {
        f"hello{number}": {"type": "PromptTemplate", "version": 1, "settings": {"template": "Hello {name}!"}}
        for number in range(10)
    },
}


class Nothing(RequestHandler):
    """Answers at once."""

    def get(self) -> None:
        """Nothing."""
        self.finish("{}")


class Client:
    """A client that keeps its connection, and costs as little as possible."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connection = HTTPConnection("127.0.0.1", server.app.port)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; the answer as JSON.

        Raises:
            RuntimeError: The answer is an error.
        """
        given = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json", **headers}
        self.connection.request(method, path, None if body is None else json.dumps(body), given)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else None


def bare(server: Server, owner: UUID) -> dict[str, Callable[[], float]]:
    """One statement in a transaction of its own, on the server's loop and database; gives the seconds."""
    database = server.lab.database
    known = uuid4()

    async def create(id: UUID | None = None) -> None:
        async with database.session() as session:
            row = {"id": id or uuid4(), "user_id": owner, "name": "Greeting", "flow_data": FLOW}
            await (await session.connection()).execute(insert(Workflow).values(**row))

    async def read() -> None:
        async with database.session(read_only=True) as session:
            (await (await session.connection()).execute(select(Workflow).where(Workflow.id == known))).one()

    async def change() -> None:
        async with database.session() as session:
            await (await session.connection()).execute(
                update(Workflow).where(Workflow.id == known).values(flow_data=FLOW)
            )

    async def remove() -> None:
        async with database.session() as session:
            await (await session.connection()).execute(delete(Workflow).where(Workflow.id == doomed.pop()))

    doomed: list[UUID] = []

    async def timed(work: Callable[[], Awaitable[None]]) -> float:
        began = asyncio.get_running_loop().time()
        await work()
        return asyncio.get_running_loop().time() - began

    def removed() -> float:
        doomed.append(uuid4())
        server.run(create(doomed[0]))
        return server.run(timed(remove))

    server.run(create(known))
    return {
        "create": lambda: server.run(timed(create)),
        "read": lambda: server.run(timed(read)),
        "update": lambda: server.run(timed(change)),
        "delete": removed,
    }


def through(client: Client) -> dict[str, Callable[[], float]]:
    """The same over HTTP; gives the seconds."""
    base = f"/{BASE}workflows/"
    body = {"name": "Greeting", "flow_data": FLOW}
    mine = client("POST", base, body)
    version = [mine["version"]]

    def change() -> None:
        version[0] = client("PUT", base + mine["id"], body, **{"If-Match": f'"{version[0]}"'})["version"]

    def removed() -> float:
        doomed = client("POST", base, body)["id"]
        return seconds(lambda: client("DELETE", base + doomed))

    return {
        "create": lambda: seconds(lambda: client("POST", base, body)),
        "read": lambda: seconds(lambda: client("GET", base + mine["id"])),
        "update": lambda: seconds(change),
        "delete": removed,
    }


def crud(server: Server, client: Client, kind: str) -> None:
    """Each operation over HTTP, beside its bare statement and a request that does nothing."""
    owner = server.run(_owner(server))
    floors, ours = bare(server, owner), through(client)
    rows: list[tuple[object, ...]] = []
    for name in ours:
        took = medians(
            {
                "http": ours[name],
                "bare": floors[name],
                "nothing": lambda: seconds(lambda: client("GET", "/nothing")),
            },
            rounds=41,
        )
        above = (took["http"] - took["nothing"]) / took["bare"]
        rows.append((name, above, *(f"{took[each] * 1000:.2f}" for each in ("http", "bare", "nothing"))))
    head = ("workflows", "(HTTP - no-op) / bare", "HTTP ms", "bare ms", "no-op ms")
    table(f"{kind}: the API beside the bare statement (goal: <= 1.5)", head, rows)


def pages(server: Server, client: Client, kind: str) -> None:
    """The first page of 100,000 workflows, and the thousandth."""
    server.run(_fill(server, server.run(_owner(server))))
    rows = []
    for scope in ("mine", "all"):
        query = f"/{BASE}workflows/?limit={PAGE}&scope={scope}&sort=-updated_at"
        cursor = ""
        for _ in range(WORKFLOWS // PAGE - 1):
            cursor = client("GET", f"{query}&cursor={cursor}")["next"]
        took = side_by_side(
            {
                "first": lambda query=query: client("GET", query),
                "last": lambda query=query, cursor=cursor: client("GET", f"{query}&cursor={cursor}"),
            },
            rounds=31,
        )
        rows.append((scope, took["last"] / took["first"], f"{took['first'] * 1000:.2f}"))
    head = ("list", "page 1,000 / page 1", "page 1 ms")
    table(f"{kind}: pages of {WORKFLOWS:,} workflows (goal: <= 1.2)", head, rows)


async def _owner(server: Server) -> UUID:
    async with (await server.backend.lab()).database.session(read_only=True) as session:
        return (await (await session.connection()).execute(select(User.id).limit(1))).scalar_one()


async def _fill(server: Server, owner: UUID) -> None:
    small = {"bpaz": 1, "name": "Empty"}
    for batch in range(WORKFLOWS // 5000):
        rows = [
            {"id": uuid4(), "user_id": owner, "name": f"Workflow {batch:02} {number:04}", "flow_data": small}
            for number in range(5000)
        ]
        async with (await server.backend.lab()).database.session() as session:
            await (await session.connection()).execute(insert(Workflow), rows)


def main() -> None:
    """Both databases."""
    postgres = Postgres()
    for setting in ("fsync = on", "synchronous_commit = on"):  # as in earnest
        postgres.sql(f"ALTER SYSTEM SET {setting}")
    postgres.sql("SELECT pg_reload_conf()")
    url = postgres.url(postgres.create())
    upgrade = [sys.executable, "-m", "bpaz_lab", "db", "upgrade"]
    subprocess.run(upgrade, env={**os.environ, "BPAZ_DATABASE_URL": url}, check=True)  # noqa: S603
    with tempfile.TemporaryDirectory() as folder, closing(postgres):
        for kind, settings in (("SQLite", {}), ("Postgres", {"database_url": url})):
            home = Path(folder) / kind
            home.mkdir()
            with serving(home, {**settings, "log_level": "error"}) as server:
                server.app.web_app.add_handlers(".*", [("/nothing", Nothing)])
                client = Client(server)
                client("GET", f"/{BASE}workflows/")  # makes the owner
                crud(server, client, kind)
                pages(server, client, kind)


if __name__ == "__main__":
    main()
