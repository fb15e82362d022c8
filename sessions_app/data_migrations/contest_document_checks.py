"""Checks that sessions and attempts say what their documents say, as SQL of its own.

Documents are read by `contest_readings`; every failure names the field that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from migrations_tools.definitions import SQLScan
from sessions_app.data_migrations import contest_readings as read
from sessions_app.data_migrations.contest_edits import EDITED, REMOVED, STANDING
from sessions_app.data_migrations.contest_growth import seen
from sessions_app.data_migrations.contest_places import AT_ITS_NUMBER, REFS

_MADE_AT: Final = (
    "(SELECT min(h.history_date) FROM sessions_app_historicalsession h WHERE h.id = c.id)"
)
_CARRIED_AT: Final = """(
    SELECT max(h.history_date) FROM sessions_app_historicalcontestresult h
    WHERE h.id = r.id AND h.history_change_reason LIKE 'run %%'
)"""

_LIST: Final = (
    "CASE jsonb_typeof(s.document -> 'problems_attempted') WHEN 'array' "
    "THEN s.document -> 'problems_attempted' ELSE '[]' END"
)
#: Documents beside what they became; their attempts apart, so that the rest of a long document is
#: not unpacked anew for each of its fields. One that was imported again and that no run has merged
#: yet is not compared: the next run takes it up, or lists it.
_PAIRS: Final = f"""
    SELECT s.id, s.key, s.document - 'problems_attempted' AS d, {_LIST} AS list, s.staged_at,
        s.session_ref, c.id AS session_pk,
        c.session_id AS public_id, c.status, c.created_at, c.ended_at, c.user_id AS session_user,
        {_MADE_AT} AS made_at, {_CARRIED_AT} AS carried_at, r.id AS result_id, r.username,
        r.user_id, r.user_ref, r.year, r.contest, r.mode, r.shuffle, r.score, r.total_attempted,
        r.total_time_ms, r.extra
    FROM sessions_app_legacycontestsession s
    JOIN sessions_app_session c ON c.id = s.session_id
    JOIN sessions_app_contestresult r ON r.session_id = c.id
    WHERE NOT coalesce(s.staged_at > {_MADE_AT}, false) OR EXISTS (
        SELECT FROM migrations_tools_ledgerentry l
        WHERE l.run_id IN ({STANDING}) AND l.step = 0 AND l.key = s.key
            AND l.outcome IN ('applied', 'unchanged')
            AND {seen("l.source_digest", "s.content_hash")}
    )
"""
#: Keys of documents and of attempts that became fields, whatever the year (contests.md).
_KNOWN: Final = [
    "_id",
    "session_id",
    "session_status",
    "created_at",
    "completed_at",
    "username",
    "user_id",
    "year",
    "contest",
    "mode",
    "shuffle",
    "score",
    "total_attempted",
    "attempted",
    "problems_attempted",
    "performance_metrics",
    "topic_performance",
    "difficulty_performance",
    "total_time_ms",
    "totalTime",
    "total_time_seconds",
    "total_time_minutes",
]
_KNOWN_OF_ATTEMPTS: Final = [
    "problem_number",
    "problem_id",
    "is_correct",
    "correct",
    "selected_answer",
    "correct_answer",
    "time_spent_ms",
    "time_spent",
    "time_spent_seconds",
    "attempt_timestamp",
    "timestamp",
    "difficulty",
    "topics",
]

LINKED: Final = "SELECT count(session_id) FROM sessions_app_legacycontestsession"


def _of(name: str) -> str:
    return f"(p.d -> '{name}')"


#: The people of the users file by name; of several the first imported.
_PEOPLE: Final = """
    SELECT DISTINCT ON (name) coalesce(nullif(i.username, ''), u.username) AS name, i.legacy_id,
        i.user_id, i.created_at
    FROM sessions_app_legacyidentity i JOIN auth_user u ON u.id = i.user_id
    WHERE i.kind = 'contest_users' ORDER BY name, i.id
