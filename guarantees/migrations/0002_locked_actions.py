"""Issued actions and locked action sessions are immutable (guarantees.md "Immutable")."""

from django.db import migrations

from migrations_tools.triggers import Trigger, create_operations

ACTION = "guarantees_guaranteeaction"
SESSION = "guarantees_actionsession"

TRIGGERS = [
    Trigger(
        name="guarantees_action_locked",
        table=ACTION,
        events="BEFORE UPDATE",
        when="OLD.is_locked",
        body="""
BEGIN
    RAISE EXCEPTION 'Action % on guarantee % is issued and locked: it can be neither changed nor '
        'deleted.', OLD.id, OLD.number USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
    # Once for all rows of a statement: row by row the look-up costs a rollback three times as
    # much. A scalar subquery stays an index look-up even where statistics are stale.
    Trigger(
        name="guarantees_action_not_deleted",
        table=ACTION,
        events="AFTER DELETE",
        level="STATEMENT",
        old_table="gone",
        # the one exception: the rollback of the run that inserted the action, journal first
        body="""
DECLARE
    kept record;
BEGIN
    SELECT id, number INTO kept FROM gone
    WHERE is_locked AND 0 = (
        SELECT count(*) FROM migrations_tools_rowchange undone
        JOIN migrations_tools_run undoing
            ON undoing.id = undone.run_id AND undoing.kind = 'rollback'
        JOIN migrations_tools_rowchange made
            ON made.run_id = undoing.parent_id AND made.operation = 'insert'
            AND made.model = undone.model AND made.pk_text = undone.pk_text
        WHERE undone.model = 'guarantees.guaranteeaction' AND undone.pk_text = gone.id::text
            AND undone.operation = 'delete' AND undone.transaction_id = pg_current_xact_id()
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Action % on guarantee % is issued and locked: it can be neither changed '
            'nor deleted.', kept.id, kept.number USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
""",
    ),
    Trigger(
        name="guarantees_action_not_truncated",
        table=ACTION,
        events="BEFORE TRUNCATE",
        level="STATEMENT",
        body="""
BEGIN
    RAISE EXCEPTION 'Actions cannot be truncated: issued ones are never deleted.'
        USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
    Trigger(
        name="guarantees_action_issued_in",
        table=ACTION,
        events="BEFORE INSERT OR UPDATE",
        when="NEW.action_type = 'modification' AND NEW.status = 'issued'",
        body="""
BEGIN
    NEW.issued_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END
""",
    ),
    # Whoever adds to a session locks its row, so that nobody locks the session meanwhile.
    Trigger(
        name="guarantees_action_into_locked_session",
        table=ACTION,
        events="BEFORE INSERT OR UPDATE",
        when="NEW.session_id IS NOT NULL",
        body="""
BEGIN
    PERFORM FROM guarantees_actionsession WHERE id = NEW.session_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM guarantees_actionsession WHERE id = NEW.session_id AND is_locked) THEN
        RAISE EXCEPTION 'Action session % is locked: it takes no new or changed action.',
            NEW.session_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
""",
    ),
    Trigger(
        name="guarantees_action_out_of_locked_session",
        table=ACTION,
        events="BEFORE UPDATE OR DELETE",
        when="OLD.session_id IS NOT NULL",
        body="""
BEGIN
    PERFORM FROM guarantees_actionsession WHERE id = OLD.session_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM guarantees_actionsession WHERE id = OLD.session_id AND is_locked) THEN
        RAISE EXCEPTION 'Action session % is locked: its actions can be neither changed nor '
            'deleted.', OLD.session_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
""",
    ),
    Trigger(
        name="guarantees_session_locked",
        table=SESSION,
        events="BEFORE UPDATE OR DELETE",
        when="OLD.is_locked",
        body="""
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.is_locked AND NEW.id = OLD.id AND NEW.day = OLD.day THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Action session % is locked: it can be neither unlocked, moved nor deleted.',
        OLD.id USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
    Trigger(
        name="guarantees_session_not_truncated",
        table=SESSION,
        events="BEFORE TRUNCATE",
        level="STATEMENT",
        body="""
BEGIN
    RAISE EXCEPTION 'Action sessions cannot be truncated: locked ones are never deleted.'
        USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
]


class Migration(migrations.Migration):
    dependencies = [
        ("guarantees", "0001_initial"),
        ("migrations_tools", "0001_initial"),
    ]

    operations = create_operations(TRIGGERS)
