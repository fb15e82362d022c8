"""What must hold after ``assign_orphan_sessions``, as SQL of its own (agents.md "Decision").

The evidence of every session that a standing run wrote is counted anew, in sets. A
session whose events changed since the run looked at them is left to the next run. A difference is
explained (``edited``) where the newest history row of the session is a change that no run made.
"""

from __future__ import annotations

from typing import Final

from migrations_tools.definitions import SQLCheck, SQLScan
from sessions_app.models import UNASSIGNED_ID

DEFINITION: Final = "assign_orphan_sessions"

_STANDING: Final = f"""
    SELECT id, created_at, started_at, state, options, tuning, plan_id FROM migrations_tools_run
    WHERE definition = '{DEFINITION}' AND kind = 'apply' AND state <> 'rolled_back'
"""

# The newest write of each session that no rollback took back, with what the run saw.
_WRITTEN: Final = f"""
    SELECT DISTINCT ON (l.key) l.key, l.category, l.source_digest, r.options
    FROM migrations_tools_ledgerentry l JOIN ({_STANDING}) r ON r.id = l.run_id
    WHERE l.outcome = 'applied' AND NOT EXISTS (
        SELECT FROM migrations_tools_run b
        JOIN migrations_tools_ledgerentry u ON u.run_id = b.id AND u.step = l.step
            AND u.key = l.key AND u.outcome = 'restored'
        WHERE b.parent_id = l.run_id AND b.kind = 'rollback')
    ORDER BY l.key, r.created_at DESC, l.attempt DESC
"""

# An id in any spelling of a UUID is that UUID; anything else is itself.
_CANONICAL: Final = """
    CASE WHEN btrim(written) ~* '^[{]?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}[}]?$'
    THEN btrim(written)::uuid::text ELSE btrim(written) END
"""

# ``counted``: events of each session by project, as written. ``evidence``: the text that the run
# hashed. ``tops``: the project that most events of a session name, with all that name any.
_RESULTS: Final = f"""
    WITH written AS MATERIALIZED ({_WRITTEN}),
    counted AS MATERIALIZED (
        SELECT e.session_ref AS key, e.project AS written, count(*) AS n
        FROM sessions_app_activityevent e
        WHERE e.session_ref IN (SELECT key FROM written) AND e.project IS NOT NULL
            AND e.project NOT IN ('', '{UNASSIGNED_ID}')
        GROUP BY 1, 2
    ),
    spelled AS MATERIALIZED (
        SELECT written, {_CANONICAL} AS project FROM (SELECT DISTINCT written FROM counted) c
    ),
    evidence AS MATERIALIZED (
        SELECT key, string_agg(translate(written, E'\\n', ' ') || ' ' || n, E'\\n'
            ORDER BY written COLLATE "C") AS text
        FROM counted GROUP BY key
    ),
    tops AS MATERIALIZED (
        SELECT DISTINCT ON (c.key) c.key, s.project, sum(c.n) AS n,
            sum(sum(c.n)) OVER (PARTITION BY c.key) AS total
        FROM counted c JOIN spelled s USING (written)
        WHERE s.project NOT IN ('', '{UNASSIGNED_ID}')
        GROUP BY c.key, s.project
        ORDER BY c.key, n DESC, s.project
    ),
    results AS MATERIALIZED (
        SELECT w.key, w.category, s.id, s.project_id::text AS stored, r.project AS top,
            coalesce(r.n, 0) AS n, coalesce(r.total, 0) AS total,
            coalesce((w.options ->> 'min_evidence')::int, 1) AS least
        FROM written w
        JOIN sessions_app_session s ON s.session_id = w.key
        LEFT JOIN evidence e ON e.key = w.key
        LEFT JOIN tops r ON r.key = w.key
        WHERE w.category <> 'manual_review'
            AND sha256(convert_to(coalesce(e.text, ''), 'UTF8')) = w.source_digest
    )
"""

_EDITED: Final = """
    (SELECT NOT starts_with(coalesce(h.history_change_reason, ''), 'run ')
        AND h.project_id::text IS NOT DISTINCT FROM r.stored
     FROM sessions_app_historicalsession h WHERE h.id = r.id
     ORDER BY h.history_date DESC, h.history_id DESC LIMIT 1)
"""

_DECISIONS: Final = SQLScan(
    {
        "wrong_project": "Sessions went to the project that most of their events name",
        "parked_with_evidence": "Only sessions without evidence were parked",
        "wrong_type": "Every assignment is as sure as it says",
    },
    examined=f"SELECT count(*) FROM ({_WRITTEN}) w",
    failures=f"""
        {_RESULTS}
        SELECT 'wrong_project', key, 'It has project ' || coalesce(stored, 'none')
            || '; its events name ' || coalesce(top, 'none') || '.', {_EDITED} AS edited
        FROM results r
        WHERE category <> 'unassigned' AND stored IS DISTINCT FROM top
        UNION ALL
        SELECT 'parked_with_evidence', key,
            'It has project ' || coalesce(stored, 'none') || ' and ' || total || ' events that '
            'name one.', {_EDITED} AS edited
        FROM results r
        WHERE category = 'unassigned' AND (total > 0 OR stored IS DISTINCT FROM '{UNASSIGNED_ID}')
        UNION ALL
        SELECT 'wrong_type', key, 'It was ' || category || ' with ' || n || ' of ' || total
            || ' events.', false
        FROM results
        WHERE category IN ('confident', 'tentative') AND (5 * n < 3 * total OR total = 0
            OR category = 'confident' AND (10 * n <= 9 * total OR total < least))
    """,
    may_be_empty=True,
)

# Sessions that came after a run wait for the next one. Runs without a plan apply decisions of a
# person and look at nothing else.
_ACCOUNTING: Final = SQLCheck(
    "left_out",
    "No orphan was left out",
    examined="SELECT count(*) FROM sessions_app_session WHERE kind = 'agent'",
    failures=f"""
        SELECT s.session_id, 'An orphan since before run ' || r.id || ', which has no word of it.'
        FROM sessions_app_session s
        CROSS JOIN LATERAL (
            SELECT id FROM ({_STANDING}) r
            WHERE r.state = 'completed' AND r.plan_id IS NOT NULL
                AND r.tuning ->> 'limit' IS NULL AND r.started_at > (
                    SELECT max(h.history_date) FROM sessions_app_historicalsession h
                    WHERE h.id = s.id)
            ORDER BY r.created_at DESC LIMIT 1
        ) r
        WHERE s.kind = 'agent' AND s.project_id IS NULL AND NOT EXISTS (
            SELECT FROM migrations_tools_ledgerentry l
            WHERE l.run_id = r.id AND l.key = s.session_id
        )
    """,
    may_be_empty=True,
)

_SENTINEL_STANDS: Final = SQLCheck(
    "sentinel_missing",
    "The project that parks sessions is there, and is no ordinary one",
    examined=f"SELECT count(*) FROM sessions_app_project WHERE id = '{UNASSIGNED_ID}'",
    failures=f"""
        SELECT id, 'It is ' || status || ', primary: ' || is_primary
        FROM sessions_app_project
        WHERE id = '{UNASSIGNED_ID}' AND (is_primary OR name <> '__unassigned__')
    """,
)

CHECKS: Final = (_DECISIONS, _ACCOUNTING, _SENTINEL_STANDS)
