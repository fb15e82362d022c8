"""The progress of a person over all their contest sessions (contests.md "Saving and analytics").

Everything is added up by the database, in a constant number of queries. Percentages have two
decimals, half up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import connection

from sessions_app.contests.analytics import percentage, plain

LAST: Final = 5  # sessions that are listed
TREND: Final = 10  # sessions of the trend
FULL_WEIGHT: Final = 10  # attempts from which on a topic's own accuracy counts alone

_COUNTS: Final = (
    "coalesce((r.performance_metrics ->> 'total_attempted')::bigint, 0) AS attempted, "
    "coalesce((r.performance_metrics ->> 'total_correct')::bigint, 0) AS correct"
)
_ACCURACY: Final = (
    "CASE WHEN {attempted} = 0 THEN 0 ELSE round(100.0 * {correct} / {attempted}, 2) END"
)
_POOLED: Final = _ACCURACY.format(attempted="sum(attempted)", correct="sum(correct)")

_TOTALS: Final = f"""
    SELECT count(*) AS sessions, coalesce(sum(attempted), 0)::bigint AS attempted,
        coalesce(sum(correct), 0)::bigint AS correct, coalesce({_POOLED}, 0) AS accuracy,
        coalesce(sum(total_time_ms), 0)::bigint AS total_time_ms
    FROM (
        SELECT {_COUNTS}, r.total_time_ms FROM sessions_app_contestresult r
        WHERE r.user_id = %(user)s
    ) own
"""

_SESSIONS: Final = f"""
    SELECT c.session_id, coalesce(c.ended_at, c.created_at) AS at, r.contest, r.year, r.mode,
        counted.attempted, counted.correct,
        {_ACCURACY.format(attempted="counted.attempted", correct="counted.correct")} AS accuracy
    FROM sessions_app_contestresult r JOIN sessions_app_session c ON c.id = r.session_id
    CROSS JOIN LATERAL (SELECT {_COUNTS}) counted
    WHERE r.user_id = %(user)s
    ORDER BY coalesce(c.ended_at, c.created_at) DESC, c.id DESC LIMIT {TREND}
"""


_OF_PERSON: Final = "r.user_id = %(user)s"


def _buckets(field: str, whose: str = _OF_PERSON) -> str:
    """SQL: buckets of all sessions of a person, or of everybody, pooled."""
    return f"""
        SELECT key AS name, sum((value ->> 'attempted')::bigint)::bigint AS attempted,
            sum((value ->> 'correct')::bigint)::bigint AS correct
        FROM sessions_app_contestresult r CROSS JOIN LATERAL jsonb_each(r.{field})
        WHERE {whose} GROUP BY key
    """


_OWN_ACCURACY: Final = _ACCURACY.format(attempted="attempted", correct="correct")

# raw · w + overall · (1 − w), w = min(1, attempted / 10); rounded once
_TOPICS: Final = f"""
    SELECT name, attempted, correct, {_OWN_ACCURACY} AS accuracy, round(
        (100.0 * correct / attempted) * least(1, attempted / {FULL_WEIGHT}.0)
        + %(overall)s * (1 - least(1, attempted / {FULL_WEIGHT}.0)), 2) AS weighted
    FROM ({_buckets("topic_performance")}) b WHERE attempted > 0
    ORDER BY attempted DESC, name
"""

_OF_DIFFICULTY: Final = f"""
    SELECT name, attempted, correct, {_OWN_ACCURACY} AS accuracy FROM ({{buckets}}) b
    ORDER BY array_position(ARRAY['easy', 'medium', 'hard'], name), name
"""
_DIFFICULTIES: Final = _OF_DIFFICULTY.format(buckets=_buckets("difficulty_performance"))

# everybody who attempted anything: accounts, and names without one
_COHORT: Final = """
    SELECT count(*) FILTER (WHERE person <> 'account ' || %(user)s) AS others,
        count(*) FILTER (
            WHERE pooled < (SELECT 1.0 * correct / attempted FROM people
                WHERE person = 'account ' || %(user)s)
        ) AS below
    FROM people
