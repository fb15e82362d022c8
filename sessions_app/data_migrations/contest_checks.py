"""What must hold after `enrich_contest_sessions`: SQL that works everything out again.

Documents are read by `contest_readings`, analytics are added up from the stored attempts. Every
failure names the field that differs. Where a person changed the session, its result or one of its
attempts since, the difference is counted as edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from migrations_tools.definitions import SQLCheck, SQLScan
from sessions_app.data_migrations.contest_analytics_checks import ANALYTICS
from sessions_app.data_migrations.contest_document_checks import DOCUMENTS, LINKED

_RESULTS: Final = SQLCheck(
    "result_missing",
    "Every document that was carried over has a contest session with a result",
    examined=LINKED,
    failures="""
        SELECT s.key, CASE WHEN r.id IS NULL THEN 'The session has no result'
            ELSE 'The session is of kind ' || c.kind END
        FROM sessions_app_legacycontestsession s
        JOIN sessions_app_session c ON c.id = s.session_id
        LEFT JOIN sessions_app_contestresult r ON r.session_id = c.id
        WHERE r.id IS NULL OR c.kind <> 'contest'
    """,
    may_be_empty=True,
)

#: In the order in which they are told.
CHECKS: Final[Sequence[SQLCheck | SQLScan]] = [_RESULTS, DOCUMENTS, ANALYTICS]
