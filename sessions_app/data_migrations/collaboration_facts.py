"""Staged documents as SQL: who should be in which session (collaboration.md R1–R7, R10).

Written anew for verification, beside `collaboration_documents`, `collaboration_decisions` and
`collaboration_weighing`: what one of them misreads, the other finds. Each constant is one or more
queries of a WITH clause and uses the ones before it; `PARAMETERS` go with them.
"""

from __future__ import annotations

from typing import Final

_ATOM: Final = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LETTER: Final = "[A-Za-z0-9]"

PARAMETERS: Final = {
    "blanks": (
        "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
        "\u2007\u2008\u2009\u200a\u200b\u200e\u200f\u2028\u2029\u202f\u205f\u3000\ufeff"
    ),
    "email": (
        f"^{_ATOM}([.]{_ATOM})*@({_LETTER}([A-Za-z0-9-]{{0,61}}{_LETTER})?[.])+"
        f"{_LETTER}[A-Za-z0-9-]{{0,61}}{_LETTER}$"
    ),
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "id": "^[A-Za-z0-9_-]{1,100}$",
    "instant": (
        "^([0-9]{4})-([0-9]{2})-([0-9]{2})"
        "([Tt ]([0-9]{2}):([0-9]{2})(:([0-9]{2})([.,]([0-9]{1,9}))?)?"
        "( ?([Zz]|([+-])([0-9]{2})(:?([0-9]{2}))?))?)?$"
    ),
}


def _text(field: str) -> str:
    """The trimmed text of a field; null where it is no text."""
    return (
        f"CASE WHEN jsonb_typeof(d -> '{field}') = 'string' "
        f"THEN btrim(d ->> '{field}', %(blanks)s) END COLLATE \"C\""
    )


def _address(column: str) -> str:
    return (
        f"CASE WHEN {column} ~ %(email)s AND char_length({column}) <= 320 THEN lower({column}) END"
    )


def _is_there(field: str) -> str:
    """Whether a field holds anything but null and blank text."""
    return (
        f"coalesce(jsonb_typeof(d -> '{field}'), 'null') <> 'null' "
        f"AND coalesce({_text(field)} <> '', true)"
    )


# Rows that this application wrote beside those of the old platform.
_DECIDES: Final = "(r.legacy_import_id IS NULL AND starts_with(r.key, 'decisions:'))"

#: What was decided here about people and sessions.
DECISIONS: Final = f"""
    decisions AS MATERIALIZED (
        SELECT r.session_key AS sid, r.document -> 'decisions' ->> 'status' AS status
        FROM sessions_app_legacycollaborationrow r WHERE {_DECIDES}
    ),
    decided_people AS MATERIALIZED (
        SELECT r.session_key AS sid, p.key COLLATE "C" AS email, p.value ->> 'role' AS role,
            p.value ->> 'status' AS status
        FROM sessions_app_legacycollaborationrow r
        CROSS JOIN LATERAL jsonb_each(r.document -> 'decisions' -> 'people') p
        WHERE {_DECIDES}
    )
"""

#: Texts and numbers of each row, without meaning yet.
WRITTEN: Final = f"""
    written AS (
        SELECT r.id, r.key, r.session_key, d ? 'access' AS has_access,
            {_text("email")} AS email,
            {_text("invited_email")} AS invited,
            {_text("access")} AS access,
            coalesce({_text("name")} <> '', false) AS has_name,
            coalesce({_text("file_name")}, '') AS file_name,
            coalesce({_text("file_path")}, '') AS file_path,
            {_is_there("invited_email")} AS is_invited,
            ({_is_there("file_name")}) OR ({_is_there("file_path")}) AS has_file,
            regexp_match({_text("uploaded_at")}, %(instant)s) AS t,
            CASE jsonb_typeof(d -> 'session_id')
                WHEN 'string' THEN {_text("session_id")}
                WHEN 'boolean' THEN d ->> 'session_id'
                WHEN 'number' THEN CASE
                    WHEN (d -> 'session_id')::numeric = trunc((d -> 'session_id')::numeric)
                        THEN trunc((d -> 'session_id')::numeric)::text
                END
            END COLLATE "C" AS session_id
        FROM sessions_app_legacycollaborationrow r
        CROSS JOIN LATERAL (SELECT r.document AS d OFFSET 0) whole
        WHERE NOT {_DECIDES}
    )
"""

_DAYS: Final = """CASE
    WHEN month IN (4, 6, 9, 11) THEN 30
    WHEN month <> 2 THEN 31
    WHEN mod(year, 4) = 0 AND mod(year, 100) <> 0 OR mod(year, 400) = 0 THEN 29
    ELSE 28 END"""

