"""A row in every table, with values that are easily lost on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text
from sqlmodel import SQLModel, select

from bpaz_lab.store import tables as t

TEXT = "Ünïcödé 🦆 \\ \" ' \t\n; DROP TABLE users; --  "
DOCUMENT = {"deep": [{"a": None, "b": [True, 1.5, -7, 10**15]}], "text": TEXT, "": {}}
MOMENT = datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)


async def fill(database):
    """Puts a row into every table."""
    async with database.session() as session:
        role = (await session.exec(select(t.Role).where(t.Role.name == "user"))).one()
        user, team = t.User(email="ann@x", full_name=TEXT, last_login=MOMENT), t.Organization(name=TEXT)
        nobody = t.User(identity_provider="jupyter", subject="ben")
        session.add_all([user, nobody, team])
        await session.flush()
        flow = t.Workflow(
            user_id=user.id, name=TEXT, description="", flow_data=DOCUMENT, organization_id=team.id
        )
        session.add(flow)
        await session.flush()
        run = t.WorkflowExecution(
            user_id=user.id, workflow_id=flow.id, inputs={}, outputs=DOCUMENT, timeout=0.1, started_at=MOMENT
        )
        session.add(run)
        await session.flush()
        fork = t.WorkflowExecution(
            user_id=user.id, parent_id=run.id, forked_at=TEXT, options=DOCUMENT, epoch=7
        )
        session.add(fork)
        own = {"user_id": user.id}
        session.add_all(
            [
                t.WorkflowVersion(workflow_id=flow.id, version=1, name="v", flow_data=DOCUMENT, **own),
                t.WorkflowTemplate(name=TEXT, flow_data=DOCUMENT, is_published=True, **own),
                t.ExecutionEvent(execution_id=run.id, seq=0, type="token", data=DOCUMENT),
                t.ExecutionCheckpoint(execution_id=run.id, checkpoint_data=DOCUMENT),
                t.ExecutionStep(
                    execution_id=run.id, address=TEXT, state="done", effect="once", parts=["0" * 32],
                    size=10**12, epoch=1, began=1732460000.1234567, ended=0.1 + 0.2, digest="0" * 32,
                    data=bytes(range(256)),
                ),
                t.StepPart(execution_id=run.id, digest="0" * 32),
                t.ValuePart(digest="0" * 32, size=256, data=bytes(range(256)), **own),
                t.UserCredential(name="key", service_type="generic", encrypted_secret=TEXT, **own),
                t.DataKey(ring_key_id="0" * 16, wrapped="x", **own),
                t.AuthSession(refresh_hash="0" * 64, expires_at=MOMENT, family_expires_at=MOMENT, **own),
                t.OrganizationUser(
                    organization_id=team.id, role_id=role.id, created_by=user.id, updated_by=user.id, **own
                ),
                t.LoginMethod(organization_id=team.id, name="password", config=TEXT),
                t.LoginActivity(username="ann@x", activity_code=0, message=TEXT, address="::1"),
                t.AuditLog(actor="ann", action="workflow.create", details=DOCUMENT, **own),
                t.ChatMessage(role="user", chatflow_id=flow.id, content=TEXT, sources=[DOCUMENT]),
                t.ChatMessage(role="assistant", chatflow_id=uuid4(), content=""),
            ]
        )  # fmt: skip


async def rows(database):
    """All rows of all tables as the database itself has them."""
    found = {}
    async with database.session(read_only=True) as session:
        connection = await session.connection()
        for name in [*SQLModel.metadata.tables, "alembic_version"]:
            all_of_it = (await connection.execute(text(f"SELECT * FROM {name}"))).mappings().all()  # noqa: S608
            found[name] = sorted((dict(row) for row in all_of_it), key=repr)
    return found
