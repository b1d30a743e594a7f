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
# Triggers run in the order of their names, so this one has the last word.
KEEPS_FUNCTION = """
CREATE OR REPLACE FUNCTION keep_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = OLD.updated_at;
    RETURN NEW;
END;
$$ language 'plpgsql'
"""
KEEPS = """
CREATE TRIGGER use_keeps_{table}_updated_at BEFORE UPDATE ON {table}
    FOR EACH ROW WHEN (OLD.{column} IS DISTINCT FROM NEW.{column}) EXECUTE FUNCTION keep_updated_at_column()
"""
# SQLite cannot change the row before it is written. The moment stands still within a statement, so the
# second update finds it there already and the trigger does not call itself.
SQLITE = """
CREATE TRIGGER update_{table}_updated_at AFTER UPDATE ON {table} FOR EACH ROW
WHEN NEW.updated_at IS NOT strftime('%Y-%m-%d %H:%M:%f000', 'now'){unless}
BEGIN
    UPDATE {table} SET updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE rowid = NEW.rowid;
END
"""


def add(*tables: str, use: str = "") -> None:
    """Gives tables their trigger; SQLite loses it when a batch operation rebuilds the table.

    Args:
        tables: The tables.
        use: A column that says when a row was last used, which is no change of it.
    """
    postgres = op.get_context().dialect.name == "postgresql"
    if postgres:
        op.execute(FUNCTION)
        if use:
            op.execute(KEEPS_FUNCTION)
    for table in tables:
        if postgres:
            op.execute(POSTGRES.format(table=table))
            if use:
                op.execute(KEEPS.format(table=table, column=use))
        else:
            unless = f" AND NEW.{use} IS OLD.{use}" if use else ""
            op.execute(SQLITE.format(table=table, unless=unless))


def drop() -> None:
    """Drops the functions; triggers went with their tables."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION update_updated_at_column()")
        op.execute("DROP FUNCTION IF EXISTS keep_updated_at_column()")
