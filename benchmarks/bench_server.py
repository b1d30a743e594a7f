"""What the API adds to the database: single rows against the bare statements, and pages of a long list.

A request goes over loopback to a real Jupyter server. The floor is the same row written or read by one
SQLAlchemy statement in a transaction of its own, and Jupyter's server answering a request that does nothing.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from jupyter_server.base.handlers import APIHandler
from measure import medians, seconds, side_by_side, table
from sqlalchemy import delete, event, insert, select, update
from sqlalchemy.ext.asyncio import create_async_engine
from tornado.web import RequestHandler, authenticated

sys.path.insert(0, str(Path(__file__).parents[1]))

from bpaz_lab.store.tables import User, Workflow
from tests.support.postgres import Postgres
from tests.support.server import BASE, TOKEN, Server, serving

if TYPE_CHECKING:
    from collections.abc import Callable

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


class Jupyter(APIHandler):
    """Answers as soon as Jupyter knows who asks, for comparison."""

    @authenticated
    async def get(self) -> None:
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


class Bare:
    """SQLAlchemy alone, as its documentation has it: one statement in a transaction of its own.

    It runs on the server's loop, on an engine of its own to the same database. For SQLite it says BEGIN, as
    SQLAlchemy advises for transactions that are some.
    """

    def __init__(self, server: Server, owner: UUID) -> None:
        self.server, self.owner = server, owner
        self.known, self.doomed = uuid4(), uuid4()
        database = server.lab.database
        self.engine = create_async_engine(database.url)
        if database.dialect == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _no_begin_of_the_driver)
            event.listen(self.engine.sync_engine, "begin", _begin)
        self._make(self.known)

    def operations(self) -> dict[str, Callable[[], float]]:
        """Each gives its seconds."""
        table = Workflow.__table__
        return {
            "create": lambda: self._timed(insert(table), self._row(uuid4())),
            "read": lambda: self._timed(select(table).where(table.c.id == self.known)),
            "update": lambda: self._timed(
                update(table).where(table.c.id == self.known), {"flow_data": FLOW, "version": 2}
            ),
            "delete": self._removed,
        }

    def close(self) -> None:
        """Closes its connections."""
        self.server.run(self.engine.dispose())

    def _removed(self) -> float:
        doomed = uuid4()
        self._make(doomed)
        table = Workflow.__table__
        return self._timed(delete(table).where(table.c.id == doomed))

    def _make(self, id: UUID) -> None:
        self._timed(insert(Workflow.__table__), self._row(id))

    def _row(self, id: UUID) -> dict[str, Any]:
        return {"id": id, "user_id": self.owner, "name": "Greeting", "flow_data": FLOW}

    def _timed(self, statement: Any, values: dict[str, Any] | None = None) -> float:
        async def work() -> float:
            began = perf_counter()
            async with self.engine.begin() as connection:
                result = await connection.execute(statement, values)
                if result.returns_rows:
                    result.one()
            return perf_counter() - began

        return self.server.run(work())


def _no_begin_of_the_driver(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


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
    bare, ours = Bare(server, owner), through(client)
    floors = bare.operations()
    rows: list[tuple[object, ...]] = []
    for name in ours:
        took = medians(
            {
                "http": ours[name],
                "bare": floors[name],
                "nothing": lambda: seconds(lambda: client("GET", "/nothing")),
                "jupyter": lambda: seconds(lambda: client("GET", "/jupyter")),
            },
            rounds=101,
        )
        above = [(took["http"] - took[each]) / took["bare"] for each in ("nothing", "jupyter")]
        rows.append((name, *above, *(f"{each * 1000:.2f}" for each in took.values())))
    bare.close()
    head = (
        "workflows",
        "(HTTP - no-op) / bare",
        "- Jupyter's",
        "HTTP ms",
        "bare ms",
        "no-op ms",
        "Jupyter's",
    )
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
                server.app.web_app.add_handlers(".*", [("/nothing", Nothing), ("/jupyter", Jupyter)])
                client = Client(server)
                client("GET", f"/{BASE}workflows/")  # makes the owner
                gc.freeze()  # what is there stays there, and is not looked at before each sample
                crud(server, client, kind)
                pages(server, client, kind)


if __name__ == "__main__":
    main()
