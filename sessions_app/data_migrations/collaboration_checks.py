"""What must hold after ``normalize_collaboration_sessions``: collaboration.md R13, as SQL.

`collaboration_facts` says who should be where; one pass compares it with who is. A difference is
explained (``edited``) where the history shows that somebody else than a run made it.
"""

from __future__ import annotations

from typing import Final

from migrations_tools.definitions import SQLCheck, SQLScan
from sessions_app.data_migrations.collaboration_facts import (
    DECISIONS,
    FACTS,
    FILES,
    OWNERS,
    PARAMETERS,
    PEOPLE,
    WRITTEN,
)
from sessions_app.data_migrations.collaboration_stored import DEFINITION, DUAL_WRITE

_SESSION_HISTORY: Final = "sessions_app_historicalsession"
_PERSON_HISTORY: Final = "sessions_app_historicalsessionparticipant"
_FILE_HISTORY: Final = "sessions_app_historicalsessionfile"

# ``decided``: the newest word on each key, of a run or of the rollback that took it back.
# ``whole``: the newest run left nothing for later, so what nobody decided is missing.
_RUNS: Final = f"""
    ours AS MATERIALIZED (
        SELECT 'run ' || id AS reason FROM migrations_tools_run WHERE definition = '{DEFINITION}'
    ),
    decided AS MATERIALIZED (
        SELECT DISTINCT ON (l.key) l.key, l.outcome
        FROM migrations_tools_run r
        JOIN migrations_tools_ledgerentry l ON l.run_id = r.id AND l.step = 0
        WHERE r.definition = '{DEFINITION}'
            AND (r.kind = 'apply' OR r.kind = 'rollback' AND l.outcome = 'restored')
        ORDER BY l.key, r.created_at DESC, l.attempt DESC
    ),
    whole AS MATERIALIZED (
        SELECT coalesce((
            SELECT state = 'completed' AND tuning ->> 'limit' IS NULL
            FROM migrations_tools_run
            WHERE definition = '{DEFINITION}' AND kind = 'apply' AND state <> 'rolled_back'
            ORDER BY created_at DESC LIMIT 1
        ), true) AS run
    ),
    purged AS MATERIALIZED (
        SELECT EXISTS (
            SELECT FROM migrations_tools_retentionrecord p
            JOIN migrations_tools_run r ON r.id = p.run_id
            WHERE r.definition = '{DEFINITION}' AND p.kind = 'purge'
        ) AS any
    )
"""

# ``compared``: sessions that should be as the old rows have them. Left out are those that a run
# set aside, that wait for one, or that were taken back.
_COMPARED: Final = """
    compared AS MATERIALIZED (
        SELECT o.sid, o.email AS owner, s.id
        FROM owners o
        CROSS JOIN whole
        LEFT JOIN decided d ON d.key = o.sid
        LEFT JOIN sessions_app_session s ON s.session_id = o.sid AND s.kind = 'collaboration'
        WHERE coalesce(d.outcome IN ('applied', 'unchanged'), whole.run OR s.id IS NOT NULL)
    )
"""


def _is_ours(alias: str) -> str:
    """SQL: a run of this migration, its rollback, or a dual write wrote the history row."""
    reason = f"coalesce({alias}.history_change_reason, '')"
    return f"({reason} IN (SELECT reason FROM ours) OR starts_with({reason}, '{DUAL_WRITE}'))"


# In the next ones ``same`` says which rows of a history ``{h}`` are an object's.


def _taken_away(history: str, same: str) -> str:
    """SQL: the newest history row of an object that is gone is somebody's deletion."""
    return f"""coalesce((
        SELECT h.history_type = '-' AND NOT {_is_ours("h")} FROM {history} h
        WHERE {same.format(h="h")} ORDER BY h.history_id DESC LIMIT 1
    ), false)"""


def _written_here(history: str, same: str) -> str:
    """SQL: somebody wrote an object that is there, since it was made."""
    return f"""coalesce((
        SELECT bool_or(NOT {_is_ours("h")})
            AND (array_agg(h.history_type ORDER BY h.history_id DESC))[1] <> '-'
        FROM {history} h
        WHERE {same.format(h="h")} AND h.history_id > coalesce((
            SELECT max(last.history_id) FROM {history} last
            WHERE {same.format(h="last")} AND last.history_type = '-'
        ), 0)
    ), false)"""


def _set_here(column: str) -> str:
    """SQL: the value of a participant ``p`` was given to it, for the last time, by somebody."""
    return f"""coalesce((
        SELECT NOT {_is_ours("h")} FROM {_PERSON_HISTORY} h
        WHERE {_SAME_PERSON.format(h="h")} AND h.history_id > coalesce((
            SELECT max(other.history_id) FROM {_PERSON_HISTORY} other
            WHERE {_SAME_PERSON.format(h="other")}
                AND (other.{column} <> p.{column}_now OR other.history_type = '-')
        ), 0)
        ORDER BY h.history_id LIMIT 1
    ), false)"""


