"""The migrated Postgres against the tables that the product was asked for, column by column.

Whatever differs is named here: what was added, and the columns that were loosened. Anything else fails.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SEED = (Path(__file__).parent / "seed.sql").read_text(encoding="utf-8")

LOOSENED = {"users.email", "users.password_hash", "workflow_executions.workflow_id"}
ADDED_TABLES = {
    "alembic_version",
    "audit_log",
    "auth_sessions",
    "data_keys",
    "execution_events",
    "execution_steps",
    "step_parts",
    "value_parts",
    "workflow_versions",
}
ADDED_COLUMNS = {
    "chat_message.session_id",
    "chat_message.sources",
    "chat_message.user_id",
    "login_activity.address",
    "user_credentials.allowed_hosts",
    "user_credentials.last_used_at",
    "user_credentials.public",
    "users.identity_provider",
    "users.subject",
    "workflow_executions.cancel_requested_at",
    "workflow_executions.epoch",
    "workflow_executions.error",
    "workflow_executions.flow_data",
    "workflow_executions.forked_at",
    "workflow_executions.heartbeat_at",
    "workflow_executions.holder",
    "workflow_executions.idempotency_key",
    "workflow_executions.kernel_id",
    "workflow_executions.name",
    "workflow_executions.options",
    "workflow_executions.parent_id",
    "workflow_executions.questions",
    "workflow_executions.request_digest",
    "workflow_executions.server_id",
    "workflow_executions.session_id",
    "workflow_executions.timeout",
    "workflow_executions.usage",
    "workflow_executions.workflow_version",
    "workflow_templates.is_published",
    "workflow_templates.user_id",
    "workflows.organization_id",
}
ADDED_CONSTRAINTS = {
    "unique_execution_key",
    "unique_user_identity",
    "workflow_executions_parent_id_fkey",
    "workflow_templates_user_id_fkey",
    "workflows_organization_id_fkey",
}
ADDED_INDEXES = {
    "idx_chat_message_session",
    "idx_login_activity_address_attempted",
    "idx_organization_user_user_id",
    "idx_workflow_executions_parent",
    "idx_workflow_executions_user_created",
    "idx_workflows_organization_updated",
    "idx_workflows_public_updated",
    "idx_workflows_user_updated",
    "unique_execution_key",  # the index of that constraint
    "unique_user_identity",  # and of that one
}
ADDED_FUNCTIONS = {"keep_audit_log", "keep_updated_at_column"}
ADDED_TRIGGERS = {"use_keeps_user_credentials_updated_at"}

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
COLUMNS = """
    SELECT a.attrelid::regclass || '.' || a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
"""
# Postgres 18 keeps NOT NULL as constraints too; columns tell of them above.
CONSTRAINTS = """
    SELECT conname, conrelid::regclass || ': ' || pg_get_constraintdef(oid), confdeltype::text
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
TRIGGERS = "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
FUNCTIONS = """
    SELECT proname, regexp_replace(prosrc, '\\s+', ' ', 'g')
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
ROLES = "SELECT name, description, permissions FROM roles"


DOCS = (Path(__file__).parents[3] / "docs" / "database.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def asked(postgres):
    name = postgres.create()
    postgres.sql(SEED, name)
    yield name
    postgres.drop(name)


@pytest.fixture
def both(postgres, asked, postgres_template):
    """What a query finds in the database as asked for, and in the migrated one."""

    def look(query):
        return tuple(
            {row[0]: row[1:] for row in postgres.sql(query, name)} for name in (asked, postgres_template)
        )

    return look


def test_all_tables_are_there(both):
    seed, ours = both(TABLES)
    assert len(seed) == 12
    assert ours.keys() - seed.keys() == ADDED_TABLES
    assert seed.keys() <= ours.keys()


def test_columns_have_their_type_and_default(both):
    seed, ours = both(COLUMNS)
    ours = {name: row for name, row in ours.items() if name.partition(".")[0] not in ADDED_TABLES}
    assert ours.keys() - seed.keys() == ADDED_COLUMNS
    differ = {name for name in seed if seed[name] != ours.get(name)}
    assert differ == LOOSENED
    for name in LOOSENED:
        kind, nullable, default = seed[name]
        assert not nullable
        assert ours[name] == (kind, True, default)


def test_constraints_are_the_same(both):
    seed, ours = both(CONSTRAINTS)
    ours = {name: row for name, row in ours.items() if row[0].partition(":")[0] not in ADDED_TABLES}
    assert any(row[1] == "c" for row in seed.values())  # ON DELETE CASCADE
    assert ours.keys() - seed.keys() == ADDED_CONSTRAINTS
    assert {name: ours.get(name) for name in seed} == seed


def test_indexes_are_the_same(both):
    seed, ours = both(INDEXES)
    ours = {
        name: row
        for name, row in ours.items()
        if row[0].split(" ON public.")[1].split()[0] not in ADDED_TABLES
    }
    assert ours.keys() - seed.keys() == ADDED_INDEXES
    assert {name: ours.get(name) for name in seed} == seed


def test_triggers_are_the_same(both):
    seed, ours = both(TRIGGERS)
    ours = {name: row for name, row in ours.items() if "ON public.audit_log" not in row[0]}
    assert len(seed) == 7
    assert ours.keys() - seed.keys() == ADDED_TRIGGERS
    assert {name: ours.get(name) for name in seed} == seed


def test_functions_are_the_same(both):
    seed, ours = both(FUNCTIONS)
    assert ours.keys() - seed.keys() == ADDED_FUNCTIONS
    assert {name: ours.get(name) for name in seed} == seed


def test_the_roles_are_seeded(both):
    seed, ours = both(ROLES)
    assert len(seed) == 3
    assert ours == seed


def test_what_differs_is_documented():
    added = {name.rpartition(".")[2] for name in ADDED_COLUMNS}
    added |= ADDED_TABLES | LOOSENED | ADDED_INDEXES
    assert {name for name in added if f"`{name}`" not in DOCS} == set()
