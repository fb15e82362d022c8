"""Hand-written set-based SQL that does by hand what ``split_imported_records`` does.

The yardstick of the table: what somebody who knows PostgreSQL would write for this one migration.
It writes the same rows into the same tables – guarantees, actions, import batches, history, ledger
and journal with the same digests, links – in chunks, one transaction each. It reads the plain
shapes of amounts and dates only, leaves the others empty and warns of nothing; it can be neither
paused nor resumed, and does not look for late rows. All of that is in its favour.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.utils.timezone import get_default_timezone_name

from guarantees.data_migrations.split_imported_records import SplitImportedRecords
from guarantees.models import Guarantee, GuaranteeAction, ImportBatch
from guarantees.models.number import PADDING
from migrations_tools.engine.fingerprint import image_columns
from migrations_tools.engine.seal import batch_digest
from migrations_tools.engine.sql import journal_digest, json_of, ledger_digest, row_image
from migrations_tools.models import Batch, Run
from migrations_tools.services.actors import system_user
from migrations_tools.states import BatchState, RunKind, RunState

CHUNK_ROWS = 5_000

_IMAGES = image_columns(SplitImportedRecords)
#: Updated rows of the targets have an image; the links of old rows have none.
_IMAGED = ("guarantees.importbatch", "guarantees.guarantee")
_RECORDS, _SESSIONS = "guarantees_importedrecord", "guarantees_importsession"


def _word(column: str) -> str:
    return f"lower(btrim(coalesce({column}, ''), %(padding)s))"


_BECOMES_GUARANTEE = (
    f"({_word('r.record_type')} IN ('', 'import') "
    f"AND {_word('s.session_type')} NOT IN ('extension_action', 'release_action'))"
)
_ACTION_TYPE = (
    "CASE WHEN 'extension_action' IN "
    f"({_word('r.record_type')}, {_word('s.session_type')}) AND "
    f"{_word('r.record_type')} IN ('extension_action', '', 'import') THEN 'extension' "
    f"WHEN {_word('r.record_type')} = 'release_action' OR {_word('r.record_type')} IN "
    f"('', 'import') AND {_word('s.session_type')} = 'release_action' THEN 'release' END"
)
_NUMBER = (
    "CASE WHEN btrim(coalesce(r.guarantee_number, ''), %(padding)s) = '' "
    "THEN 'UNKNOWN-' || r.id ELSE r.guarantee_number END"
)
_AMOUNT = (
    "CASE WHEN r.amount ~ '^[0-9]{{1,3}}(,?[0-9]{{3}})*([.][0-9]{{1,2}}0*)?$' "
    "THEN replace(r.amount, ',', '')::numeric(16, 2) END"
)


def _date(column: str) -> str:
    return (
        f"CASE WHEN {column} ~ '^[12][0-9]{{{{3}}}}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$' "
        f"THEN {column}::date "
        f"WHEN {column} ~ '^(0[1-9]|1[0-9]|2[0-8])-(0[1-9]|1[0-2])-[12][0-9]{{{{3}}}}$' "
        f"THEN to_date({column}, 'DD-MM-YYYY') "
        f"WHEN {column} ~ '^[12][0-9]{{{{3}}}}-(0[13578]|1[02])-(29|3[01])$' "
        f"OR {column} ~ '^[12][0-9]{{{{3}}}}-(0[469]|11)-(29|30)$' THEN {column}::date END"
    )


def _instant(column: str) -> str:
    return f"CASE WHEN {column} ~ '^(19|20)[0-9]{{{{2}}}}-' THEN {column}::timestamptz END"


_ISSUE, _EXPIRY = _date("r.issue_date"), _date("r.expiry_date")

#: The next rows of a chunk, as they are read, with the key that each new object will have.
_READ = f"""
    CREATE TEMPORARY TABLE chunk ON COMMIT DROP AS
    SELECT r.id, r.id::text AS key, r.session_id, r.content_hash,
        {_NUMBER} AS number, r.raw_supplier_name, r.raw_bank_name, r.contract_number,
        r.related_to, r.type, r.comment, r.bank_display, r.supplier_display_name,
        {_AMOUNT} AS amount, {_ISSUE} AS issue_date, {_EXPIRY} AS expiry_date,
        supplier.id AS supplier_id, bank.id AS bank_id,
        CASE WHEN lower(btrim(r.match_status)) IN ('ready', 'approved')
            AND supplier.id IS NOT DISTINCT FROM r.supplier_id
            AND bank.id IS NOT DISTINCT FROM r.bank_id THEN 'ready' ELSE 'needs_review' END
            AS match_status,
        CASE WHEN lower(s.session_type) LIKE '%%manual%%' THEN 'manual'
            WHEN lower(s.session_type) ~ 'paste|text' THEN 'paste' ELSE 'excel' END AS kind,
        s.session_type, s.file_name, s.staged_at IS NOT NULL AS session_known,
        coalesce({_instant("s.created_at")}, s.staged_at, r.staged_at) AS session_made,
        {_instant("s.created_at")} AS session_created,
        coalesce({_instant("r.created_at")}, {_instant("s.created_at")}, r.staged_at)
            AS created_at,
        {_ACTION_TYPE} AS action_type,
        nextval(pg_get_serial_sequence('{{table}}', 'id')) AS new_id
    FROM {_RECORDS} r
    LEFT JOIN {_SESSIONS} s ON s.id = r.session_id
    LEFT JOIN guarantees_supplier supplier ON supplier.id = r.supplier_id
    LEFT JOIN guarantees_bank bank ON bank.id = r.bank_id
    WHERE r.id > %(after)s AND r.id <= %(last)s AND {{condition}}
    ORDER BY r.id
    FOR NO KEY UPDATE OF r
