"""Ledger, journal and transitions are append-only; a record in the same transaction opens the
first two for a purge or an erasure (SPEC §2.2)."""

from django.db import migrations

from migrations_tools.triggers import Trigger, create_operations

_REFUSAL = """RAISE EXCEPTION '{what} are never changed or deleted ({hint}).'
        USING ERRCODE = 'integrity_constraint_violation';"""


def _recorded(kind: str) -> str:
    """SQL: a retention record of this kind was written in this transaction for the row's run."""
    return (
        "EXISTS (SELECT FROM migrations_tools_retentionrecord r "
        f"WHERE r.kind = '{kind}' AND r.run_id = OLD.run_id "
        "AND r.transaction_id = pg_current_xact_id())"
    )


def _guarded(table: str, name: str, what: str, personal: dict[str, str]) -> list[Trigger]:
    """Row and statement triggers of a table whose ``personal`` columns an erasure sets to null.

    ``personal`` maps the column to an SQL condition on its new value.
    """
    erased = " AND ".join(personal.values())
    kept = " - ".join(["to_jsonb({row})", *(f"'{column}'" for column in personal)])
    refusal = _REFUSAL.format(what=what, hint="datamigrate purge removes those of a whole run")
    return [
        Trigger(
            name=f"migrations_tools_{name}_append_only",
            table=table,
            events="BEFORE UPDATE OR DELETE",
            body=f"""
BEGIN
    IF TG_OP = 'DELETE' AND {_recorded("purge")} THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND {_recorded("erase")} AND {erased}
        AND {kept.format(row="NEW")} = {kept.format(row="OLD")} THEN
        RETURN NEW;
    END IF;
    {refusal}
END
""",
        ),
        _not_truncated(table, name, refusal),
    ]


def _not_truncated(table: str, name: str, refusal: str) -> Trigger:
    return Trigger(
        name=f"migrations_tools_{name}_not_truncated",
        table=table,
        events="BEFORE TRUNCATE",
        level="STATEMENT",
        body=f"""
BEGIN
    {refusal}
END
""",
    )


_TRANSITIONS = _REFUSAL.format(what="Transitions", hint="they are the audit trail")

_RECORDS = _REFUSAL.format(what="Retention records", hint="they tell who removed what")


def _closed(table: str, name: str, refusal: str) -> list[Trigger]:
    """Triggers of a table that nothing opens."""
    return [
        Trigger(
            name=f"migrations_tools_{name}_append_only",
            table=table,
            events="BEFORE UPDATE OR DELETE",
            body=f"""
BEGIN
    {refusal}
END
""",
        ),
        _not_truncated(table, name, refusal),
    ]


_CLOSED_TRIGGERS = [
    *_closed("migrations_tools_transition", "transition", _TRANSITIONS),
    *_closed("migrations_tools_retentionrecord", "retention", _RECORDS),
]


class Migration(migrations.Migration):
    dependencies = [("migrations_tools", "0001_initial")]

    operations = create_operations(
        [
            *_guarded(
                "migrations_tools_ledgerentry",
                "ledger",
                "Ledger entries",
                {
                    "detail": "NEW.detail IS NULL",
                    "warnings": "NEW.warnings IS NULL",
                },
            ),
            *_guarded(
                "migrations_tools_rowchange",
                "journal",
                "Journal entries",
                {
                    "before": "NEW.before IS NULL",
                    "after": "NEW.after IS NULL",
                },
            ),
            *_CLOSED_TRIGGERS,
        ]
    )
