"""What must hold after ``upgrade_lessons``, as SQL of its own.

Texts are read anew here, and only in the forms that are sure: what the migration misreads, these
checks find; what they cannot read they leave alone. A difference is explained (``edited``) where
the newest history row of the object is none that a run made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from migrations_tools.definitions import SQLCheck, SQLScan

DEFINITION: Final = "upgrade_lessons"


class _Kind(NamedTuple):
    """A staging table, its link, and the table it leads to, without the app's prefix."""

    staged: str
    link: str
    target: str


_KINDS: Final = (
    _Kind("legacysemester", "semester_id", "semester"),
    _Kind("legacycohort", "cohort_id", "cohort"),
    _Kind("legacylesson", "lesson_id", "lesson"),
    _Kind("legacybooking", "booking_id", "booking"),
    _Kind("legacyattendance", "attendance_id", "attendance"),
    _Kind("legacyfeedback", "feedback_id", "feedback"),
    _Kind("legacylessonproject", "lesson_project_id", "lessonproject"),
)

# Runs of this migration that were not taken back as a whole.
_STANDING: Final = (
    "SELECT id FROM migrations_tools_run "
    f"WHERE definition = '{DEFINITION}' AND kind = 'apply' AND state <> 'rolled_back'"
)


def _edited(target: str, pk: str) -> str:
    """SQL: somebody changed or deleted the object since a run wrote it."""
    return f"""coalesce((
        SELECT NOT starts_with(coalesce(h.history_change_reason, ''), 'run ')
        FROM sessions_app_historical{target} h WHERE h.id = {pk}
        ORDER BY h.history_date DESC, h.history_id DESC LIMIT 1), false)"""


# ------------------------------------------------------------------------------------------ links


def _links(kind: _Kind) -> str:
    """SQL: links that lead nowhere, that two rows share, and that were taken away."""
    staged, target = f"sessions_app_{kind.staged}", f"sessions_app_{kind.target}"
    return f"""
        SELECT 'link_dangling', s.key, 'There is no {kind.target} ' || s.{kind.link},
            {_edited(kind.target, f"s.{kind.link}")} AS edited
        FROM {staged} s WHERE s.{kind.link} IS NOT NULL
            AND NOT EXISTS (SELECT FROM {target} t WHERE t.id = s.{kind.link})
        UNION ALL
        SELECT 'link_not_one_to_one', min(s.key), 'Rows ' || string_agg(s.key, ', ')
            || ' have {kind.target} ' || s.{kind.link}, false
        FROM {staged} s WHERE s.{kind.link} IS NOT NULL GROUP BY s.{kind.link} HAVING count(*) > 1
        UNION ALL
        SELECT 'link_lost', made.key, 'The row is not linked to {kind.target} ' || lost.id
            || ', made from it', false
        FROM (
            SELECT t.id FROM {target} t
            WHERE NOT EXISTS (SELECT FROM {staged} s WHERE s.{kind.link} = t.id)
        ) lost
        CROSS JOIN LATERAL (
            SELECT c.key FROM migrations_tools_rowchange c
            WHERE c.model = 'sessions_app.{kind.target}' AND c.pk_text = lost.id::text
                AND c.operation = 'insert' AND c.run_id IN ({_STANDING})
            LIMIT 1
        ) made
    """


def _linked(kind: _Kind) -> str:
    return f"(SELECT count({kind.link}) FROM sessions_app_{kind.staged})"


_LINKS: Final = SQLScan(
    {
        "link_dangling": "Every link leads somewhere",
        "link_not_one_to_one": "No two old rows are linked to the same object",
        "link_lost": "Everything carried over is linked to by the row it was made from",
    },
    examined=f"SELECT {' + '.join(map(_linked, _KINDS))}",
    failures=" UNION ALL ".join(map(_links, _KINDS)),
    may_be_empty=True,
)

# ----------------------------------------------------------------------------------------- values

_NUMBER: Final = "^[+-]?[0-9]{1,9}([.][0-9]{1,9})?$"
# Only days that every year has, so that no text can stop a check.
_DAY: Final = (
    "[12][0-9]{3}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    "|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
)
_TIME: Final = f"{_DAY}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{{1,6}})?)?"
_OFFSET: Final = "(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])"


#: White space of every script, as the migration cuts it off.
_WHITE: Final = "".join(f"\\{code:04X}" for code in range(0x3001) if chr(code).isspace())


def _said(column: str) -> str:
    """SQL: the text of a column of the old row, blank as null."""
    return f"nullif(btrim(s.document ->> '{column}', U&'{_WHITE}'), '')"