_INSTANT: Final = f"""
    SELECT CASE WHEN year >= 1 AND month BETWEEN 1 AND 12 AND day BETWEEN 1 AND {_DAYS}
            AND hour <= 23 AND minute <= 59 AND second <= 59 AND hours <= 23 AND minutes <= 59
        THEN make_timestamp(year, month, day, hour, minute, second)
            + make_interval(secs => microsecond / 1e6)
            - sign * make_interval(hours => hours, mins => minutes)
    END AS at
    FROM (SELECT
        (w.t)[1]::int AS year, (w.t)[2]::int AS month, (w.t)[3]::int AS day,
        coalesce((w.t)[5]::int, 0) AS hour, coalesce((w.t)[6]::int, 0) AS minute,
        coalesce((w.t)[8]::int, 0) AS second,
        rpad(left(coalesce((w.t)[10], ''), 6), 6, '0')::int AS microsecond,
        CASE (w.t)[13] WHEN '-' THEN -1 ELSE 1 END AS sign,
        coalesce((w.t)[14]::int, 0) AS hours, coalesce((w.t)[16]::int, 0) AS minutes
        OFFSET 0
    ) part
"""

#: What each row says: ids, addresses, its kind, the role it grants, its time (UTC).
FACTS: Final = f"""
    facts AS MATERIALIZED (
        SELECT w.id, w.key, w.session_key, read.sid, read.email, read.invited, w.file_name,
            w.file_path,
            CASE
                WHEN w.is_invited AND read.invited IS NULL THEN 'orphan'
                WHEN w.is_invited AND read.invited = read.email THEN 'self'
                WHEN w.is_invited THEN 'invitation'
                WHEN w.has_name OR NOT w.has_file THEN 'creation'
                ELSE 'upload'
            END AS kind,
            CASE
                WHEN NOT w.has_access OR lower(w.access) IN ('edit', 'editor', 'write')
                    THEN 'editor'
                WHEN lower(w.access) = 'admin' THEN 'admin'
                ELSE 'viewer'
            END AS role,
            coalesce(
                CASE WHEN uploaded.at BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'
                    THEN uploaded.at END,
                CASE WHEN w.key ~* '^[0-9a-f]{{24}}$'
                    THEN to_timestamp(('x' || left(w.key, 8))::bit(32)::bigint)
                        AT TIME ZONE 'UTC' END
            ) AS at
        FROM written w
        CROSS JOIN LATERAL (SELECT
            CASE
                WHEN w.session_id ~* %(uuid)s THEN lower(w.session_id)
                WHEN w.session_id ~ %(id)s
                    AND lower(w.session_id) NOT IN ('null', 'undefined', 'none', 'nan')
                    THEN w.session_id
            END AS sid,
            {_address("w.email")} AS email,
            {_address("w.invited")} AS invited
            OFFSET 0
        ) read
        CROSS JOIN LATERAL ({_INSTANT}) uploaded
    ),
    placed AS MATERIALIZED (
        SELECT f.*, row_number() OVER (PARTITION BY sid ORDER BY at NULLS LAST, key) AS place
        FROM facts f WHERE sid IS NOT NULL
    )
"""

#: The owner of each session that has one (R4).
OWNERS: Final = """
    owners AS MATERIALIZED (
        SELECT DISTINCT ON (sid) sid, email FROM (
            SELECT sid, email, 0 AS rank, 0 AS fewer, 0 AS place
            FROM decided_people WHERE role = 'owner'
            UNION ALL
            SELECT sid, email, 1, 0, place
            FROM placed WHERE kind = 'creation' AND email IS NOT NULL
            UNION ALL
            SELECT sid, email, 2, -count(*), min(place)
            FROM placed WHERE kind = 'invitation' AND email IS NOT NULL GROUP BY sid, email
            UNION ALL
            SELECT sid, email, 3, 0, place
            FROM placed WHERE kind = 'upload' AND email IS NOT NULL
        ) candidates
        ORDER BY sid, rank, fewer, place
    )
"""

#: Everybody who should be in a session, with role and status (R5, R7), or who was in it.
PEOPLE: Final = """
    people AS MATERIALIZED (
        SELECT coalesce(e.sid, w.sid) AS sid, coalesce(e.email, w.email) AS email,
            coalesce(w.role, e.role) AS role, coalesce(w.status, e.status) AS status
        FROM (
            SELECT p.sid, p.email,
                CASE WHEN p.email = o.email THEN 'owner'
                    ELSE (array_agg(p.role ORDER BY p.rank, p.place))[1] END AS role,
                CASE WHEN p.email = o.email OR bool_or(p.rank > 1) THEN 'active'
                    ELSE 'invited' END AS status
            FROM (
                SELECT sid, invited AS email, role, 1 AS rank, place
                FROM placed WHERE kind = 'invitation'
                UNION ALL
                SELECT sid, email, CASE kind WHEN 'self' THEN role ELSE 'editor' END,
                    CASE kind WHEN 'self' THEN 3 ELSE 2 END, place
                FROM placed WHERE kind <> 'orphan' AND email IS NOT NULL
            ) p
            JOIN owners o USING (sid)
            GROUP BY p.sid, p.email, o.email
        ) e
        FULL JOIN decided_people w ON w.sid = e.sid AND w.email = e.email
    )
"""

#: The files of each session (R10).
FILES: Final = """
    files AS MATERIALIZED (
        SELECT DISTINCT sid, file_name, file_path
        FROM placed WHERE file_name <> '' OR file_path <> ''
    )
"""