_SAME_SESSION: Final = "{h}.session_id = c.sid"
_SAME_PERSON: Final = "{h}.session_id = p.id AND {h}.email = p.email"
_SAME_FILE: Final = "{h}.session_id = f.id AND {h}.name = f.name AND {h}.path = f.path"

# A run leaves the ownership where people decided about it: they wrote the row of the owner that
# is, or of the one that should be. The history must know the role that stands.
_OWNER_KEPT: Final = f"""
    (p.role = 'owner') <> (p.role_now = 'owner')
    AND p.role_now = (
        SELECT h.role FROM {_PERSON_HISTORY} h
        WHERE {_SAME_PERSON.format(h="h")} ORDER BY h.history_id DESC LIMIT 1
    )
    AND ({_taken_away(_PERSON_HISTORY, "{h}.session_id = p.id AND {h}.email = p.owner")}
        OR EXISTS (
            SELECT FROM sessions_app_sessionparticipant x
            WHERE x.session_id = p.id AND (x.role = 'owner' OR x.email = p.owner)
            AND {_written_here(_PERSON_HISTORY, "{h}.session_id = p.id AND {h}.email = x.email")}
        ))
"""

# Participants as they should be beside those that are; ``explained`` tells of the difference.
_PAIRS: Final = f"""
    pairs AS MATERIALIZED (
        SELECT c.sid, c.id, c.owner, coalesce(e.email, a.email) AS email, e.role, e.status,
            a.role AS role_now, a.status AS status_now
        FROM (
            SELECT c.id, e.email, e.role, e.status
            FROM compared c JOIN people e USING (sid) WHERE c.id IS NOT NULL
        ) e
        FULL JOIN (
            SELECT a.session_id AS id, a.email, a.role, a.status
            FROM sessions_app_sessionparticipant a JOIN compared c ON c.id = a.session_id
        ) a ON a.id = e.id AND a.email = e.email
        JOIN compared c ON c.id = coalesce(e.id, a.id)
    ),
    differing AS MATERIALIZED (
        SELECT p.*, CASE
            WHEN p.role_now IS NULL THEN {_taken_away(_PERSON_HISTORY, _SAME_PERSON)}
            WHEN p.role IS NULL THEN {_written_here(_PERSON_HISTORY, _SAME_PERSON)}
            ELSE {_set_here("role")} OR ({_OWNER_KEPT})
        END AS explained
        FROM pairs p
        WHERE p.role IS DISTINCT FROM p.role_now
    )
"""

_PERSON_FAILURES: Final = f"""
    SELECT 'participant_missing', sid,
        email || ' should be ' || role || ' of the session and is not in it', explained
    FROM differing WHERE role_now IS NULL
    UNION ALL
    SELECT 'participant_extra', sid,
        email || ' is ' || role_now || ' of the session; no old row says so', explained
    FROM differing WHERE role IS NULL
    UNION ALL
    SELECT 'role_differs', sid, email || ' should be ' || role || ' and is ' || role_now, explained
    FROM differing WHERE role <> role_now
    UNION ALL
    SELECT 'status_differs', p.sid,
        p.email || ' should be ' || p.status || ' and is ' || p.status_now,
        {_set_here("status")}
            OR p.role_now = 'owner' AND p.status_now = 'active' AND ({_OWNER_KEPT})
    FROM pairs p WHERE p.status <> p.status_now
    UNION ALL
    SELECT 'owner_count', counted.sid, 'The session has ' || counted.owners || ' owners', (
        SELECT coalesce(bool_and(d.explained), false) FROM differing d
        WHERE d.id = counted.id AND (d.role = 'owner') IS DISTINCT FROM (d.role_now = 'owner')
    )
    FROM (
        SELECT c.sid, c.id, (
            SELECT count(*) FROM sessions_app_sessionparticipant p
            WHERE p.session_id = c.id AND p.role = 'owner'
        ) AS owners
        FROM compared c WHERE c.id IS NOT NULL
    ) counted
    WHERE counted.owners <> 1
"""

# The old rows say something of a session's status only where it was decided here.
_STATUS_SET_HERE: Final = f"""coalesce((
    SELECT NOT {_is_ours("h")} FROM {_SESSION_HISTORY} h
    WHERE h.id = c.id AND h.history_id > coalesce((
        SELECT max(other.history_id) FROM {_SESSION_HISTORY} other
        WHERE other.id = c.id AND other.status <> s.status
    ), 0)
    ORDER BY h.history_id LIMIT 1
), false)"""