"""
#: Whether the person was known when the document was carried over.
_KNOWN_THEN: Final = "(p.carried_at IS NULL OR {}.created_at < p.carried_at)"
_NAMED_THEN: Final = _KNOWN_THEN.format("named")
_GIVEN_THEN: Final = _KNOWN_THEN.format("given")

_GIVEN_USER: Final = (
    f"CASE WHEN lower({read.trimmed(_of('user_id'))}) NOT IN ('none', 'null') "
    f"AND jsonb_typeof({_of('user_id')}) <> 'boolean' THEN {read.trimmed(_of('user_id'))} END"
)


def _one_of(stored: str, allowed: str, otherwise: str) -> str:
    """SQL: ``stored`` where it is one of the array; else the first of it, or ``otherwise``."""
    return (
        f"CASE WHEN {stored} = ANY({allowed}) THEN {stored} "
        f"ELSE coalesce(({allowed})[1], {otherwise}) END"
    )


_FIRST_TIME: Final = (
    "(SELECT min(a.attempted_at) FROM sessions_app_problemattempt a "
    "WHERE a.result_id = p.result_id)"
)
_KEPT: Final = """(
    p.staged_at > p.made_at AND p.created_at = (
        SELECT h.created_at FROM sessions_app_historicalsession h
        WHERE h.id = p.session_pk ORDER BY h.history_id LIMIT 1
    )
)"""
_KEEPS_MODE: Final = f"""EXISTS (
    SELECT FROM migrations_tools_run WHERE id IN ({STANDING})
    AND options -> 'keep_mode' = 'true'::jsonb
)"""


def _unknown_keys(value: str, known: Sequence[str]) -> str:
    names = ", ".join(f"'{name}'" for name in sorted(known))
    return f"({value} - ARRAY[{names}])"


_OWN_ID: Final = "coalesce(nullif(p.session_ref, ''), p.key)"
_STATUS: Final = f"lower({read.trimmed(_of('session_status'))})"

#: Field of the document → SQL of what stands here, and of what the document says.
_SESSION_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "session_id": (
        "p.public_id",
        _one_of("p.public_id", f"ARRAY[{_OWN_ID}, {_OWN_ID} || '~' || p.username]", "''"),
    ),
    "session_status": (
        "p.status",
        f"CASE WHEN jsonb_typeof({_of('session_status')}) = 'string' AND {_STATUS} IN "
        f"('active', 'paused', 'completed', 'abandoned') THEN {_STATUS} ELSE 'completed' END",
    ),
    "created_at": (
        "p.created_at",
        f"CASE WHEN {_KEPT} THEN p.created_at ELSE "
        f"coalesce({read.told_instant(_of('created_at'), 'p.created_at')}, "
        f"least({_FIRST_TIME}, {read.instant(_of('completed_at'))}), p.staged_at) END",
    ),
    "completed_at": ("p.ended_at", read.told_instant(_of("completed_at"), "p.ended_at")),
    "username": ("p.username", read.text(_of("username"))),
    "user_id": (
        "p.user_ref",
        f"coalesce({_GIVEN_USER}, CASE WHEN p.user_ref = named.legacy_id OR {_NAMED_THEN} "
        "THEN named.legacy_id END, '')",
    ),
    "account": (
        "p.user_id",
        "CASE WHEN p.user_id IN (given.user_id, named.user_id) THEN p.user_id ELSE coalesce("
        f"CASE WHEN {_GIVEN_THEN} THEN given.user_id END, "
        f"CASE WHEN {_NAMED_THEN} THEN named.user_id END) END",
    ),
    "session account": ("p.session_user", "p.user_id"),
    "year": ("p.year", f"nullif({read.count(_of('year'), 9_999)}, 0)"),
    "contest": ("p.contest", f"coalesce({read.text(_of('contest'))}, '')"),
    "mode": (
        "p.mode",
        f"CASE WHEN {read.text(_of('mode'))} = 'contest' AND NOT (p.mode = 'contest' AND "
        f"{_KEEPS_MODE}) THEN 'competition' ELSE coalesce({read.text(_of('mode'))}, '') END",
    ),
    "shuffle": ("p.shuffle", f"coalesce({read.truth(_of('shuffle'))}, false)"),
    "score": (
        "trim_scale(p.score)",
        f"(SELECT CASE WHEN abs(n) < 1000000000 THEN trim_scale(round(n, 4)) END "
        f"FROM (SELECT {read.number(_of('score'))} AS n OFFSET 0) given)",
    ),
    "total_attempted": (
        "p.total_attempted",
        f"coalesce({read.first(read.count, 'p.d', ('total_attempted', 'attempted'))}, "
        "jsonb_array_length(p.list))",
    ),
    "total_time_ms": (
        "p.total_time_ms",
        f"coalesce({read.first(read.milliseconds, 'p.d', ('total_time_ms', 'totalTime'))}, "
        "(SELECT sum(a.time_spent_ms)::bigint FROM sessions_app_problemattempt a "
        "WHERE a.result_id = p.result_id), 0)",
    ),
    "unknown keys": ("p.extra", _unknown_keys("p.d", _KNOWN)),
}


def _compared(fields: Mapping[str, tuple[str, str]]) -> str:
    """SQL of a LATERAL: the fields that differ, with both values as text.

    Only rows with a difference are told of: telling costs as much again as comparing.
    """
    values = ",\n".join(
        f"('{name}', ({stored})::text, ({wanted})::text)"
        for name, (stored, wanted) in fields.items()
    )
    differs = " OR ".join(
        f"({stored}) IS DISTINCT FROM ({wanted})" for stored, wanted in fields.values()
    )
    return (
        f"CROSS JOIN LATERAL (VALUES {values}) f(name, stored, wanted) "
        f"WHERE f.stored IS DISTINCT FROM f.wanted AND ({differs})"
    )


_TOLD: Final = (
    "': “' || left(coalesce(f.wanted, 'nothing'), 60) || '” by the document, “' "
    "|| left(coalesce(f.stored, 'nothing'), 60) || '” here'"
)

# ----------------------------------------------------------------------------------------- attempts


def _in(name: str) -> str:
    return f"(x.e -> '{name}')"


def _first_in(reading: Callable[[str], str], *names: str) -> str:
    return read.first(reading, "x.e", names)


def _from_problem(stored: str, column: str, blank: str) -> str:
    """SQL: a value of the attempt's problem – ``q``, now or at any time before; NULL where it had
    none.
    """
    told = (
        f"SELECT q.{column} AS value UNION ALL SELECT h.{column} "
        "FROM sessions_app_historicalproblem h WHERE h.id = x.problem_id"
    )
    return f"""CASE
        WHEN coalesce({stored}, {blank}) = q.{column} THEN {stored}
        WHEN coalesce({stored}, {blank}) IN (SELECT value FROM ({told}) values) THEN {stored}
        ELSE (SELECT nullif(value, {blank}) FROM ({told}) values LIMIT 1) END"""


def _number(value: str, stored: str, wanted: str) -> str:
    """SQL: ``wanted``, which is a whole number; faster where the document has it as it stands."""
    return (
        f"CASE WHEN {value} = to_jsonb({stored}) AND {stored} BETWEEN 1 AND 1000000000000 "
        f"THEN {stored} ELSE {wanted} END"
    )


_NO_TEXT: Final = "''"
_NO_TOPICS: Final = "'[]'::jsonb"
_ID: Final = "(e.e -> 'problem_id')"
_REF: Final = f"coalesce({read.trimmed(_ID)}, '')"


# a problem that came into the bank later was not there to be found
_PROBLEM_THEN: Final = f"""(
    SELECT CASE WHEN x.problem_id IS NULL AND x.carried_at < (
        SELECT min(h.history_date) FROM sessions_app_historicalproblem h WHERE h.id = found.id
    ) THEN NULL ELSE found.id END
    FROM (
        SELECT coalesce(x.by_ref, CASE WHEN NOT x.names_a_place THEN {AT_ITS_NUMBER} END) AS id
        OFFSET 0
    ) found
)"""

#: Field of an attempt → SQL of what stands here, and of what the document says.
_ATTEMPT_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "problem_number": (
        "x.problem_number",
        _number(
            _in("problem_number"),
            "x.problem_number",
            f"nullif({read.count(_in('problem_number'))}, 0)",
        ),
    ),
    "problem_id": ("x.problem_ref", "x.ref"),
    "problem": ("x.problem_id", _PROBLEM_THEN),
    "is_correct": ("x.is_correct", _first_in(read.truth, "is_correct", "correct")),
    "selected_answer": ("x.selected_answer", read.text(_in("selected_answer"))),
    "correct_answer": (
        "x.correct_answer",
        f"coalesce({read.filled(_in('correct_answer'))}, "
        f"{_from_problem('x.correct_answer', 'correct_answer', _NO_TEXT)})",
    ),
    "time_spent_ms": (
        "x.time_spent_ms",
        _number(
            _in("time_spent_ms"),
            "x.time_spent_ms",
            f"coalesce({_first_in(read.milliseconds, 'time_spent_ms', 'time_spent')}, 0)",
        ),
    ),
    "attempt_timestamp": (
        "x.attempted_at",
        f"coalesce({read.told_instant(_in('attempt_timestamp'), 'x.attempted_at')}, "
        f"{read.instant(_in('timestamp'))})",
    ),
    "difficulty": (
        "x.difficulty",
        f"coalesce({read.filled(_in('difficulty'))}, "
        f"{_from_problem('x.difficulty', 'difficulty', _NO_TEXT)})",
    ),
    "topics": (
        "x.topics",
        f"coalesce({read.topics(_in('topics'))}, "
        f"{_from_problem('x.topics', 'topics', _NO_TOPICS)})",
    ),
    "unknown keys": ("x.extra", _unknown_keys("x.e", _KNOWN_OF_ATTEMPTS)),
}

DOCUMENTS: Final = SQLScan(
    {
        "session_differs": "Sessions and results say what their documents say",
        "attempt_differs": "Attempts say what their documents and problems say",
        "attempts_miscounted": "Every attempt of a document is there, and no other",
    },
    examined=LINKED,
    failures=f"""
        WITH {REMOVED},
        p AS MATERIALIZED ({_PAIRS}),
        listed AS MATERIALIZED (
            SELECT p.key, p.result_id, p.carried_at, p.shuffle, p.contest, p.year, e.e,
                e.position AS wanted_position, {_REF} AS ref
            FROM p
            CROSS JOIN LATERAL jsonb_array_elements(p.list) WITH ORDINALITY e(e, position)
        ),
        {REFS},
        x AS MATERIALIZED (
            SELECT listed.*, refs.by_ref, refs.names_a_place, a.*
            FROM listed
            JOIN refs ON refs.ref = listed.ref
            LEFT JOIN (
                SELECT result_id AS of_result, position, problem_number, problem_ref, problem_id,
                    is_correct, selected_answer, correct_answer, time_spent_ms, attempted_at,
                    difficulty, topics, extra FROM sessions_app_problemattempt
            ) a ON a.of_result = listed.result_id AND a.position = listed.wanted_position
        ),
        wrong AS MATERIALIZED (
            SELECT 'session_differs' AS code, p.key, p.result_id, f.name || {_TOLD} AS detail
            FROM p
            LEFT JOIN ({_PEOPLE}) named ON named.name = p.username
            LEFT JOIN sessions_app_legacyidentity given
                ON given.kind = 'contest_users' AND given.legacy_id = p.user_ref
            {_compared(_SESSION_FIELDS)}
            UNION ALL
            SELECT 'attempt_differs', x.key, x.result_id,
                'attempt ' || x.position || ', ' || f.name || {_TOLD}
            FROM x LEFT JOIN sessions_app_problem q ON q.id = x.problem_id
            {_compared(_ATTEMPT_FIELDS)} AND of_result IS NOT NULL
            UNION ALL
            SELECT 'attempts_miscounted', key, result_id,
                'attempt ' || wanted_position || ' is missing' FROM x WHERE of_result IS NULL
            UNION ALL
            SELECT 'attempts_miscounted', p.key, p.result_id,
                'attempt ' || a.position || ' is none of the document'
            FROM p JOIN sessions_app_problemattempt a ON a.result_id = p.result_id
            WHERE a.position > jsonb_array_length(p.list)
        )
        SELECT code, key, detail, {EDITED} AS edited FROM wrong
    """,
    parameters={"white": read.WHITE},
    may_be_empty=True,
)