"""

#: Cut by the key alone: with the condition, the database would expect few rows, and sort them all.
_CUT = f"SELECT max(id) FROM (SELECT id FROM {_RECORDS} WHERE id > %s ORDER BY id LIMIT %s) next"

_DAY = "(c.created_at AT TIME ZONE %(zone)s)::date"
_SESSION_REF = "coalesce('session:' || c.session_id, 'session:none')"

_HISTORY = "history_date, history_change_reason, history_type, history_user_id"


def _history_of(kind: str) -> str:
    return f"clock_timestamp(), %(reason)s, '{kind}', %(actor)s"


def _columns(model: type[Model], alias: str = "") -> str:
    names = [str(found.column) for found in model._meta.concrete_fields]
    return ", ".join(alias + name for name in names)


def _journal(rows: str) -> str:
    """INSERT of the journal entries that ``rows`` yields: key, pk_text, before, after, image."""
    return f"""
        INSERT INTO migrations_tools_rowchange (run_id, batch_id, step, key, model, pk_text,
            operation, before, after, image, digest)
        SELECT %(run)s, %(batch)s, e.step, e.key, e.model, e.pk_text, e.operation, e.before,
            e.after, e.image, {journal_digest("e")}
        FROM (SELECT %(step)s::smallint AS step, w.* FROM ({rows}) w) e
    """


def _inserted(model: type[Model], key: str, source: str) -> str:
    label = model._meta.label_lower
    return (
        f"SELECT {key} AS key, '{label}'::text AS model, t.id::text AS pk_text, "
        "'insert'::text AS operation, NULL::jsonb AS before, NULL::jsonb AS after, "
        f"{row_image(_IMAGES[label], 't')} AS image FROM {source}"
    )


def _updated(model: str, columns: list[str], before: str, key: str = "t.id::text") -> str:
    """``t`` is the row after the change."""
    image = row_image(_IMAGES[model], "t") if model in _IMAGED else "NULL::bytea"
    return (
        f"SELECT {key} AS key, '{model}'::text AS model, t.id::text AS pk_text, "
        f"'update'::text AS operation, {before} AS before, {json_of(columns, 't')} AS after, "
        f"{image} AS image"
    )


def _ledger(rows: str) -> str:
    """INSERT of ledger entries; ``rows`` yields key, outcome, code, source_digest."""
    return f"""
        INSERT INTO migrations_tools_ledgerentry (run_id, batch_id, step, key, attempt, outcome,
            code, detail, category, confidence, warnings, source_digest, digest)
        SELECT %(run)s, %(batch)s, e.step, e.key, e.attempt, e.outcome, e.code, e.detail,
            e.category, e.confidence, e.warnings, e.source_digest, {ledger_digest("e")}
        FROM (
            SELECT %(step)s::smallint AS step, w.key, 1::smallint AS attempt, w.outcome, w.code,
                NULL::text AS detail, ''::text AS category, NULL::float8 AS confidence,
                NULL::jsonb AS warnings, w.source_digest
            FROM ({rows}) w
        ) e
    """


#: The batches of a chunk's rows that are not there yet.
_BATCHES = f"""
    WITH wanted AS (
        SELECT DISTINCT ON (kind, day) c.kind, {_DAY} AS day, '' AS description,
            '' AS file_name, NULL AS legacy_ref,
            {_DAY}::timestamp AT TIME ZONE %(zone)s AS created_at
        FROM chunk c WHERE c.kind <> 'excel'
        UNION ALL
        SELECT DISTINCT ON (c.session_id) c.kind, (c.session_created AT TIME ZONE %(zone)s)::date,
            CASE WHEN c.session_id IS NULL THEN 'Legacy rows without session'
                ELSE 'Legacy session ' || c.session_id || CASE WHEN c.session_known
                    THEN ' (' || coalesce(c.session_type, 'no type') || ')' ELSE ' (unknown)' END
            END,
            coalesce(c.file_name, ''), {_SESSION_REF}, c.session_made
        FROM chunk c WHERE c.kind = 'excel'
    ),
    made AS (
        INSERT INTO guarantees_importbatch (kind, day, description, file_name, legacy_ref,
            created_at, sha256, total_records, ready_records, uploaded_by)
        SELECT kind, day, description, file_name, legacy_ref, created_at, '', 0, 0, ''
        FROM wanted ON CONFLICT DO NOTHING RETURNING *
    ),
    historical AS (
        INSERT INTO guarantees_historicalimportbatch ({_columns(ImportBatch)}, {_HISTORY})
        SELECT {_columns(ImportBatch)}, {_history_of("+")} FROM made
    )
    {_journal(_inserted(ImportBatch, "NULL::text", "made t"))}
