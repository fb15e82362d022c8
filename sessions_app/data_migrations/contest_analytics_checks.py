"""Checks that add up the analytics of every contest session anew, as SQL of its own."""

from __future__ import annotations

from typing import Final

from migrations_tools.definitions import SQLScan
from sessions_app.contests.analytics import METRICS
from sessions_app.data_migrations.contest_edits import EDITED, REMOVED
from sessions_app.data_migrations.contest_readings import WHITE

_KEY: Final = (
    "(SELECT c.session_id FROM sessions_app_session c JOIN sessions_app_contestresult r "
    "ON r.session_id = c.id WHERE r.id = wrong.result_id)"
)


def _quotient(numerator: str, denominator: str) -> str:
    return f"CASE WHEN {denominator} = 0 THEN 0 ELSE round({numerator} / {denominator}, 2) END"


_METRIC_SQL: Final = dict(
    zip(
        METRICS,
        (
            "n",
            "right_n",
            "n - right_n",
            _quotient("100 * right_n", "n"),
            _quotient("spent", "n"),
            _quotient("spent / 1000", "n"),
            _quotient("right_spent", "right_n"),
            _quotient("(spent - right_spent)", "(n - right_n)"),
            "fastest",
            "slowest",
        ),
        strict=True,
    )
)
_METRIC_VALUES: Final = ",\n".join(
    f"('{name}', r.performance_metrics -> '{name}', coalesce(to_jsonb({value}), 'null'))"
    for name, value in _METRIC_SQL.items()
)


def _buckets(field: str, names: str) -> str:
    """SQL: buckets added up from the attempts beside those stored; ``names`` yields each name."""
    return f"""
        SELECT coalesce(added.result_id, stored.result_id) AS result_id,
            '{field}, ' || coalesce(added.name, stored.name) AS what,
            added.bucket AS wanted, stored.bucket AS stored
        FROM (
            SELECT result_id, name, jsonb_build_object('attempted', count(*),
                'correct', count(*) FILTER (WHERE is_correct), 'accuracy',
                round(100.0 * count(*) FILTER (WHERE is_correct) / count(*), 2)) AS bucket
            FROM sessions_app_problemattempt a CROSS JOIN LATERAL ({names}) t(name)
            GROUP BY 1, 2
        ) added
        FULL JOIN (
            SELECT r.id AS result_id, k.key AS name, k.value AS bucket
            FROM sessions_app_contestresult r CROSS JOIN LATERAL jsonb_each(
                CASE jsonb_typeof(r.{field}) WHEN 'object' THEN r.{field}
                ELSE jsonb_build_object('', r.{field}) END) k
        ) stored ON stored.result_id = added.result_id AND stored.name = added.name
        WHERE added.bucket IS DISTINCT FROM stored.bucket
    """


_TOPICS: Final = (
    "SELECT DISTINCT btrim(n.name, %(white)s) FROM jsonb_array_elements_text("
    "CASE jsonb_typeof(a.topics) WHEN 'array' THEN a.topics ELSE '[]' END) n(name) "
    "WHERE btrim(n.name, %(white)s) <> ''"
)
_DIFFICULTY: Final = (
    "SELECT lower(btrim(a.difficulty, %(white)s)) WHERE btrim(a.difficulty, %(white)s) <> ''"
)
_BOTH: Final = (
    "what || ': ' || coalesce(wanted::text, 'nothing') || ' by the attempts, ' "
    "|| coalesce(stored::text, 'nothing') || ' here'"
)

ANALYTICS: Final = SQLScan(
    {
        "metrics_differ": "Performance metrics are those of the attempts",
        "topics_differ": "Topics are added up rightly",
        "difficulties_differ": "Difficulties are added up rightly",
        "order_differs": "Attempts stand in order, without gaps",
    },
    examined="SELECT count(*) FROM sessions_app_contestresult",
    failures=f"""
        WITH {REMOVED},
        added AS MATERIALIZED (
            SELECT result_id, count(*)::numeric AS n, sum(time_spent_ms)::numeric AS spent,
                count(*) FILTER (WHERE is_correct)::numeric AS right_n,
                coalesce(sum(time_spent_ms) FILTER (WHERE is_correct), 0)::numeric AS right_spent,
                min(time_spent_ms) FILTER (WHERE is_correct) AS fastest,
                max(time_spent_ms) FILTER (WHERE is_correct) AS slowest,
                min(position) AS first, max(position) AS last
            FROM sessions_app_problemattempt GROUP BY result_id
        ),
        wrong AS MATERIALIZED (
            SELECT 'metrics_differ' AS code, r.id AS result_id, m.name AS what, m.wanted, m.stored
            FROM (
                SELECT r.id, r.performance_metrics, coalesce(n, 0) AS n,
                    coalesce(spent, 0) AS spent, coalesce(right_n, 0) AS right_n,
                    coalesce(right_spent, 0) AS right_spent, fastest, slowest
                FROM sessions_app_contestresult r LEFT JOIN added ON added.result_id = r.id
            ) r
            CROSS JOIN LATERAL (VALUES {_METRIC_VALUES}) m(name, stored, wanted)
            WHERE m.stored IS DISTINCT FROM m.wanted
            UNION ALL
            SELECT 'topics_differ', b.* FROM ({_buckets("topic_performance", _TOPICS)}) b
            UNION ALL
            SELECT 'difficulties_differ', b.*
            FROM ({_buckets("difficulty_performance", _DIFFICULTY)}) b
            UNION ALL
            SELECT 'order_differs', result_id, 'positions',
                to_jsonb('1 to ' || n), to_jsonb(first || ' to ' || last)
            FROM added WHERE first <> 1 OR last <> n
        )
        SELECT code, {_KEY} AS key, {_BOTH} AS detail, {EDITED} AS edited FROM wrong
    """,
    parameters={"white": WHITE},
    may_be_empty=True,
)
