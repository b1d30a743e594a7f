"""Triggers that keep ``updated_at``, whoever changes a row."""

from __future__ import annotations

from alembic import op

FUNCTION = """
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ language 'plpgsql'
"""
POSTGRES = """
CREATE TRIGGER update_{table}_updated_at BEFORE UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()
"""
# SQLite cannot change the row before it is written. The moment stands still within a statement, so the
# second update finds it there already and the trigger does not call itself.
SQLITE = """
CREATE TRIGGER update_{table}_updated_at AFTER UPDATE ON {table} FOR EACH ROW
WHEN NEW.updated_at IS NOT strftime('%Y-%m-%d %H:%M:%f000', 'now')
BEGIN
    UPDATE {table} SET updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE rowid = NEW.rowid;
END
"""


def add(*tables: str) -> None:
    """Gives tables their trigger; SQLite loses it when a batch operation rebuilds the table."""
    postgres = op.get_context().dialect.name == "postgresql"
    if postgres:
        op.execute(FUNCTION)
    for table in tables:
        op.execute((POSTGRES if postgres else SQLITE).format(table=table))


def drop() -> None:
    """Drops the function; triggers went with their tables."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION update_updated_at_column()")