"""

_GUARANTEES = f"""
    WITH placed AS MATERIALIZED (
        SELECT c.*, {_DAY} AS day, b.id AS batch_id
        FROM chunk c
        JOIN guarantees_importbatch b ON b.legacy_ref = {_SESSION_REF}
        WHERE c.kind = 'excel'
        UNION ALL
        SELECT c.*, {_DAY}, b.id
        FROM chunk c
        JOIN guarantees_importbatch b ON b.kind = c.kind AND b.day = {_DAY}
            AND b.kind IN ('manual', 'paste')
        WHERE c.kind <> 'excel'
    ),
    made AS (
        INSERT INTO guarantees_guarantee (id, number, raw_supplier_name, raw_bank_name,
            contract_number, related_to, amount, currency, issue_date, expiry_date, type, comment,
            match_status, import_kind, import_date, is_protected, current_amount, current_expiry,
            status, created_at, bank_id, batch_id, supplier_id)
        SELECT new_id, number, coalesce(raw_supplier_name, ''), coalesce(raw_bank_name, ''),
            coalesce(contract_number, ''), coalesce(related_to, ''), amount, 'SAR', issue_date,
            expiry_date, coalesce(type, ''), coalesce(comment, ''), match_status, kind, day,
            match_status = 'ready', amount, expiry_date, 'active', created_at, bank_id, batch_id,
            supplier_id
        FROM placed RETURNING *
    ),
    historical AS (
        INSERT INTO guarantees_historicalguarantee ({_columns(Guarantee)}, {_HISTORY})
        SELECT {_columns(Guarantee)}, {_history_of("+")} FROM made
    ),
    linked AS (
        UPDATE {_RECORDS} r SET migrated_guarantee_id = p.new_id, import_batch_id = p.batch_id
        FROM placed p WHERE r.id = p.id
        RETURNING r.id, r.migrated_guarantee_id, r.import_batch_id
    ),
    told AS (
        {
    _ledger(
        "SELECT key, 'applied' AS outcome, '' AS code, content_hash AS source_digest FROM placed"
    )
}
    )
    {
    _journal(
        _inserted(Guarantee, "p.key", "made t JOIN placed p ON p.new_id = t.id")
        + " UNION ALL "
        + _updated(
            "guarantees.importedrecord",
            ["migrated_guarantee_id", "import_batch_id"],
            "jsonb_build_object('migrated_guarantee_id', NULL, 'import_batch_id', NULL)",
        )
        + " FROM linked t"
    )
}
"""

#: The newest guarantee of a number that was imported before the action's row.
_GUARANTEE_OF_ACTION = """
    SELECT g.id FROM guarantees_guarantee g
    JOIN guarantees_importedrecord r ON r.migrated_guarantee_id = g.id
    WHERE md5(btrim(g.number, %(padding)s)) = md5(btrim(c.number, %(padding)s))
        AND g.created_at <= c.created_at
        AND (g.created_at, r.id) < (c.created_at, c.id)
    ORDER BY g.created_at DESC, r.id DESC LIMIT 1
