"""Every single field that is altered behind the product's back is found, and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Model

from migrations_tools.definitions import Apply, Insert, Update
from migrations_tools.engine.history import INSERTED, write_history
from migrations_tools.engine.transfer import transfer_keys
from migrations_tools.services.actors import system_user
from migrations_tools.verification.results import Result
from migrations_tools.verification.sql_checks import run_check
from sessions_app.contests.analytics import METRICS
from sessions_app.data_migrations.enrich_contest_sessions import (
    EnrichContestSessions,
    EnrichOptions,
    EnrichStep,
)
from sessions_app.models import ContestResult, LegacyContestSession, Problem, ProblemAttempt
from tests.sessions_app.contest_files import (
    attempt,
    import_bank,
    import_sessions,
    import_users,
    session,
    the_result,
    the_session,
)

pytestmark = pytest.mark.django_db

RESULT, ATTEMPT = "sessions_app_contestresult", "sessions_app_problemattempt"
SESSION = "sessions_app_session"


@pytest.fixture
def _carried(tmp_path: Path) -> None:
    import_bank(tmp_path)
    import_users(tmp_path, "sam", "noor")
    bare = attempt(2, correct_answer="", difficulty=None, topics=[], is_correct=False)
    import_sessions(
        tmp_path,
        session("1", user_id=None, problems_attempted=[attempt(1), bare], total_time_ms=None),
        session("2", username="noor"),
    )
    write_as_a_run_does()
    assert failing() == {}


def write_as_a_run_does() -> None:
    """What the step answers, written with the history of a run; in the test's transaction."""
    step = EnrichStep(EnrichOptions())
    rows = list(LegacyContestSession.objects.order_by("pk"))
    context = step.load(rows)
    for row in rows:
        outcome = step.transform(row, context)
        assert isinstance(outcome, Apply)
        for change in outcome.changes:
            if isinstance(change, Insert):
                _insert(change.obj)
            elif isinstance(change, Update):
                LegacyContestSession.objects.filter(pk=change.pk).update(**change.values)


def _insert(obj: Model) -> None:
    for field in obj._meta.concrete_fields:
        value = obj.__dict__[field.attname]
        obj.__dict__[field.attname] = value.pk if isinstance(value, Model) else value
    type(obj)._default_manager.bulk_create([obj])
    with connection.cursor() as cursor:
        given = transfer_keys(cursor, type(obj), [obj.pk], [None])
        write_history(cursor, type(obj), given, INSERTED, "run 1", system_user().pk)


def verify() -> dict[str, Result]:
    return {
        result.code: result for check in EnrichContestSessions.checks for result in run_check(check)
    }


def failing() -> dict[str, list[str]]:
    """Details of what is wrong with the first session, by check."""
    return {
        code: [named["detail"] for named in result.sample]
        for code, result in verify().items()
        if not result.ok
    }


