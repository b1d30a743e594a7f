from __future__ import annotations

import ast
from pathlib import Path
from uuid import uuid4

import pytest
from sqlmodel import select

import bpaz_lab
from bpaz_lab.accounts.policy import PERMISSIONS, RULES, Target, allows, demand, readable
from bpaz_lab.errors import Forbidden, NotFound, Unauthenticated
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.tables import Organization, User, Workflow, WorkflowTemplate
from bpaz_lab.store.visible import visible

pytestmark = [pytest.mark.unit, pytest.mark.auth]

ORGANIZATION, ELSEWHERE, OTHER = uuid4(), uuid4(), uuid4()
ADMIN = frozenset({"all"})
USER = frozenset({"create_workflow", "execute_workflow", "manage_credentials"})
VIEWER = frozenset({"view_workflows", "execute_public_workflows"})

PEOPLE = {
    "admin": Caller(uuid4(), "admin", ADMIN),
    "user": Caller(uuid4(), "user", USER),
    "viewer": Caller(uuid4(), "viewer", VIEWER),
    "org admin": Caller(uuid4(), "org admin", USER, {ORGANIZATION: ADMIN}),
    "member": Caller(uuid4(), "member", USER, {ORGANIZATION: USER}),
    "org viewer": Caller(uuid4(), "org viewer", VIEWER, {ORGANIZATION: VIEWER}),
    "stranger": Caller(uuid4(), "stranger", USER, {ELSEWHERE: ADMIN}),
    "no role": Caller(uuid4(), "no role"),
    "nobody": Caller(),
    "kernel": Caller(uuid4(), "kernel", ADMIN, {ORGANIZATION: ADMIN}, kernel_id="k1"),
}

# What comes out: y(es), f(orbidden), n(ot found), a(nonymous: sign in first). The columns:
#   without a row | one's own | another's, private | another's, shared with ORGANIZATION | another's, public
# and the lines are the people above, in their order.
WORKFLOW_READ = "yynny yynny yynny yynyy yynyy yynyy yynny ffnnf aaaaa yynyy"
MANAGED = "yynny yynnf ffnnf yynyf yynff ffnff yynnf ffnnf aaaaa yynyy"
OWN_WITHOUT_PERMISSION = "yynny yynny yynny yynyy yynyy yynyy yynny yynny aaaaa yynyy"
EXPECTED = {
    "workflow.read": WORKFLOW_READ,
    "workflow.update": MANAGED,
    "workflow.delete": MANAGED,
    "workflow.share": MANAGED,
    "workflow.publish": MANAGED,
    "workflow.execute": "yynny yynny ffnny yynyy yynyy ffnfy yynny ffnnf aaaaa yynyy",
    "template.read": WORKFLOW_READ,
    "template.publish": "yynny ffnnf ffnnf ffnyf ffnff ffnff ffnnf ffnnf aaaaa ffnff",
    "template.delete": MANAGED,
    "credential.read": OWN_WITHOUT_PERMISSION,
    "credential.use": OWN_WITHOUT_PERMISSION,
    "credential.update": MANAGED,
    "credential.delete": MANAGED,
    "execution.read": OWN_WITHOUT_PERMISSION,
    "execution.cancel": OWN_WITHOUT_PERMISSION,
    "execution.resume": OWN_WITHOUT_PERMISSION,
    "chat.read": OWN_WITHOUT_PERMISSION,
    "chat.write": OWN_WITHOUT_PERMISSION,
    "chat.delete": OWN_WITHOUT_PERMISSION,
}

# Without a row, and on the whole server.
ON_THE_SERVER = {
    #                     admin user viewer orgadmin member orgviewer stranger norole nobody kernel
    "workflow.create": "y y f y y f y f a y",
    "template.create": "y y f y y f y f a y",
    "credential.create": "y y f y y f y f a y",
    "profile.read": "y y y y y y y y a y",
    "profile.update": "y y y y y y y y a f",
    "node.read": "y y y y y y y y a y",
    "role.read": "y y y y y y y y a y",
    "metrics.read": "y f f f f f f f a y",
    "user.manage": "y f f f f f f f a f",
    "role.manage": "y f f f f f f f a f",
    "organization.create": "y f f f f f f f a f",
    "organization.delete": "y f f f f f f f a f",
    "activity.read": "y f f f f f f f a f",
    "audit.read": "y f f f f f f f a f",
}

# On ORGANIZATION.
IN_AN_ORGANIZATION = {
    "organization.read": "y n n y y y n n a y",
    "organization.manage": "y n n y f f n n a f",
    "member.manage": "y n n y f f n n a f",
    "login_method.manage": "y n n y f f n n a f",
}


def outcome(caller, action, row=None):
    try:
        demand(caller, action, row)
    except Unauthenticated:
        told = "a"
    except NotFound:
        told = "n"
    except Forbidden:
        told = "f"
    else:
        told = "y"
    assert allows(caller, action, row) == (told == "y")
    return told


def rows_for(caller):
    return (
        None,
        Target(user_id=caller.user_id or OTHER),
        Target(user_id=OTHER),
        Target(user_id=OTHER, organization_id=ORGANIZATION),
        Target(user_id=OTHER, is_public=True),
    )


