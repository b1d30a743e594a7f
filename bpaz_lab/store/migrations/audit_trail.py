"""The audit log takes new rows, and lets none be changed: who could hide what was done, if not the doer?

One change is allowed, for who asks to be forgotten: ``user_id`` and ``details`` become NULL and ``actor``
becomes ``erased``, and everything else stays.
"""

from __future__ import annotations

from alembic import op

KEPT = ("id", "action", "object_type", "object_id", "outcome", "request_id", "created_at")
SAYS = "audit_log takes new rows only"

FUNCTION = """
CREATE OR REPLACE FUNCTION keep_audit_log()
RETURNS TRIGGER AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.actor = 'erased' AND NEW.user_id IS NULL
        AND (NEW.details IS NULL OR NEW.details = OLD.details)
        AND ({new}) IS NOT DISTINCT FROM ({old}) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '{says}' USING ERRCODE = 'integrity_constraint_violation';
END;
$$ language 'plpgsql'
"""
POSTGRES = (
    """
CREATE TRIGGER keep_audit_log_rows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION keep_audit_log()
""",
    """
CREATE TRIGGER keep_audit_log_whole BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_log()
""",
)
SQLITE = (
    """
CREATE TRIGGER keep_audit_log_rows BEFORE UPDATE ON audit_log FOR EACH ROW
WHEN NOT (NEW.actor = 'erased' AND NEW.user_id IS NULL
    AND (NEW.details IS NULL OR NEW.details IS OLD.details)
    AND ({new}) IS ({old}))
BEGIN
    SELECT RAISE(ABORT, '{says}');
END
""",
    """
CREATE TRIGGER keep_audit_log_whole BEFORE DELETE ON audit_log FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, '{says}');
END
""",
)


def add() -> None:
    """Adds the triggers."""
    words = {
        "new": ", ".join(f"NEW.{name}" for name in KEPT),
        "old": ", ".join(f"OLD.{name}" for name in KEPT),
        "says": SAYS,
    }
    if op.get_context().dialect.name == "postgresql":
        op.execute(FUNCTION.format(**words))
        for trigger in POSTGRES:
            op.execute(trigger)
    else:
        for trigger in SQLITE:
            op.execute(trigger.format(**words))


def drop() -> None:
    """Drops the function; triggers went with their table."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION keep_audit_log()")