def alter(table: str, assignment: str, where: str) -> None:
    """Change one row past the product: no history tells of it."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {assignment} WHERE {where}")
        assert cursor.rowcount == 1


def of_first(table: str) -> str:
    return {
        SESSION: f"id = {the_session().pk}",
        RESULT: f"id = {the_result().pk}",
        ATTEMPT: f"result_id = {the_result().pk} AND position = 1",
    }[table]


@pytest.mark.usefixtures("_carried")
@pytest.mark.parametrize(
    ("table", "assignment", "code", "named"),
    [
        (SESSION, "session_id = 'other'", "session_differs", "session_id"),
        (SESSION, "status = 'paused'", "session_differs", "session_status"),
        (SESSION, "created_at = created_at + '1 s'", "session_differs", "created_at"),
        (SESSION, "ended_at = NULL", "session_differs", "completed_at"),
        (SESSION, "user_id = NULL", "session_differs", "session account"),
        (RESULT, "username = 'tom'", "session_differs", "username"),
        (RESULT, "user_ref = 'id of noor'", "session_differs", "user_id"),
        (RESULT, "user_ref = ''", "session_differs", "user_id"),
        (RESULT, "user_id = NULL", "session_differs", "account"),
        (RESULT, "year = 2021", "session_differs", "year"),
        (RESULT, "year = NULL", "session_differs", "year"),
        (RESULT, "contest = 'AMC 8'", "session_differs", "contest"),
        (RESULT, "mode = 'contest'", "session_differs", "mode"),
        (RESULT, "shuffle = true", "session_differs", "shuffle"),
        (RESULT, "score = 2", "session_differs", "score"),
        (RESULT, "total_attempted = 3", "session_differs", "total_attempted"),
        (RESULT, "total_time_ms = 1999", "session_differs", "total_time_ms"),
        (RESULT, "extra = '{\"a\": 1}'", "session_differs", "unknown keys"),
        (ATTEMPT, "problem_number = 9", "attempt_differs", "problem_number"),
        (ATTEMPT, "problem_ref = 'AMC10A_2022_9'", "attempt_differs", "problem_id"),
        (ATTEMPT, "problem_id = NULL", "attempt_differs", "problem"),
        (ATTEMPT, "is_correct = false", "attempt_differs", "is_correct"),
        (ATTEMPT, "selected_answer = 'E'", "attempt_differs", "selected_answer"),
        (ATTEMPT, "correct_answer = 'E'", "attempt_differs", "correct_answer"),
        (ATTEMPT, "time_spent_ms = 1001", "attempt_differs", "time_spent_ms"),
        (ATTEMPT, "attempted_at = NULL", "attempt_differs", "attempt_timestamp"),
        (ATTEMPT, "difficulty = 'hard'", "attempt_differs", "difficulty"),
        (ATTEMPT, 'topics = \'["Mean", "Algebra"]\'', "attempt_differs", "topics"),
        (ATTEMPT, "extra = '{\"a\": 1}'", "attempt_differs", "unknown keys"),
        *(
            (
                RESULT,
                f"performance_metrics = performance_metrics || '{{\"{name}\": 77}}'",
                "metrics_differ",
                name,
            )
            for name in METRICS
        ),
        (RESULT, "performance_metrics = '{}'", "metrics_differ", "total_correct"),
        (
            RESULT,
            "topic_performance = jsonb_set(topic_performance, '{Mean,accuracy}', '99')",
            "topics_differ",
            "Mean",
        ),
        (RESULT, "topic_performance = topic_performance - 'Mean'", "topics_differ", "Mean"),
        (RESULT, "topic_performance = '[]'", "topics_differ", "Mean"),
        (
            RESULT,
            "difficulty_performance = jsonb_set(difficulty_performance, '{easy,correct}', '2')",
            "difficulties_differ",
            "easy",
        ),
        (RESULT, "difficulty_performance = '{}'", "difficulties_differ", "easy"),
    ],
)
def test_an_altered_field_is_found_and_named(table, assignment, code, named):
    alter(table, assignment, of_first(table))
    found = failing()
    assert code in found
    assert any(named in detail for detail in found[code])


@pytest.mark.usefixtures("_carried")
@pytest.mark.parametrize("field", ["correct_answer", "difficulty", "topics"])
@pytest.mark.parametrize("value", ["NULL", "to_json('other'::text)"])
def test_a_filled_value_is_that_of_the_problem(field, value):
    where = f"result_id = {the_result().pk} AND position = 2"
    alter(ATTEMPT, f"{field} = {value}", where)
    assert [field in detail for detail in failing()["attempt_differs"]] == [True]


@pytest.mark.usefixtures("_carried")
def test_a_missing_a_surplus_and_a_misplaced_attempt():
    alter(ATTEMPT, "position = 3", f"result_id = {the_result().pk} AND position = 2")
    found = failing()
    assert found["attempts_miscounted"] == [
        "attempt 2 is missing",
        "attempt 3 is none of the document",
    ]
    assert found["order_differs"] == ['positions: "1 to 2" by the attempts, "1 to 3" here']


@pytest.mark.usefixtures("_carried")
def test_a_session_without_a_result():
    ProblemAttempt.objects.filter(result=the_result())._raw_delete("default")
    ContestResult.objects.filter(pk=the_result().pk)._raw_delete("default")
    assert failing()["result_missing"] == ["The session has no result"]


@pytest.mark.usefixtures("_carried")
def test_what_people_edit_is_no_failure_but_counted():
    result = the_result()
    result.score = 5
    result.save()
    first = result.attempts.get(position=1)
    first.time_spent_ms = 5
    first.save()
    results = verify()
    assert failing() == {}
    assert results["session_differs"].edited_since > 0
    assert results["attempt_differs"].edited_since == 1
    assert results["metrics_differ"].edited_since > 0
    alter(RESULT, "score = 3", f"id = {the_result('s-2').pk}")
    assert list(failing()) == ["session_differs"]


@pytest.mark.usefixtures("_carried")
def test_an_attempt_that_somebody_deleted_is_an_edit():
    the_result().attempts.get(position=2).delete()
    results = verify()
    assert failing() == {}
    assert results["attempts_miscounted"].edited_since == 1


@pytest.mark.usefixtures("_carried")
def test_the_bank_may_change_afterwards(tmp_path):
    import_users(tmp_path, "sam", "lena")
    problem = Problem.objects.get(number=2)
    problem.correct_answer, problem.topics = "E) 5", ["Logic"]
    problem.save()
    assert failing() == {}


@pytest.mark.usefixtures("_carried")
def test_the_bank_may_say_later_what_it_did_not_know():
    problem = Problem.objects.get(number=2)
    problem.difficulty = ""
    problem.save()
    alter(ATTEMPT, "difficulty = NULL", f"id = {the_result().attempts.get(position=2).pk}")
    alter(
        RESULT,
        """difficulty_performance = difficulty_performance - 'easy' ||
        '{"easy": {"attempted": 1, "correct": 1, "accuracy": 100}}'""",
        f"id = {the_result().pk}",
    )
    problem.difficulty = "easy"
    problem.save()
    assert failing() == {}