@pytest.mark.parametrize("action", EXPECTED)
def test_what_may_be_done_to_a_row(action):
    told = {name: "".join(outcome(who, action, row) for row in rows_for(who)) for name, who in PEOPLE.items()}
    assert told == dict(zip(PEOPLE, EXPECTED[action].split(), strict=True))


@pytest.mark.parametrize("action", ON_THE_SERVER)
def test_what_may_be_done_on_the_server(action):
    told = {name: outcome(who, action) for name, who in PEOPLE.items()}
    assert told == dict(zip(PEOPLE, ON_THE_SERVER[action].split(), strict=True))


@pytest.mark.parametrize("action", IN_AN_ORGANIZATION)
def test_what_may_be_done_in_an_organization(action):
    place = Target(organization_id=ORGANIZATION)
    told = {name: outcome(who, action, place) for name, who in PEOPLE.items()}
    assert told == dict(zip(PEOPLE, IN_AN_ORGANIZATION[action].split(), strict=True))


def test_every_action_is_expected():
    assert set(RULES) == EXPECTED.keys() | ON_THE_SERVER.keys() | IN_AN_ORGANIZATION.keys()


def test_every_permission_that_a_rule_names_can_be_granted():
    named = {each for rule in RULES.values() for each in (*rule.needs, rule.shared, rule.public) if each}
    assert named <= PERMISSIONS.keys()


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_every_permission_lets_its_holder_do_something_more(permission):
    without = Caller(
        uuid4(), "x", frozenset({"manage_credentials"} - {permission}), {ORGANIZATION: frozenset()}
    )
    with_it = Caller(without.user_id, "x", without.permissions | {permission}, {ORGANIZATION: frozenset()})
    tries = [(action, row) for action in RULES for row in rows_for(without)]
    gained = [each for each in tries if allows(with_it, *each) and not allows(without, *each)]
    assert gained
    assert not [each for each in tries if allows(without, *each) and not allows(with_it, *each)]


def test_an_editor_of_an_organization_changes_what_it_shares_and_deletes_nothing():
    editor = Caller(uuid4(), "e", USER, {ORGANIZATION: frozenset({"edit_shared_workflows"})})
    shared = Target(user_id=OTHER, organization_id=ORGANIZATION)
    assert outcome(editor, "workflow.update", shared) == "y"
    assert outcome(editor, "workflow.delete", shared) == "f"
    assert outcome(editor, "workflow.update", Target(user_id=OTHER, is_public=True)) == "f"


def test_a_role_in_an_organization_counts_there_and_nowhere_else():
    caller = Caller(uuid4(), "x", VIEWER, {ORGANIZATION: USER})
    assert outcome(caller, "workflow.create") == "f"
    assert outcome(caller, "workflow.create", Target(caller.user_id, ORGANIZATION)) == "y"
    assert outcome(caller, "workflow.create", Target(caller.user_id, ELSEWHERE)) == "n"


def test_what_cannot_be_read_answers_as_what_is_not_there():
    with pytest.raises(NotFound) as hidden:
        demand(PEOPLE["user"], "workflow.update", Target(user_id=OTHER))
    assert hidden.value.message == "there is no such workflow"


def test_an_action_that_nobody_wrote_down_is_a_mistake():
    with pytest.raises(KeyError):
        allows(PEOPLE["admin"], "workflow.eat")


def test_services_ask_for_actions_that_there_are():
    asked = set()
    for file in (Path(bpaz_lab.__file__).parent / "services").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"demand", "allows"}:
                asked |= {each.value for each in node.args[1:2] if isinstance(each, ast.Constant)}
    assert len(asked) > 15
    assert asked <= RULES.keys()


@pytest.mark.integration
async def test_the_database_reads_what_the_policy_calls_readable(database):
    def row(table, user, **given):
        return table(user_id=user, name="x", flow_data={}, **given)

    async with database.session() as session:
        people = [User(email=f"{n}@example.org") for n in range(3)]
        places = [Organization(name=str(n)) for n in range(3)]
        session.add_all([*people, *places])
        await session.flush()
        rows = [
            row(Workflow, user.id, organization_id=place and place.id, is_public=public)
            for user in people
            for place in (None, *places)
            for public in (True, False, None)
        ]
        rows += [
            row(WorkflowTemplate, user and user.id, is_published=published)
            for user in (None, *people)
            for published in (True, False)
        ]
        session.add_all(rows)
        await session.flush()
        callers = [Caller()] + [
            Caller(user.id, "x", granted, {place.id: frozenset() for place in joined})
            for user in people
            for granted in (ADMIN, frozenset())
            for joined in ([], places[:1], places[1:])
        ]
        for caller in callers:
            for table in (Workflow, WorkflowTemplate):
                found = (await session.exec(select(table.id).where(visible(table, caller)))).all()
                expected = [each.id for each in rows if isinstance(each, table) and readable(caller, each)]
                assert sorted(found) == sorted(expected)
        assert any(readable(caller, each) for caller in callers for each in rows)
