"""Protected guarantees keep what was imported (guarantees.md "Protected")."""

from django.db import migrations

from migrations_tools.triggers import Trigger, create_operations

TABLE = "guarantees_guarantee"

# guarantees.models.guarantee.BUSINESS_FIELDS, and the key
FROZEN = (
    "id",
    "number",
    "raw_supplier_name",
    "raw_bank_name",
    "supplier_id",
    "bank_id",
    "contract_number",
    "related_to",
    "amount",
    "currency",
    "issue_date",
    "expiry_date",
    "type",
    "comment",
    "match_status",
    "batch_id",
    "import_kind",
    "import_date",
    "created_at",
)
OLD_VALUES = ", ".join(f"OLD.{column}" for column in FROZEN)
NEW_VALUES = ", ".join(f"NEW.{column}" for column in FROZEN)

TRIGGERS = [
    Trigger(
        name="guarantees_protected_values",
        table=TABLE,
        events="BEFORE UPDATE",
        when=f"OLD.is_protected AND ({OLD_VALUES}) IS DISTINCT FROM ({NEW_VALUES})",
        # the one exception: the transaction that issues its modification
        body="""
BEGIN
    IF EXISTS (
        SELECT FROM guarantees_guaranteeaction
        WHERE guarantee_id = OLD.id AND action_type = 'modification' AND status = 'issued'
            AND issued_in = pg_current_xact_id()::text::bigint AND reason ~ '\\S'
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Guarantee % is protected: issue a modification with a reason to change it.',
        OLD.number USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
    Trigger(
        name="guarantees_protection_stays",
        table=TABLE,
        events="BEFORE UPDATE",
        when="OLD.is_protected IS DISTINCT FROM NEW.is_protected",
        body="""
BEGIN
    RAISE EXCEPTION 'Guarantee %: protection is set by the migration only.',
        OLD.number USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
    # for all rows of a statement at once, as in 0002_locked_actions
    Trigger(
        name="guarantees_protected_not_deleted",
        table=TABLE,
        events="AFTER DELETE",
        level="STATEMENT",
        old_table="gone",
        # the one exception: the rollback of the run that inserted the guarantee, journal first
        body="""
DECLARE
    kept record;
BEGIN
    SELECT id, number INTO kept FROM gone
    WHERE is_protected AND 0 = (
        SELECT count(*) FROM migrations_tools_rowchange undone
        JOIN migrations_tools_run undoing
            ON undoing.id = undone.run_id AND undoing.kind = 'rollback'
        JOIN migrations_tools_rowchange made
            ON made.run_id = undoing.parent_id AND made.operation = 'insert'
            AND made.model = undone.model AND made.pk_text = undone.pk_text
        WHERE undone.model = 'guarantees.guarantee' AND undone.pk_text = gone.id::text
            AND undone.operation = 'delete' AND undone.transaction_id = pg_current_xact_id()
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Guarantee % is protected: it cannot be deleted.', kept.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
""",
    ),
    Trigger(
        name="guarantees_not_truncated",
        table=TABLE,
        events="BEFORE TRUNCATE",
        level="STATEMENT",
        body="""
BEGIN
    RAISE EXCEPTION 'Guarantees cannot be truncated: protected ones are never deleted.'
        USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("guarantees", "0002_locked_actions")]

    operations = create_operations(TRIGGERS)