"""

_ACTIONS = f"""
    WITH made AS (
        INSERT INTO guarantees_guaranteeaction (id, guarantee_id, number, action_type,
            action_date, previous_expiry, new_expiry, previous_amount, notes, changes, reason,
            supplier_id, bank_id, supplier_name, bank_name, supplier_display_name,
            bank_display_name, status, is_locked, issued_at, created_at)
        SELECT c.new_id, ({_GUARANTEE_OF_ACTION}), c.number, c.action_type, {_DAY},
            CASE c.action_type WHEN 'release' THEN c.expiry_date END,
            CASE c.action_type WHEN 'extension' THEN c.expiry_date END, c.amount,
            coalesce(c.comment, ''), '{{}}', '', c.supplier_id, c.bank_id,
            coalesce(c.raw_supplier_name, ''), coalesce(c.raw_bank_name, ''),
            coalesce(c.supplier_display_name, ''), coalesce(c.bank_display, ''), 'issued', true,
            c.created_at, c.created_at
        FROM chunk c WHERE c.action_type IS NOT NULL RETURNING *
    ),
    historical AS (
        INSERT INTO guarantees_historicalguaranteeaction ({_columns(GuaranteeAction)}, {_HISTORY})
        SELECT {_columns(GuaranteeAction)}, {_history_of("+")} FROM made
    ),
    linked AS (
        UPDATE {_RECORDS} r SET migrated_action_id = c.new_id
        FROM chunk c WHERE r.id = c.id AND c.action_type IS NOT NULL
        RETURNING r.id, r.migrated_action_id
    ),
    told AS (
        {
    _ledger(
        "SELECT key, CASE WHEN action_type IS NULL THEN 'skipped' ELSE 'applied' END "
        "AS outcome, CASE WHEN action_type IS NULL THEN 'unsupported_type' ELSE '' END "
        "AS code, content_hash AS source_digest FROM chunk"
    )
}
    )
    {
    _journal(
        _inserted(GuaranteeAction, "c.key", "made t JOIN chunk c ON c.new_id = t.id")
        + " UNION ALL "
        + _updated(
            "guarantees.importedrecord",
            ["migrated_action_id"],
            "jsonb_build_object('migrated_action_id', NULL)",
        )
        + " FROM linked t"
    )
}
"""

_TOTALS = f"""
    WITH counted AS (
        SELECT batch_id, count(*) AS total, count(*) FILTER (WHERE match_status = 'ready') AS ready
        FROM guarantees_guarantee GROUP BY batch_id
    ),
    changed AS (
        UPDATE guarantees_importbatch b SET total_records = total, ready_records = ready
        FROM counted WHERE b.id = counted.batch_id RETURNING b.*
    ),
    historical AS (
        INSERT INTO guarantees_historicalimportbatch ({_columns(ImportBatch)}, {_HISTORY})
        SELECT {_columns(ImportBatch)}, {_history_of("~")} FROM changed
    ),
    told AS (
        {
    _ledger(
        "SELECT id::text AS key, 'applied' AS outcome, '' AS code, "
        "NULL::bytea AS source_digest FROM changed"
    )
}
    )
    {
    _journal(
        _updated(
            "guarantees.importbatch",
            ["total_records", "ready_records"],
            "jsonb_build_object('total_records', 0, 'ready_records', 0)",
        )
        + " FROM changed t"
    )
}
"""

_CURRENT = f"""
    WITH acted AS (
        SELECT guarantee_id AS id,
            CASE WHEN bool_or(action_type = 'release') THEN 'released' ELSE 'active' END AS status,
            (array_agg(new_expiry ORDER BY issued_at DESC, id DESC)
                FILTER (WHERE new_expiry IS NOT NULL))[1] AS expiry
        FROM guarantees_guaranteeaction WHERE guarantee_id IS NOT NULL GROUP BY guarantee_id
    ),
    found AS (
        SELECT g.id, g.current_expiry, g.current_amount, g.status, a.status AS new_status,
            coalesce(a.expiry, g.expiry_date) AS new_expiry,
            (g.current_expiry, g.status)
                IS DISTINCT FROM (coalesce(a.expiry, g.expiry_date), a.status) AS differs
        FROM acted a JOIN guarantees_guarantee g ON g.id = a.id
    ),
    changed AS (
        UPDATE guarantees_guarantee g SET current_expiry = f.new_expiry, status = f.new_status
        FROM found f WHERE g.id = f.id AND f.differs
        RETURNING g.*, f.current_expiry AS old_expiry, f.status AS old_status
    ),
    historical AS (
        INSERT INTO guarantees_historicalguarantee ({_columns(Guarantee)}, {_HISTORY})
        SELECT {_columns(Guarantee)}, {_history_of("~")} FROM changed
    ),
    told AS (
        {
    _ledger(
        "SELECT id::text AS key, CASE WHEN differs THEN 'applied' ELSE 'unchanged' END "
        "AS outcome, '' AS code, NULL::bytea AS source_digest FROM found"
    )
}
    )
    {
    _journal(
        _updated(
            "guarantees.guarantee",
            ["current_amount", "current_expiry", "status"],
            "jsonb_build_object('current_amount', current_amount, 'current_expiry', old_expiry, "
            "'status', old_status)",
        )
        + " FROM changed t"
    )
}
"""


def split_by_sql() -> Run:
    """Carry everything over: guarantees, then actions, then totals and current values."""
    actor = system_user()
    run = Run.objects.create(
        definition="split_imported_records",
        version=1,
        kind=RunKind.APPLY,
        state=RunState.COMPLETED,
        actor=actor,
    )
    values = {
        "run": run.pk,
        "reason": f"run {run.pk}",
        "actor": actor.pk,
        "padding": PADDING,
        "zone": get_default_timezone_name(),
    }
    numbers = iter(range(1, 1 << 31))
    guarantees = _READ.format(table="guarantees_guarantee", condition=_BECOMES_GUARANTEE)
    _in_chunks(0, CHUNK_ROWS, values, numbers, [guarantees, _BATCHES, _GUARANTEES])
    actions = _READ.format(
        table="guarantees_guaranteeaction", condition=f"NOT {_BECOMES_GUARANTEE}"
    )
    _in_chunks(1, 10 * CHUNK_ROWS, values, numbers, [actions, _ACTIONS])  # one row in ten or so
    with transaction.atomic(), connection.cursor() as cursor:
        _write(cursor, [_TOTALS], 2, values, numbers)
    with transaction.atomic(), connection.cursor() as cursor:
        _write(cursor, [_CURRENT], 3, values, numbers)
    return run


def _in_chunks(
    step: int, size: int, values: dict[str, Any], numbers: Iterator[int], statements: list[str]
) -> None:
    after = -1
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CUT, [after, size])
            (last,) = cursor.fetchone()
            if last is None:
                return
            _write(cursor, statements, step, {**values, "after": after, "last": last}, numbers)
            after = last


def _write(
    cursor: Any,
    statements: list[str],
    step: int,
    values: dict[str, Any],
    numbers: Iterator[int],
) -> None:
    """Run the statements as one batch of the ledger and journal, and digest it."""
    batch = Batch.objects.create(
        run_id=values["run"], step=step, number=next(numbers), state=BatchState.DONE
    )
    for statement in statements:
        cursor.execute(statement, {**values, "batch": batch.pk, "step": step})
    batch.digest = batch_digest(batch)
    batch.save(update_fields=["digest"])
