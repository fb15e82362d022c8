"""What must hold after ``split_imported_records``: guarantees.md "Verification", as SQL of its own.

One pass pairs every old row with what it became. Values are compared as text first, which settles
nearly all of them; the readings of `split_readings` are for the rest. A difference is explained
(``edited``) where the newest history row of the guarantee is a change that no run made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from guarantees.data_migrations.split_readings import (
    USUAL_AMOUNT,
    amount_reading,
    date_reading,
)
from guarantees.reading import day_first
from migrations_tools.definitions import SQLCheck, SQLScan

DEFINITION: Final = "split_imported_records"

#: White space around numbers that does not count (guarantees.md "Verification").
_PADDING: Final = " \t\n\r\v\f\xa0"

_LINKED: Final = (
    "SELECT count(migrated_guarantee_id) + count(migrated_action_id) FROM guarantees_importedrecord"
)

# Runs of this migration that were not taken back as a whole.
_STANDING: Final = (
    "SELECT id, created_at, state, tuning, key_ranges FROM migrations_tools_run "
    f"WHERE definition = '{DEFINITION}' AND kind = 'apply' AND state <> 'rolled_back'"
)

# --------------------------------------------------------------------------------- every old row

# Rows beyond the reach of a whole run came later; they wait for the next one.
_ROWS: Final = SQLScan(
    {
        "accounting": "Every old row is linked, skipped or quarantined",
        "both_links": "No old row is linked to a guarantee and to an action",
    },
    examined="SELECT count(*) FROM guarantees_importedrecord",
    failures=f"""
        WITH standing AS ({_STANDING}),
        reach AS (
            SELECT max(greatest((key_ranges -> '0' ->> 'upper')::bigint,
                                (key_ranges -> '1' ->> 'upper')::bigint)) AS last
            FROM standing WHERE state = 'completed' AND tuning ->> 'limit' IS NULL
        )
        SELECT 'accounting', r.id, 'The row has no link; '
            || coalesce('run ' || told.run_id || ' says: ' || told.outcome, 'no run tells of it')
        FROM guarantees_importedrecord r
        CROSS JOIN reach
        LEFT JOIN LATERAL (
            SELECT l.run_id, l.step, l.outcome, s.created_at
            FROM standing s
            JOIN migrations_tools_ledgerentry l
                ON l.run_id = s.id AND l.step IN (0, 1) AND l.key = r.id::text
            ORDER BY s.created_at DESC, l.attempt DESC
            LIMIT 1
        ) told ON true
        WHERE r.migrated_guarantee_id IS NULL AND r.migrated_action_id IS NULL
            AND CASE WHEN told.outcome IS NULL THEN r.id <= reach.last
                ELSE told.outcome NOT IN ('skipped', 'quarantined') END
            AND NOT EXISTS (
                SELECT FROM migrations_tools_run undoing
                JOIN migrations_tools_ledgerentry undone ON undone.run_id = undoing.id
                    AND undone.step IN (0, 1) AND undone.key = r.id::text
                    AND undone.outcome = 'restored'
                WHERE undoing.kind = 'rollback' AND undoing.definition = 'split_imported_records'
                    AND (told.run_id IS NULL OR undoing.parent_id = told.run_id
                        OR undoing.created_at > told.created_at)
            )
        UNION ALL
        SELECT 'both_links', id,
            'Guarantee ' || migrated_guarantee_id || ' and action ' || migrated_action_id
        FROM guarantees_importedrecord
        WHERE migrated_guarantee_id IS NOT NULL AND migrated_action_id IS NOT NULL
    """,
    may_be_empty=True,
)

# ------------------------------------------------------------------------------------------ links

_TARGETS: Final = (
    ("guarantee", "guarantees_guarantee", "migrated_guarantee_id"),
    ("action", "guarantees_guaranteeaction", "migrated_action_id"),
)


def _lost(model: str, table: str, link: str) -> str:
    """SQL: objects that a standing run made and no old row is linked to; named by the old row."""
    return f"""
        SELECT made.key, 'The row is no longer linked to {model} ' || lost.id || ', made from it'
        FROM (
            SELECT t.id FROM {table} t
            WHERE NOT EXISTS (SELECT FROM guarantees_importedrecord r WHERE r.{link} = t.id)
        ) lost
        CROSS JOIN LATERAL (
            SELECT c.key FROM migrations_tools_rowchange c JOIN ({_STANDING}) s ON s.id = c.run_id
            WHERE c.model = 'guarantees.{table.removeprefix("guarantees_")}'
                AND c.pk_text = lost.id::text AND c.operation = 'insert'
            LIMIT 1
        ) made
    """


_LOST: Final = SQLCheck(
    "link_lost",
    "Everything carried over is linked to by the row it was made from",
    examined=_LINKED,
    failures=" UNION ALL ".join(_lost(*target) for target in _TARGETS),
    may_be_empty=True,
)


def _shared(model: str, link: str) -> str:
    """SQL: objects that several old rows are linked to; named by the first of the rows."""
    return (
        f"SELECT min(id), 'Rows ' || string_agg(id::text, ', ' ORDER BY id) "
        f"|| ' have {model} ' || {link} FROM guarantees_importedrecord "
        f"WHERE {link} IS NOT NULL GROUP BY {link} HAVING count(*) > 1"
    )


_ONE_TO_ONE: Final = SQLCheck(
    "link_not_one_to_one",
    "No two old rows are linked to the same object",
    examined=_LINKED,
    failures=" UNION ALL ".join(_shared(model, link) for model, _, link in _TARGETS),
    may_be_empty=True,
)

# ------------------------------------------------------------------- each old row and its object


def _same_number(number: str) -> str:
    """SQL: the number stands as written. Names given to blank ones are exempt (N13)."""
    return (
        f"(r.guarantee_number = {number} OR {number} = 'UNKNOWN-' || r.id "
        "AND btrim(coalesce(r.guarantee_number, ''), %(padding)s) = '')"
    )


def _same_amount(amount: str) -> str:
    """SQL: the amount is plainly that of the text; where it is not, the text is read."""
    return f"""CASE
        WHEN r.amount IS NULL THEN {amount} IS NULL
        WHEN r.amount = {amount}::text THEN true
        WHEN r.amount ~ '{USUAL_AMOUNT}'
            THEN {amount} IS NOT DISTINCT FROM replace(r.amount, ',', '')::numeric
        ELSE false END"""


def _same_date(text: str, day: str) -> str:
    """SQL: the date is plainly that of the text; where it is not, the text is read."""
    return (
        f"CASE WHEN {text} IS NULL THEN {day} IS NULL "
        f"ELSE coalesce({text} = to_char({day}, 'YYYY-MM-DD'), false) END"
    )


def _pairs(link: str, table: str, alias: str, issue: str, values: dict[str, str]) -> str:
    """SQL: rows that are not plainly the same as the object they are linked to.

    ``issue`` is the text of the date of issue; ``values`` are those of the object.
    """
    new = ", ".join(f"{value} AS new_{name}" for name, value in values.items())
    same = " AND ".join(
        (
            f"{alias}.id IS NOT NULL",
            _same_number(values["number"]),
            _same_amount(values["amount"]),
            _same_date(issue, values["issue"]),
            _same_date("r.expiry_date", values["expiry"]),
            f"r.import_batch_id IS NOT DISTINCT FROM {values['batch']}",
        )
    )
    return f"""
        SELECT r.id::text AS id, r.{link} AS link, {alias}.id AS object_id, '{link}' AS what,
            {_same_number(values["number"])} IS TRUE AS same_number,
            r.guarantee_number AS number, r.amount, {issue} AS issue, r.expiry_date AS expiry,
            r.import_batch_id AS batch, {new}
        FROM guarantees_importedrecord r LEFT JOIN {table} {alias} ON {alias}.id = r.{link}
        WHERE r.{link} IS NOT NULL AND ({same}) IS NOT TRUE
    """


_GUARANTEE_PAIRS: Final = _pairs(
    "migrated_guarantee_id",
    "guarantees_guarantee",
    "g",
    "r.issue_date",
    {
        "number": "g.number",
        "amount": "g.amount",
        "issue": "g.issue_date",
        "expiry": "g.expiry_date",
        "batch": "g.batch_id",
    },
)
# An action has no date of issue of its own and no batch; N10 says where its expiry stands.
_ACTION_PAIRS: Final = _pairs(
    "migrated_action_id",
    "guarantees_guaranteeaction",
    "a",
    "NULL::text",
    {
        "number": "a.number",
        "amount": "a.previous_amount",
        "issue": "NULL::date",
        "expiry": "CASE a.action_type WHEN 'release' THEN a.previous_expiry ELSE a.new_expiry END",
        "batch": "NULL::bigint",
    },
)

_EDITED: Final = """(what = 'migrated_guarantee_id' AND coalesce((
    SELECT h.history_type = '~' AND NOT starts_with(coalesce(h.history_change_reason, ''), 'run ')
    FROM guarantees_historicalguarantee h WHERE h.id = object_id
    ORDER BY h.history_date DESC, h.history_id DESC LIMIT 1), false))"""


def _told(code: str, name: str, differs: str) -> str:
    """SQL: rows whose value ``name`` differs, with a sentence that tells both values."""
    return f"""
        SELECT '{code}', id, '{name}: “' || coalesce({name}::text, '') || '” in the old row, “'
            || coalesce(new_{name}::text, '') || '” here', {_EDITED}
        FROM told WHERE object_id IS NOT NULL AND {differs}
    """


_PAIRS: Final = SQLScan(
    {
        "link_dangling": "Every link leads somewhere",
        "number_differs": "Numbers are those of the old rows",
        "amount_differs": "Amounts are those of the old rows",
        "amount_sum_differs": "Guarantees come to the same sum as their old rows",
        "date_differs": "Dates of issue and expiry are those of the old rows",
        "batch_disagrees": "Old row and guarantee are in the same batch; actions are in none",
    },
    examined=_LINKED,
    failures=f"""
        WITH unlike AS MATERIALIZED ({_GUARANTEE_PAIRS} UNION ALL {_ACTION_PAIRS}),
        told AS MATERIALIZED (
            SELECT *, {amount_reading("amount")} AS old_amount,
                {date_reading("issue", day_first="%(day_first)s")} AS old_issue,
                {date_reading("expiry", day_first="%(day_first)s")} AS old_expiry
            FROM unlike
        )
        SELECT 'link_dangling', id, 'Nothing has the ' || what || ' ' || link, false AS edited
        FROM told WHERE object_id IS NULL
        UNION ALL {_told("number_differs", "number", "NOT same_number")}
        UNION ALL {_told("amount_differs", "amount", "old_amount IS DISTINCT FROM new_amount")}
        UNION ALL {_told("date_differs", "issue", "old_issue IS DISTINCT FROM new_issue")}
        UNION ALL {_told("date_differs", "expiry", "old_expiry IS DISTINCT FROM new_expiry")}
        UNION ALL {_told("batch_disagrees", "batch", "batch IS DISTINCT FROM new_batch")}
        UNION ALL
        SELECT 'amount_sum_differs', 'sum', 'Guarantees come to '
            || sum(coalesce(new_amount, 0) - coalesce(old_amount, 0))
            || ' more than the old rows say', false
        FROM told WHERE what = 'migrated_guarantee_id' AND object_id IS NOT NULL
            AND old_amount IS DISTINCT FROM new_amount AND NOT {_EDITED}
        HAVING sum(coalesce(new_amount, 0) - coalesce(old_amount, 0)) <> 0
    """,
    parameters={"padding": _PADDING, "day_first": day_first},
    may_be_empty=True,
)

# ---------------------------------------------------------------------------- batches and actions


#: A person decided on a guarantee of the batch, or took one away, since the totals were made.
_DECIDED_HERE: Final = """EXISTS (
    SELECT FROM guarantees_guarantee g
    CROSS JOIN LATERAL (
        SELECT h.history_change_reason AS reason FROM guarantees_historicalguarantee h
        WHERE h.id = g.id ORDER BY h.history_date DESC, h.history_id DESC LIMIT 1
    ) newest
    WHERE g.batch_id = counted.id AND coalesce(newest.reason, '') NOT LIKE 'run %%'
) OR EXISTS (
    SELECT FROM guarantees_historicalguarantee h
    WHERE h.batch_id = counted.id AND h.history_type = '-'
        AND coalesce(h.history_change_reason, '') NOT LIKE 'run %%'
)"""


def _miscounted(code: str, column: str) -> str:
    return (
        f"SELECT '{code}', 'batch ' || id, 'The batch says {column} ' || {column} "
        f"|| ', it has ' || true_{column}, {_DECIDED_HERE} "
        f"FROM counted WHERE {column} <> true_{column}"
    )


_BATCHES: Final = SQLScan(
    {
        "batch_totals": "Batches count their guarantees rightly",
        "batch_ready": "Batches count their ready guarantees rightly",
    },
    examined="SELECT count(*) FROM guarantees_importbatch",
    failures=f"""
        WITH counted AS (
            SELECT b.id, b.total_records, b.ready_records,
                coalesce(n.total, 0) AS true_total_records,
                coalesce(n.ready, 0) AS true_ready_records
            FROM guarantees_importbatch b
            LEFT JOIN (
                SELECT batch_id, count(*) AS total,
                    count(*) FILTER (WHERE match_status = 'ready') AS ready
                FROM guarantees_guarantee GROUP BY batch_id
            ) n ON n.batch_id = b.id
        )
        {_miscounted("batch_totals", "total_records")}
        UNION ALL {_miscounted("batch_ready", "ready_records")}
    """,
    may_be_empty=True,
)


def _actions(code: str, state: str, wrong: str) -> str:
    return (
        f"SELECT '{code}', r.id, 'Action ' || a.id || ' is not {state}' "
        "FROM guarantees_importedrecord r "
        f"JOIN guarantees_guaranteeaction a ON a.id = r.migrated_action_id WHERE {wrong}"
    )


_ACTIONS: Final = SQLScan(
    {
        "action_not_issued": "Every migrated action is issued",
        "action_not_locked": "Every migrated action is locked",
    },
    examined="SELECT count(migrated_action_id) FROM guarantees_importedrecord",
    failures=_actions("action_not_issued", "issued", "a.status <> 'issued' OR a.issued_at IS NULL")
    + " UNION ALL "
    + _actions("action_not_locked", "locked", "NOT a.is_locked"),
    may_be_empty=True,
)

# ------------------------------------------------------------------------------------ current state

#: Of guarantees with a migrated action, and of what actions set: the rest is what was imported,
#: and people may correct that.
_CURRENT: Final = SQLCheck(
    "current_state_differs",
    "Guarantees are currently what their actions made of them",
    examined="SELECT count(DISTINCT a.guarantee_id) FROM guarantees_guaranteeaction a "
    "JOIN guarantees_importedrecord r ON r.migrated_action_id = a.id",
    failures="""
        WITH acted AS (
            SELECT a.guarantee_id AS id,
                CASE WHEN bool_or(a.action_type = 'release') THEN 'released' ELSE 'active' END
                    AS status,
                (array_agg(a.new_expiry ORDER BY a.issued_at DESC, a.id DESC)
                    FILTER (WHERE a.new_expiry IS NOT NULL))[1] AS expiry,
                (array_agg(a.new_amount ORDER BY a.issued_at DESC, a.id DESC)
                    FILTER (WHERE a.new_amount IS NOT NULL))[1] AS amount,
                min(r.id) AS record
            FROM guarantees_guaranteeaction a
            LEFT JOIN guarantees_importedrecord r ON r.migrated_action_id = a.id
            WHERE a.status = 'issued' AND a.guarantee_id IS NOT NULL
            GROUP BY a.guarantee_id
        )
        SELECT a.record, 'Guarantee ' || g.id || ' is ' || g.status || ' until '
            || coalesce(g.current_expiry::text, 'no day') || ' for '
            || coalesce(g.current_amount::text, 'no amount') || '; its actions say otherwise'
        FROM acted a JOIN guarantees_guarantee g ON g.id = a.id
        WHERE a.record IS NOT NULL AND (g.status <> a.status
            OR a.expiry IS NOT NULL AND a.expiry IS DISTINCT FROM g.current_expiry
            OR a.amount IS NOT NULL AND a.amount IS DISTINCT FROM g.current_amount)
    """,
    may_be_empty=True,
)

#: In the order in which they are told. Any may find nothing to look at: not every legacy system
#: has actions, and after a rollback nothing is linked.
CHECKS: Final[Sequence[SQLCheck | SQLScan]] = [
    _ROWS,
    _LOST,
    _ONE_TO_ONE,
    _PAIRS,
    _BATCHES,
    _ACTIONS,
    _CURRENT,
]
