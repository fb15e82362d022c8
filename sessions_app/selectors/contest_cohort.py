"""How everybody does in contests, added up by the database: four queries, whatever their number.

A person is an account, or a name without one (contests.md "Saving and analytics"). Percentages
have two decimals.
"""

from __future__ import annotations

from typing import Any, Final

from sessions_app.selectors.contest_progress import rows

BINS: Final = 10  # of accuracy, each as wide as 100 / BINS percentage points
MOST_PEOPLE: Final = 50  # that are listed, those with most attempts
MOST_TOPICS: Final = 20

_PEOPLE: Final = """
    WITH people AS (
        SELECT r.user_id, CASE WHEN r.user_id IS NULL THEN r.username END AS name,
            max(r.username) AS username, count(*) AS sessions,
            sum((r.performance_metrics ->> 'total_attempted')::bigint)::bigint AS attempted,
            sum((r.performance_metrics ->> 'total_correct')::bigint)::bigint AS correct
        FROM sessions_app_contestresult r
        GROUP BY r.user_id, 2
        HAVING sum((r.performance_metrics ->> 'total_attempted')::bigint) > 0
    )
"""
_TOTALS: Final = """
    SELECT count(*) AS people, coalesce(sum(sessions), 0)::bigint AS sessions,
        coalesce(sum(attempted), 0)::bigint AS attempted,
        coalesce(round(100.0 * sum(correct) / sum(attempted), 2), 0) AS accuracy
    FROM people
"""
_DISTRIBUTION: Final = f"""
    SELECT least(correct * {BINS} / attempted, {BINS - 1})::int AS bin, count(*) AS people
    FROM people GROUP BY 1 ORDER BY 1
"""
_LISTED: Final = f"""
    SELECT user_id, username, sessions, attempted,
        round(100.0 * correct / attempted, 2) AS accuracy
    FROM people ORDER BY attempted DESC, username, user_id LIMIT {MOST_PEOPLE}
"""
_TOPICS: Final = f"""
    SELECT key AS name, sum((value ->> 'attempted')::bigint)::bigint AS attempted,
        round(100.0 * sum((value ->> 'correct')::bigint) / sum((value ->> 'attempted')::bigint), 2)
            AS accuracy
    FROM sessions_app_contestresult r CROSS JOIN LATERAL jsonb_each(r.topic_performance)
    WHERE (value ->> 'attempted')::bigint > 0
    GROUP BY key ORDER BY 2 DESC, 1 LIMIT {MOST_TOPICS}
"""


def cohort() -> dict[str, Any]:
    """Totals, people by accuracy (`BINS` numbers from the lowest), who attempted most, topics."""
    [totals] = rows(_PEOPLE + _TOTALS, {})
    found = {row["bin"]: row["people"] for row in rows(_PEOPLE + _DISTRIBUTION, {})}
    return {
        "totals": totals,
        "distribution": [found.get(number, 0) for number in range(BINS)],
        "people": rows(_PEOPLE + _LISTED, {}),
        "topics": rows(_TOPICS, {}),
    }
