"""People of a shared server, and things of theirs."""

from __future__ import annotations

from uuid import UUID

from tests.support.routes import DOCUMENT

PASSWORD = "quite a long password of theirs"


def sign_up(server, name):
    """Makes an account; a client that is signed in, with ``token`` and ``user``."""
    told = server.client().post(
        "auth/signup", json={"email": f"{name}@example.org", "password": PASSWORD, "full_name": name}
    )
    assert told.status_code == 201, told.text
    client = server.client(access=told.json()["access_token"])
    client.token, client.user = told.json()["access_token"], told.json()["user"]
    return client


def belongings(server, client, user_id):
    """One of everything that a person may have; ids as `path_of` takes them."""
    workflow = created(client, "workflows/", {"flow_data": DOCUMENT, "name": "Mine"})
    template = created(client, "templates", {"flow_data": DOCUMENT, "name": "Mine"})
    fields = {"value": "sk-canary-of-a-person"}
    credential = created(client, "credentials", {"name": "mine", "type": "generic", "fields": fields})
    created(client, f"workflows/{workflow}/chat", {"content": "hello", "session": "s"})
    return {
        "workflows.id": workflow,
        "templates.id": template,
        "credentials.id": credential,
        "executions.id": server.run(_execution(server, user_id, workflow)),
        "admin/users.id": user_id,
    }


def created(client, path, body):
    """Posts it; its id."""
    told = client.post(path, json=body)
    assert told.status_code == 201, told.text
    return told.json()["id"]


async def _execution(server, user_id, workflow_id):
    from bpaz_lab.store.tables import WorkflowExecution
    from bpaz_lab.store.tables.columns import utcnow

    lab = await server.backend.lab()
    async with lab.database.session() as session:
        now = utcnow()
        row = WorkflowExecution(
            user_id=UUID(user_id), workflow_id=UUID(workflow_id), status="completed", flow_data=DOCUMENT,
            name="Mine", started_at=now, completed_at=now,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        return str(row.id)
