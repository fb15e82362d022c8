"""Which sessions can be completed further: problems or people were imported after their run.

A session that is done is selected again once an attempt lacks what its problem says by now, or
once the users file has brought the person it lacked. Its digest tells these attempts, problems
and people behind the hash of the document, so that each growth is looked at once. Sessions that
somebody changed here are left alone.
"""

from __future__ import annotations

from typing import Final

from django.db.models import BinaryField, F, Func

from sessions_app.data_migrations.contest_edits import by_person
from sessions_app.data_migrations.contest_places import PROBLEM
from sessions_app.legacy_imports.contests import CONTEST_USERS

_INCOMPLETE: Final = "(a.correct_answer IS NULL OR a.difficulty IS NULL OR a.topics IS NULL)"

# min(id + 0): PostgreSQL would walk the primary key for a bare min(id)
_ATTEMPTS: Final = f"""
    SELECT r.id AS result_id, r.session_id, r.contest, r.year, r.shuffle, a.position,
        a.problem_number, a.problem_id, a.problem_ref AS ref, a.correct_answer, a.difficulty,
        a.topics, (
            SELECT min(e.id + 0) FROM sessions_app_problem e
            WHERE e.external_ids @> ARRAY[a.problem_ref]::varchar[] AND a.problem_ref <> ''
        ) AS by_external_id
    FROM sessions_app_contestresult r
    JOIN sessions_app_problemattempt a ON a.result_id = r.id AND {_INCOMPLETE}
    WHERE r.session_id = own.session_id
"""
_EDITED: Final = f"""(
    {by_person("sessions_app_historicalsession", "x.session_id")}
    OR {by_person("sessions_app_historicalcontestresult", "x.result_id")}
    OR EXISTS (
        SELECT FROM sessions_app_problemattempt of_result WHERE of_result.result_id = x.result_id
        AND {by_person("sessions_app_historicalproblemattempt", "of_result.id")}
    )
)"""
_BANK: Final = f"""
    SELECT string_agg(x.position || ' ' || q.id, ',' ORDER BY x.position)
    FROM ({_ATTEMPTS}) x
    JOIN sessions_app_problem q ON q.id = coalesce(x.problem_id, {PROBLEM})
    WHERE (
        x.correct_answer IS NULL AND q.correct_answer <> ''
        OR x.difficulty IS NULL AND q.difficulty <> ''
        OR x.topics IS NULL AND q.topics <> '[]'
    ) AND NOT {_EDITED}
"""
# found as the migration finds them: by the id of the document, else by name
_KNOWN: Final = "SELECT min(i.id + 0) FROM sessions_app_legacyidentity i"
_PEOPLE: Final = f"""
    SELECT 'user ' || person.id
    FROM (
        SELECT r.session_id, r.id AS result_id, r.username, r.user_ref
        FROM sessions_app_contestresult r
        WHERE r.session_id = own.session_id AND r.user_id IS NULL
    ) x
    CROSS JOIN LATERAL (SELECT coalesce(
        ({_KNOWN} WHERE i.kind = '{CONTEST_USERS}' AND i.legacy_id = nullif(x.user_ref, '')),
        ({_KNOWN} WHERE i.kind = '{CONTEST_USERS}' AND i.username = x.username),
        ({_KNOWN} JOIN auth_user u ON u.id = i.user_id
            WHERE i.kind = '{CONTEST_USERS}' AND i.username = '' AND u.username = x.username)
    ) AS id) person
    WHERE person.id IS NOT NULL AND NOT {_EDITED}
"""
_GROWTH: Final = f"nullif(concat_ws(',', ({_BANK}), ({_PEOPLE})), '')"
_DIGEST: Final = f"""(
    SELECT CASE WHEN own.session_id IS NULL THEN own.hash
        ELSE own.hash || coalesce(sha256(convert_to({_GROWTH}, 'UTF8')), '') END
    FROM (VALUES (OWN)) own (session_id, hash)
)"""


class GrowthDigest(Func):
    """The hash of a staged document; behind it, where bank or people have grown, that of the
    growth.
    """

    template = _DIGEST.replace("%%", "%").replace("%", "%%%%").replace("OWN", "%(expressions)s")
    output_field = BinaryField()

    def __init__(self) -> None:
        super().__init__(F("session_id"), F("content_hash"))


def seen(digest: str, content_hash: str) -> str:
    """SQL: ``digest`` is one of the document with this hash, whatever was known beside it."""
    return f"substring({digest} FROM 1 FOR octet_length({content_hash})) = {content_hash}"
