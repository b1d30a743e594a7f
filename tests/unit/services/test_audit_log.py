"""What was done and who came in, as it is looked at; and that what was done cannot be changed."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import delete, update

from bpaz_lab.errors import BpazError, Forbidden, Unauthenticated
from bpaz_lab.services import activity, audit_log, organizations
from bpaz_lab.services.as_csv import cell
from bpaz_lab.services.identities import on_behalf
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.tables import AuditLog, LoginActivity, Organization

pytestmark = [pytest.mark.integration, pytest.mark.auth]

# What does not hang on the kind of database is tried on one.
sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def listed(house, caller, **query):
    page = await audit_log.list_audit(house.call(caller), audit_log.AuditQuery(**query))
    return [(item.actor, item.action) for item in page.items]


async def history(house):
    """Five things that were done, an hour apart."""
    root, ada = await house.person("root", "admin"), await house.person("ada")
    for n, (who, action) in enumerate(
        [
            (ada, "workflow.create"),
            (ada, "workflow.update"),
            (root, "workflow.update"),
            (root, "user.update"),
            (ada, "credential.use"),
        ]
    ):
        kind = action.partition(".")[0]
        await house.add(
            AuditLog(
                user_id=who.user_id,
                actor=who.name.partition("@")[0],
                action=action,
                object_type=kind,
                object_id=f"{kind}-1",
                outcome="refused" if n == 4 else "done",
                created_at=NOON + timedelta(hours=n),
            )
        )
    return root, ada


async def test_the_log_is_filtered_sorted_and_paged(house):
    root, _ = await history(house)
    assert await listed(house, root, sort="created_at", limit=2) == [
        ("ada", "workflow.create"), ("ada", "workflow.update"),
    ]  # fmt: skip
    assert await listed(house, root, user_id=root.user_id) == [
        ("root", "user.update"), ("root", "workflow.update"),
    ]  # fmt: skip
    assert len(await listed(house, root, action="workflow.")) == 3
    assert len(await listed(house, root, action="workflow.update")) == 2
    assert await listed(house, root, outcome="refused") == [("ada", "credential.use")]
    assert await listed(house, root, object_type="user", object_id="user-1") == [("root", "user.update")]
    since, until = NOON + timedelta(hours=1), NOON + timedelta(hours=3)
    assert len(await listed(house, root, since=since, until=until)) == 2
    assert await listed(house, root, action="%") == await listed(house, root, action="' OR 1=1 --") == []
    assert await listed(house, root, action="%.") == []


@sqlite
async def test_the_log_as_a_table(house):
    root, ada = await history(house)
    await house.add(AuditLog(actor="=HYPERLINK(1)", action="@x", object_id="+1", details={"n": "=2"}))
    query = audit_log.AuditQuery(format="csv", sort="created_at", limit=1)
    answer = await audit_log.list_audit(house.call(root), query)
    assert answer.media_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content)))
    assert len(rows) == 6
    assert rows[0]["created_at"] == "2026-03-01T12:00:00Z"
    assert rows[0]["user_id"] == str(ada.user_id)
    assert (rows[-1]["actor"], rows[-1]["action"], rows[-1]["object_id"]) == ("'=HYPERLINK(1)", "'@x", "'+1")


@sqlite
async def test_a_table_goes_over_all_pages(house, monkeypatch):
    monkeypatch.setattr("bpaz_lab.services.as_csv._AT_ONCE", 2)
    root, _ = await history(house)
    answer = await audit_log.list_audit(house.call(root), audit_log.AuditQuery(format="csv"))
    assert len(answer.content.splitlines()) == 6


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1"])
def test_no_cell_is_a_formula(text):
    assert cell(text).startswith("'")


@pytest.mark.parametrize("value", ["ada", "", "a=b", 5, -5, None, True])
def test_other_cells_are_as_they_are(value):
    assert cell(value) == value


@sqlite
async def test_attempts_are_filtered_and_shown_as_a_table(house):
    root = await house.person("root", "admin")
    for n, (name, code) in enumerate([("ada", 0), ("ada", -2), ("=cmd|' /C calc'!A0", -1)]):
        await house.add(
            LoginActivity(
                username=name,
                activity_code=code,
                message="x",
                address="192.0.2.1",
                attempted_at=NOON + timedelta(hours=n),
            )
        )

    async def asked(**query):
        return await activity.list_login_activity(house.call(root), activity.ActivityQuery(**query))

    assert [item.activity_code for item in (await asked()).items] == [-1, -2, 0]
    assert [item.activity_code for item in (await asked(username="ada", code=-2)).items] == [-2]
    assert len((await asked(address="192.0.2.1", until=NOON + timedelta(minutes=1))).items) == 1
    assert not (await asked(username="' OR 1=1 --")).items
    table = (await asked(format="csv", username="=cmd|' /C calc'!A0")).content
    assert table.splitlines()[1].split(",")[1] == "'=cmd|' /C calc'!A0"


@pytest.mark.parametrize("who", ["user", "organization", "kernel", "nobody"])
@sqlite
async def test_others_may_not_look(house, who):
    root, ada = await history(house)
    await house.organization("A", (ada, "admin"))
    caller = {
        "user": ada,
        "organization": await house.again(ada),
        "kernel": await on_behalf(house.lab, root.user_id, "k1"),
        "nobody": Caller(),
    }[who]
    for attempt in (
        audit_log.list_audit(house.call(caller), audit_log.AuditQuery()),
        activity.list_login_activity(house.call(caller), activity.ActivityQuery()),
    ):
        with pytest.raises(Unauthenticated if who == "nobody" else Forbidden):
            await attempt


@sqlite
async def test_who_has_a_role_for_it_may_look(house):
    from bpaz_lab.store.tables import Role

    await house.add(Role(name="auditor", permissions="view_audit"))
    await history(house)
    assert len(await listed(house, await house.person("eve", "auditor"))) == 5


@pytest.mark.parametrize(
    "change",
    [
        delete(AuditLog),
        update(AuditLog).values(action="nothing"),
        update(AuditLog).values(actor="somebody"),
        update(AuditLog).values(outcome="done"),
        update(AuditLog).values(user_id=None),
        update(AuditLog).values(user_id=None, actor="erased", object_id=""),
    ],
    ids=["delete", "action", "actor", "outcome", "user", "object"],
)
async def test_what_was_done_cannot_be_changed(house, change):
    await history(house)
    before = [row.model_dump() for row in await house.rows(AuditLog)]
    with pytest.raises(BpazError):
        async with house.lab.database.session() as session:
            await session.exec(change)
    assert [row.model_dump() for row in await house.rows(AuditLog)] == before


async def test_what_is_rolled_back_was_not_done(house):
    root = await house.person("root", "admin")

    async def interrupted():
        async with house.lab.database.session() as session:
            session.add(Organization(name="A"))
            await audit.record(session, root, "organization.create", "organization")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await interrupted()
    assert not await house.rows(AuditLog)
    assert not await house.rows(Organization)


@sqlite
async def test_a_mutation_whose_audit_fails_is_not_made(house, monkeypatch):
    root = await house.person("root", "admin")
    nameless = Caller(root.user_id, None, root.permissions)  # the log cannot take it
    with pytest.raises(BpazError):
        await organizations.create_organization(
            house.call(nameless), organizations.OrganizationMade(name="A")
        )
    assert not await house.rows(Organization)
