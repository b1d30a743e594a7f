"""A shared server with people, and what they keep there, made over HTTP as they would make it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

from tests.support.server import serving

PASSWORD = "a long walk in the rain"
SHARED = {"profile": "shared", "accept_shared_risk": True}
GREETING = {
    "bpaz": 1,
    "name": "Greeting",
    "nodes": {"hello": {"type": "PromptTemplate", "settings": {"template": "Hello {name}!"}}},
}


@dataclass
class Person:
    """Somebody who is signed in."""

    name: str
    id: str
    client: object
    token: str


@dataclass
class Town:
    """A server, and who is in it."""

    server: object
    people: dict = field(default_factory=dict)
    things: dict = field(default_factory=dict)
    state: dict | None = None
    """The rows of all tables, as they were last seen."""

    def __getitem__(self, name):
        return self.people[name].client

    def join(self, name):
        """Somebody signs up; the first one is the server's administrator."""
        body = {"email": f"{name}@example.org", "password": PASSWORD, "full_name": name}
        answer = self.server.client().post("auth/signup", json=body)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        client = self.server.client(access=told["access_token"])
        person = self.people[name] = Person(name, told["user"]["id"], client, told["access_token"])
        return person

    def kernel(self, name, kernel_id=""):
        """A client like a kernel of somebody, which has proved itself."""
        from bpaz_lab.accounts.capability import proof

        lab, key, kernel_id = self.server.lab, b"k" * 32, kernel_id or f"kernel-of-{name}"

        async def grant():
            nonce = lab.capabilities.challenge(kernel_id)
            answer = proof(key, kernel_id, nonce)
            owner = await _id(lab, f"{name}@example.org")
            return lab.capabilities.grant(kernel_id, nonce, answer, key=key, owner=owner)

        return self.server.client(jupyter=False, access=self.server.run(grant()))


async def _id(lab, email):
    from bpaz_lab.store.repositories.users import with_email

    async with lab.database.session(read_only=True) as session:
        return (await with_email(session, email)).id


@contextmanager
def town_in(folder, *names, **settings):
    """A shared server with these people while the block runs; their passwords are hashed quickly."""
    from bpaz_lab.accounts.passwords import Passwords

    with serving(folder, {**SHARED, **settings}) as server:
        lab = server.lab
        server.run(lab.ready())
        lab._secrets = replace(lab.secrets, passwords=Passwords(lab.ring.pepper, 4))
        made = Town(server)
        for name in names:
            made.join(name)
        yield made


async def dump(lab, *but):
    """Every row of every table, as text; ``but`` are tables that are left out."""
    from sqlmodel import SQLModel, select

    from bpaz_lab.store import tables  # noqa: F401 (fills the metadata)

    async with lab.database.session(read_only=True) as session:
        connection = await session.connection()
        return {
            table.name: sorted([repr(tuple(row)) for row in (await connection.execute(select(table))).all()])
            for table in SQLModel.metadata.sorted_tables
            if table.name not in but
        }


def rows(server, *but):
    """`dump` of a server."""
    return server.run(dump(server.lab, *but))


def plain(answer, *ids):
    """An answer without what differs by right: the request's id, and the ids that were asked for."""
    text = re.sub(r'"request_id": ?"[^"]*"', "", answer.text)
    for each in ids:
        text = text.replace(str(each), "<id>")
    return answer.status_code, answer.headers.get("content-type"), text


def stored(client, document=None, **body):
    """The id of a new workflow."""
    answer = client.post("workflows/", json={"flow_data": document or GREETING, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def execution(town, name, **columns):
    """The id of an execution of somebody, as it is in the database; no kernel has it."""
    from bpaz_lab.store.tables import WorkflowExecution
    from bpaz_lab.store.tables.columns import utcnow

    lab, id = town.server.lab, uuid4()

    async def add():
        owner = await _id(lab, f"{name}@example.org")
        row = WorkflowExecution(
            id=id, user_id=owner, name="Greeting", server_id=lab.server_id, heartbeat_at=utcnow(),
            flow_data=GREETING, inputs={"name": "secret of ada"}, **columns,
        )  # fmt: skip
        async with lab.database.session() as session:
            session.add(row)

    town.server.run(add())
    return str(id)