_SESSION_FAILURES: Final = f"""
    SELECT 'session_missing', c.sid, 'The old rows have this session, the new tables do not',
        {_taken_away(_SESSION_HISTORY, _SAME_SESSION)}
    FROM compared c WHERE c.id IS NULL
    UNION ALL
    SELECT 'session_status_differs', c.sid,
        'The session should be ' || coalesce(d.status, 'active') || ' and is ' || s.status,
        {_STATUS_SET_HERE}
    FROM compared c
    JOIN sessions_app_session s ON s.id = c.id
    LEFT JOIN decisions d ON d.sid = c.sid
    WHERE s.status <> coalesce(d.status, 'active')
    UNION ALL
    SELECT 'session_extra', s.session_id, 'No old row has this session', false
    FROM sessions_app_session s
    LEFT JOIN decided d ON d.key = s.session_id
    WHERE s.kind = 'collaboration'
        AND NOT EXISTS (SELECT FROM owners o WHERE o.sid = s.session_id)
        AND coalesce(d.outcome NOT IN ('quarantined', 'conflict', 'skipped', 'gone'), true)
        AND NOT EXISTS (
            SELECT FROM {_SESSION_HISTORY} h
            WHERE h.id = s.id AND h.history_type = '+' AND NOT {_is_ours("h")}
        )
"""

_FILE_FAILURES: Final = f"""
    SELECT CASE WHEN f.is_there THEN 'file_extra' ELSE 'file_missing' END, f.sid,
        'File “' || left(f.name, 60) || '”, path “' || left(f.path, 60) || '”',
        CASE WHEN f.is_there THEN {_written_here(_FILE_HISTORY, _SAME_FILE)}
            ELSE {_taken_away(_FILE_HISTORY, _SAME_FILE)} END
    FROM (
        SELECT c.sid, c.id, coalesce(e.file_name, a.name) AS name,
            coalesce(e.file_path, a.path) AS path, a.id IS NOT NULL AS is_there
        FROM (
            SELECT c.id, e.file_name, e.file_path
            FROM compared c JOIN files e USING (sid) WHERE c.id IS NOT NULL
        ) e
        FULL JOIN (
            SELECT a.session_id AS id, a.name, a.path
            FROM sessions_app_sessionfile a JOIN compared c ON c.id = a.session_id
        ) a ON a.id = e.id AND a.name = e.file_name AND a.path = e.file_path
        JOIN compared c ON c.id = coalesce(e.id, a.id)
        WHERE e.id IS NULL OR a.id IS NULL
    ) f
"""

_ROW_FAILURES: Final = """
    SELECT 'session_key_differs', f.key,
        'The row is filed under ' || f.session_key || ', its document says '
            || coalesce(f.sid, 'no session id'), false AS edited
    FROM facts f WHERE f.session_key <> coalesce(f.sid, 'row:' || f.key)
    UNION ALL
    SELECT 'accounting', f.key,
        CASE WHEN d.outcome IS NULL THEN 'No run has decided on the row'
            ELSE 'The row names no session or nobody to own it; the run says: ' || d.outcome END,
        false
    FROM facts f
    CROSS JOIN whole
    CROSS JOIN purged
    LEFT JOIN decided d ON d.key = f.session_key
    LEFT JOIN owners o ON o.sid = f.sid
    LEFT JOIN compared c ON c.sid = f.sid
    WHERE CASE
        WHEN d.outcome IS NULL THEN whole.run AND NOT purged.any AND c.id IS NULL
        ELSE o.sid IS NULL AND d.outcome IN ('applied', 'unchanged')
    END
"""

_SCAN: Final = SQLScan(
    {
        "accounting": "Every old row is part of a session, or was set aside",
        "session_key_differs": "Every old row is filed under the session that it names",
        "session_missing": "Every session of the old rows is there",
        "session_extra": "Every session that is there has old rows, or was made here",
        "session_status_differs": "Every session is archived or deleted as decided beside its rows",
        "owner_count": "Every session has exactly one owner",
        "participant_missing": "Everybody whom the old rows name is in the session",
        "participant_extra": "Nobody is in a session whom no old row names",
        "role_differs": "Everybody has the role that the old rows grant",
        "status_differs": "Everybody has joined, or is invited, as the old rows tell",
        "file_missing": "Every file of the old rows is there",
        "file_extra": "Every file that is there has an old row, or was put there here",
    },
    examined="SELECT count(*) FROM sessions_app_legacycollaborationrow",
    failures=f"""
        WITH {DECISIONS}, {WRITTEN}, {FACTS}, {OWNERS}, {PEOPLE}, {FILES}, {_RUNS}, {_COMPARED},
        {_PAIRS}
        {_ROW_FAILURES} UNION ALL {_SESSION_FAILURES} UNION ALL {_PERSON_FAILURES}
        UNION ALL {_FILE_FAILURES}
    """,
    parameters=PARAMETERS,
    may_be_empty=True,
)

_ORPHANS: Final = SQLCheck(
    "orphan_participant",
    "Every participant belongs to a session that is there",
    examined="SELECT count(*) FROM sessions_app_sessionparticipant",
    failures="SELECT p.id, p.email || ' is ' || p.role || ' of session ' || p.session_id "
    "|| ', which does not exist' FROM sessions_app_sessionparticipant p "
    "WHERE NOT EXISTS (SELECT FROM sessions_app_session s WHERE s.id = p.session_id)",
    may_be_empty=True,
)

#: What the verification of a run asks, and that of the migration as a whole.
CHECKS: Final[list[SQLCheck | SQLScan]] = [_SCAN, _ORPHANS]
