"""The analysis of orphans beside the bare GROUP BY of their events."""

from __future__ import annotations

from tests.benchmarks.databases import Databases
from tests.benchmarks.results import Goal, Results, ratios
from tests.benchmarks.sizes import Sizes

EVENTS = 10  # of each session
_BATCH = 5_000  # sessions

_STAGE = """
    INSERT INTO sessions_app_project (id, name, status, is_primary, description, created_at)
    SELECT gen_random_uuid(), 'Project ' || n, 'active', false, '', now()
    FROM generate_series(1, 20) n;
    INSERT INTO sessions_app_session (session_id, kind, title, description, status, created_at,
        updated_at, metadata)
    SELECT gen_random_uuid(), 'agent', 'title', '', 'active', now(), now(), '{}'
    FROM generate_series(1, %(sessions)s);
    INSERT INTO sessions_app_activityevent (event_id, occurred_at, actor, project, session_ref,
        event_type, payload)
    SELECT gen_random_uuid(), now(), 'ai', p.ids[1 + (s.id + (random() > 0.85)::int) %% 20],
        s.session_id, 'edit', '{}'
    FROM generate_series(1, %(events)s), sessions_app_session s,
        (SELECT array_agg(id) AS ids FROM sessions_app_project WHERE name LIKE 'Project %%') p
"""

_GROUP_BY = """
    SELECT session_ref, project, count(*) FROM sessions_app_activityevent
    WHERE project IS NOT NULL GROUP BY session_ref, project
"""


def measure_orphans(databases: Databases, sizes: Sizes, results: Results) -> None:
    """Few sessions round after round, many of them once."""
    few = databases.prepared("orphans", "stage_orphans", sessions=sizes.sessions)
    bare = results.new("bare GROUP BY of the events of orphans, fetched", sizes.sessions)
    own = {
        name: results.new(title, sizes.sessions)
        for name, title in {
            "analysis": "orphans read with their evidence, and decided",
            "plan": "**assign_orphan_sessions**: the plan",
            "run": "assign_orphan_sessions, one worker",
            "verify": "its verification",
        }.items()
    }
    for _ in range(sizes.rounds):
        answer = databases.contend(few, "assign_orphans")
        bare.add(answer["seconds"]["bare"])
        for name, measured in own.items():
            measured.add(answer["seconds"][name], answer["peak"] if name == "run" else None)
    many = databases.prepared("many_orphans", "stage_orphans", sessions=sizes.many_sessions)
    all_of_them = results.new("many orphans read and decided", sizes.many_sessions)
    answer = databases.contend(many, "analyse_orphans")
    all_of_them.add(answer["seconds"]["analysis"], answer["peak"])
    results.goals += [
        Goal(
            "orphan analysis: time of the bare GROUP BY",
            "×",
            ratios(bare, own["analysis"]),
            at_most=2,
        ),
        Goal(
            f"orphan analysis of {sizes.many_sessions * EVENTS:,} events",
            "s",
            all_of_them.seconds,
            at_most=30,
        ),
    ]


def stage(sessions: int) -> None:
    """``sessions`` orphans with ten events each, of which nine or so name one project."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_STAGE, {"sessions": sessions, "events": EVENTS})


def group_by() -> int:
    """The bare GROUP BY; the number of groups."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_GROUP_BY)
        return len(cursor.fetchall())


def analyse() -> int:
    """Decide for every orphan, batch after batch, and write nothing; the number of orphans."""
    from migrations_tools.definitions.sources import KeyRange
    from migrations_tools.engine.selection import Selection
    from sessions_app.data_migrations.assign_orphan_sessions import AssignOptions, AssignStep

    step, selection = AssignStep(AssignOptions()), Selection(0)
    decided, after = 0, None
    while True:
        keys = step.source.within(step.source.keys(selection), KeyRange(after), "k")
        found = list(keys.order_by("k").values_list("k", flat=True)[:_BATCH])
        if not found:
            return decided
        items = step.source.read(selection, KeyRange(after, found[-1]))
        context = step.load(items.rows)
        decided += len([step.transform(row, context) for row in items.rows])
        after = found[-1]