def _number(column: str) -> str:
    """SQL: the number that it says; null where it is not surely one."""
    said = _said(column)
    return f"(CASE WHEN {said} ~ '{_NUMBER}' THEN {said}::numeric END)"


def _same_time(column: str, instant: str, zone: str) -> str:
    """SQL: the instant is that of the text, read in ``zone`` where it has no offset."""
    said = _said(column)
    return f"""(CASE
        WHEN {said} ~ '^{_TIME}{_OFFSET}$' THEN {said}::timestamptz = {instant}
        WHEN {said} ~ '^({_TIME}|{_DAY})$' THEN {instant} AT TIME ZONE {zone} = {said}::timestamp
            OR {instant} = {said}::timestamp AT TIME ZONE {zone}
    END)"""


#: SQL: the time zone that the run which made lesson ``t`` was told; null if nobody knows.
_ZONE: Final = """(
    SELECT coalesce(r.options ->> 'source_tz', 'UTC')
    FROM migrations_tools_rowchange c JOIN migrations_tools_run r ON r.id = c.run_id
    WHERE c.model = 'sessions_app.lesson' AND c.pk_text = t.id::text
        AND c.operation = 'insert' AND r.kind = 'apply'
    ORDER BY c.id DESC LIMIT 1
)"""


def _values(
    kind: _Kind, rules: Mapping[str, tuple[str, str]], joins: str = "", edited: str = ""
) -> SQLScan:
    """A scan of old rows ``s`` with what they became, ``t``. ``rules`` by code: title, and SQL
    that is false where the two differ.
    """
    wrong = " UNION ALL ".join(
        f"SELECT '{code}', key, 'The old row and {kind.target} ' || pk || ' differ', "
        f"{edited or _edited(kind.target, 'pk')} AS edited FROM compared WHERE {code} IS FALSE"
        for code in rules
    )
    columns = ", ".join(f"({rule}) AS {code}" for code, (_, rule) in rules.items())
    return SQLScan(
        {code: title for code, (title, _) in rules.items()},
        examined=f"SELECT count({kind.link}) FROM sessions_app_{kind.staged}",
        failures=f"""
            WITH compared AS MATERIALIZED (
                SELECT s.key, t.id AS pk, {columns}
                FROM sessions_app_{kind.staged} s
                JOIN sessions_app_{kind.target} t ON t.id = s.{kind.link}
                {joins}
            )
            {wrong}
        """,
        may_be_empty=True,
    )


_SESSION: Final = "(SELECT l.session_id FROM sessions_app_lesson l WHERE l.id = pk)"
_OF_LESSON: Final = (
    "EXISTS (SELECT FROM sessions_app_legacylesson l WHERE l.key = s.lesson_key "
    "AND l.lesson_id = t.lesson_id)"
)
_OF_STUDENT: Final = (
    "EXISTS (SELECT FROM sessions_app_legacyidentity i WHERE i.kind = 'users' "
    "AND i.legacy_id = s.student_key AND i.user_id = t.student_id)"
)

