"""SQL shared by the checks of contest sessions: which runs stand, and what people changed since."""

from __future__ import annotations

from typing import Final

#: Runs whose writes stand: verification of the definition is over all of them.
STANDING: Final = """
    SELECT id FROM migrations_tools_run
    WHERE definition = 'enrich_contest_sessions' AND kind = 'apply' AND state <> 'rolled_back'
"""


def by_person(history: str, pk: str) -> str:
    """SQL: the newest change of the row was not a run's."""
    return f"""coalesce((
        SELECT coalesce(h.history_change_reason, '') NOT LIKE 'run %%' FROM {history} h
        WHERE h.id = {pk} ORDER BY h.history_id DESC LIMIT 1), false)"""


#: Attempts that people deleted; ``wrong`` are the failures, with ``result_id``.
REMOVED: Final = """removed AS (
    SELECT DISTINCT result_id FROM sessions_app_historicalproblemattempt
    WHERE history_type = '-' AND coalesce(history_change_reason, '') NOT LIKE 'run %%'
)"""

EDITED: Final = f"""EXISTS (
    SELECT FROM sessions_app_contestresult r
    WHERE r.id = wrong.result_id AND (
        {by_person("sessions_app_historicalsession", "r.session_id")}
        OR {by_person("sessions_app_historicalcontestresult", "r.id")}
        OR EXISTS (
            SELECT FROM sessions_app_problemattempt a WHERE a.result_id = r.id
            AND {by_person("sessions_app_historicalproblemattempt", "a.id")}
        )
        OR r.id IN (SELECT result_id FROM removed)
    )
)"""