"""
_PEOPLE: Final = f"""
    WITH people AS (
        SELECT person, sum(attempted) AS attempted, sum(correct) AS correct,
            1.0 * sum(correct) / sum(attempted) AS pooled
        FROM (
            SELECT coalesce('account ' || r.user_id, 'name ' || r.username) AS person, {_COUNTS}
            FROM sessions_app_contestresult r
        ) counted
        GROUP BY person HAVING sum(attempted) > 0
    )
"""


def progress(user: User) -> dict[str, Any]:
    """Totals, the last sessions, the trend, topics, difficulties and the place in the cohort.

    ``accuracy`` is pooled: correct over attempted of all attempts. ``trend`` goes from the
    earliest to the latest; its ``change`` is the difference in percentage points between them.
    ``percentile`` is the share of other people with a lower pooled accuracy, null where the
    person or nobody else has attempted anything.
    """
    given = {"user": user.pk}
    [totals] = rows(_TOTALS, given)
    latest = rows(_SESSIONS, given)
    overall = Decimal(100 * totals["correct"]) / max(totals["attempted"], 1)
    [cohort] = rows(_PEOPLE + _COHORT, given)
    trend = [
        {name: session[name] for name in ("session_id", "at", "accuracy")}
        for session in reversed(latest)
    ]
    return {
        "totals": totals,
        "last_sessions": latest[:LAST],
        "trend": {
            "sessions": trend,
            "change": _difference(trend) if len(trend) > 1 else None,
        },
        "topics": rows(_TOPICS, {**given, "overall": overall}),
        "difficulties": rows(_DIFFICULTIES, given),
        "percentile": _percentile(cohort) if totals["attempted"] else None,
        "cohort": cohort["others"],
    }


_QUARTILE: Final = (
    "round((percentile_cont({share}) WITHIN GROUP (ORDER BY 100 * pooled))::numeric, 2)"
)
_EVERYBODY: Final = f"""
    SELECT count(*) AS people, coalesce(sum(attempted), 0)::bigint AS attempted,
        coalesce(sum(correct), 0)::bigint AS correct, coalesce({_POOLED}, 0) AS accuracy,
        {_QUARTILE.format(share=0.25)} AS lower_quartile,
        {_QUARTILE.format(share=0.5)} AS median,
        {_QUARTILE.format(share=0.75)} AS upper_quartile
    FROM people
"""
_ALL_TOPICS: Final = f"""
    SELECT name, attempted, correct, {_OWN_ACCURACY} AS accuracy
    FROM ({_buckets("topic_performance", "true")}) b WHERE attempted > 0
    ORDER BY attempted DESC, name
"""
_ALL_DIFFICULTIES: Final = _OF_DIFFICULTY.format(buckets=_buckets("difficulty_performance", "true"))


def cohort_progress() -> dict[str, Any]:
    """Everybody who attempted anything, together: nobody is named.

    ``accuracy`` is pooled over all attempts; the quartiles and the median are those of the
    people's own pooled accuracies, null without people. Percentages.
    """
    [totals] = rows(_PEOPLE + _EVERYBODY, {})
    quartiles = {name: totals.pop(name) for name in ("lower_quartile", "median", "upper_quartile")}
    return {
        "people": totals.pop("people"),
        "totals": totals,
        "accuracies": quartiles,
        "topics": rows(_ALL_TOPICS, {}),
        "difficulties": rows(_ALL_DIFFICULTIES, {}),
    }


def _difference(trend: list[dict[str, Any]]) -> int | float:
    first, last = (Decimal(str(each["accuracy"])) for each in (trend[0], trend[-1]))
    return plain(last - first)


def _percentile(cohort: dict[str, Any]) -> int | float | None:
    if not cohort["others"]:
        return None
    return percentage(cohort["below"], cohort["others"])


def rows(sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows by column, decimals as JSON numbers."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description or ()]
        return [
            {
                name: plain(value) if isinstance(value, Decimal) else value
                for name, value in zip(names, row, strict=True)
            }
            for row in cursor.fetchall()
        ]