_VALUES: Final = (
    _values(
        _KINDS[2],
        {
            "lesson_id_differs": (
                "Lessons have the public id of their old row",
                "x.session_id = 'lesson-' || s.key AND x.kind = 'lesson'",
            ),
            "lesson_title_differs": (
                "Lessons have the title of their old row",
                f"strpos({_said('title')}, x.title) > 0",
            ),
            "lesson_time_differs": (
                "Lessons are when their old rows say",
                f"{_same_time('date_start', 't.starts_at', 'zone')} "
                f"AND {_same_time('date_end', 't.ends_at', 'zone')}",
            ),
            "lesson_numbers_differ": (
                "Capacity and price are those of the old rows, or what stands for none",
                f"CASE WHEN {_said('capacity')} IS NULL THEN 20 ELSE {_number('capacity')} END "
                "= t.capacity AND "
                f"CASE WHEN {_said('credit_cost')} IS NULL THEN 1 ELSE {_number('credit_cost')} "
                "END = t.credit_cost",
            ),
            "lesson_delivery_differs": (
                "The mode counts only where there is no session type",
                f"""CASE lower(coalesce({_said("session_type")}, {_said("mode")}))
                    WHEN 'offline' THEN t.delivery = 'on_site'
                    WHEN 'online' THEN t.delivery = 'virtual'
                    WHEN 'hybrid' THEN t.delivery = 'hybrid'
                    WHEN 'on_site' THEN t.delivery = 'on_site'
                    WHEN 'virtual' THEN t.delivery = 'virtual' END""",
            ),
            "lesson_link_differs": (
                "A meeting link is that of the old row, and of a virtual lesson",
                "t.meeting_link IS NULL OR t.delivery = 'virtual' "
                f"AND strpos({_said('meeting_link')}, t.meeting_link) > 0",
            ),
            "lesson_semester_differs": (
                "Lessons are in the semester that their old rows name",
                "EXISTS (SELECT FROM sessions_app_legacysemester e "
                f"WHERE split_part({_said('semester_id')}, '.', 1) IN (e.key, "
                "split_part(e.key, '.', 1)) AND e.semester_id = t.semester_id)",
            ),
        },
        joins=f"JOIN sessions_app_session x ON x.id = t.session_id "
        f"CROSS JOIN LATERAL (SELECT {_ZONE} AS zone OFFSET 0) told",
        edited=f"({_edited('lesson', 'pk')} OR {_edited('session', _SESSION)})",
    ),
    _values(
        _KINDS[3],
        {
            "booking_points_elsewhere": (
                "Bookings are of the lesson and the person that their old rows name",
                f"{_OF_LESSON} AND {_OF_STUDENT}",
            ),
            "booking_status_differs": (
                "Bookings have the status of their old rows, or repeat another one",
                f"""CASE lower(coalesce({_said("status")}, 'pending'))
                    WHEN 'cancelled' THEN t.status = 'cancelled'
                    WHEN 'confirmed' THEN t.status = 'confirmed' OR repeats
                    WHEN 'waitlisted' THEN t.status = 'waitlisted' OR repeats
                    WHEN 'pending' THEN t.status = 'waitlisted' OR repeats END""",
            ),
        },
        joins="""CROSS JOIN LATERAL (
            SELECT t.status = 'cancelled' AND EXISTS (
                SELECT FROM sessions_app_booking o
                WHERE o.lesson_id = t.lesson_id AND o.student_id = t.student_id AND o.id <> t.id
            ) AS repeats
        ) same""",
    ),
    _values(
        _KINDS[4],
        {
            "attendance_differs": (
                "Attendance is that of the old row, and of the booking it names",
                f"t.status = lower({_said('status')}) AND (s.booking_key IS NULL OR EXISTS ("
                "SELECT FROM sessions_app_legacybooking b WHERE b.key = s.booking_key "
                "AND b.booking_id = t.booking_id))",
            ),
        },
    ),
    _values(
        _KINDS[5],
        {
            "feedback_differs": (
                "Feedback has the rating, the lesson and the person of its old row",
                f"{_OF_LESSON} AND {_OF_STUDENT} AND abs(t.rating - {_number('rating')}) <= 0.005",
            ),
        },
    ),
)

# -------------------------------------------------------------------------------------- waitlists

_WAITLISTS: Final = SQLScan(
    {
        "waitlist_gap": "Every waiting list counts from 1 without gaps",
        "waitlist_order": "Waiting lists are in the order of the old rows",
    },
    examined="SELECT count(*) FROM sessions_app_booking WHERE status = 'waitlisted'",
    failures=f"""
        WITH lines AS MATERIALIZED (
            SELECT b.id, b.lesson_id, b.created_at, b.waitlist_position AS here, s.key,
                lower(coalesce({_said("status")}, 'pending')) = 'pending' AS undecided,
                {_number("waitlist_position")} AS before,
                {_said("waitlist_position")} IS NULL AS unplaced,
                row_number() OVER (PARTITION BY b.lesson_id ORDER BY b.waitlist_position) AS place
            FROM sessions_app_booking b
            LEFT JOIN sessions_app_legacybooking s ON s.booking_id = b.id
            WHERE b.status = 'waitlisted'
        ),
        beside AS (
            SELECT *, lag(undecided) OVER line AS other_undecided, lag(before) OVER line AS other,
                lag(unplaced) OVER line AS other_unplaced,
                lag(created_at) OVER line AS other_created
            FROM lines WHERE key IS NOT NULL
            WINDOW line AS (PARTITION BY lesson_id ORDER BY here)
        )
        SELECT 'waitlist_gap', coalesce(key, 'booking ' || id),
            'The booking has position ' || here || ', it is number ' || place, false AS edited
        FROM lines WHERE here <> place
        UNION ALL
        SELECT 'waitlist_order', key, 'The booking before it came later in the old line',
            {_edited("booking", "id")}
        FROM beside
        WHERE NOT undecided AND (other_undecided OR other > before
            OR other_unplaced AND before IS NOT NULL
            OR (other = before OR other_unplaced AND unplaced) AND other_created > created_at)
            OR undecided AND other_undecided AND other_created > created_at
    """,
    may_be_empty=True,
)

#: In the order in which they are told. Any may find nothing to look at: the academy need not have
#: had waiting lists, and after a rollback nothing is linked.
CHECKS: Final[Sequence[SQLCheck | SQLScan]] = [_LINKS, *_VALUES, _WAITLISTS]
