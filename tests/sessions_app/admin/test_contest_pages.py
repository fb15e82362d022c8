"""Pages of contest sessions: charts, the document, attempts in pages, progress of people."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions_app.models import ContestResult
from tests.sessions_app.admin.acting import logged_in, page, staff
from tests.sessions_app.factories import (
    AttemptFactory,
    ContestResultFactory,
    ProblemFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db

MODEL = "contestsession"


@pytest.fixture
def auditor() -> Client:
    return logged_in(staff("audit", "view_contestsession", "view_contestresult", "view_problem"))


def bucket(attempted: int, correct: int) -> dict[str, Any]:
    accuracy = round(100 * correct / attempted, 2)
    return {"attempted": attempted, "correct": correct, "accuracy": accuracy}


def result(attempted: int, correct: int, **values: Any) -> ContestResult:
    return ContestResultFactory.create(
        contest="AMC 10A",
        year=2022,
        total_attempted=attempted,
        performance_metrics={
            "total_attempted": attempted,
            "total_correct": correct,
            "accuracy_percentage": round(100 * correct / attempted, 2),
        },
        topic_performance={"Algebra": bucket(attempted, correct)},
        difficulty_performance={"easy": bucket(attempted, correct)},
        **values,
    )


def test_a_session_shows_charts_and_its_attempts_in_pages(auditor):
    found = result(30, 15)
    for position in range(1, 31):
        AttemptFactory.create(result=found, position=position, problem_ref=f"p-{position}")
    address = page(MODEL, "change", found.session_id)
    for asked, first, last in [("", "p-1", "p-25"), ("?attempts=2", "p-26", "p-30")]:
        shown = auditor.get(address + asked)
        listed = [attempt.problem_ref for attempt in shown.context["attempts"].object_list]
        assert (listed[0], listed[-1]) == (first, last)
    assert shown.context["topics"] == [("Algebra", 50.0, "warn")]
    assert shown.content.decode().count("<figcaption>") == 2
    assert auditor.get(address + "?attempts=what").status_code == 200


def test_difficulties_go_from_easy_to_hard(auditor):
    found = result(2, 1)
    found.difficulty_performance = {
        name: bucket(2, 1) for name in ("hard", "odd", "easy", "medium")
    }
    found.save()
    shown = auditor.get(page(MODEL, "change", found.session_id)).context["difficulties"]
    assert [name for name, _, _ in shown] == ["easy", "medium", "hard", "odd"]


def test_the_document_has_its_19_fields_in_order(auditor):
    found = result(1, 1)
    AttemptFactory.create(result=found, position=1, topics=["Algebra"], difficulty="easy")
    shown = auditor.get(page(MODEL, "document", found.session_id))
    names = [name for name, _, _ in shown.context["fields"]]
    assert names == [
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
        "problems_attempted",
        "performance_metrics",
        "topic_performance",
        "difficulty_performance",
        "total_time_ms",
        "total_time_seconds",
        "total_time_minutes",
    ]
    file = auditor.get(page(MODEL, "document", found.session_id), {"format": "json"})
    assert list(file.json()) == names
    assert file["Content-Disposition"].startswith("attachment")


def test_a_session_without_result_can_be_looked_at(auditor):
    session = SessionFactory.create(kind="contest")
    assert auditor.get(page(MODEL, "change", session.pk)).status_code == 200
    assert auditor.get(page(MODEL, "document", session.pk)).status_code == 404


def test_progress_of_a_person_has_charts_and_its_place(auditor):
    sam = User.objects.create_user("sam", "sam@example.com", first_name="Sam")
    result(10, 5, user=sam)
    result(10, 9, user=sam)
    result(10, 1, username="kim")
    shown = auditor.get(page(MODEL, "progress", sam.pk))
    assert shown.context["progress"]["totals"]["accuracy"] == 70
    assert shown.context["progress"]["percentile"] == 100
    assert shown.context["topics"] == [("Algebra", 70, "good")]
    assert [accuracy for _, accuracy in shown.context["trend"]] == [50, 90]
    text = shown.content.decode()
    assert text.count("<figcaption>") == 3
    assert "sam@example.com" not in text
    stranger = User.objects.create_user("stranger")
    assert auditor.get(page(MODEL, "progress", stranger.pk)).status_code == 404


def test_the_cohort_counts_people_once(auditor):
    assert (
        "Nobody has attempted anything yet" in auditor.get(page(MODEL, "cohort")).content.decode()
    )
    sam = User.objects.create_user("sam")
    result(10, 10, user=sam, username="sam")
    result(10, 0, user=sam, username="old-sam")
    result(4, 4, username="kim")
    shown = auditor.get(page(MODEL, "cohort")).context["cohort"]
    assert shown["totals"] == {"people": 2, "sessions": 3, "attempted": 24, "accuracy": 58.33}
    assert shown["distribution"] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert [(row["user_id"], row["attempted"], row["accuracy"]) for row in shown["people"]] == [
        (sam.pk, 20, 50),
        (None, 4, 100),
    ]
    assert shown["topics"] == [{"name": "Algebra", "attempted": 24, "accuracy": 58.33}]


def test_problems_are_listed_with_how_often_they_were_attempted_and_solved(auditor):
    problem = ProblemFactory.create()
    found = result(3, 1)
    for position, correct in enumerate([True, False, False], 1):
        AttemptFactory.create(result=found, position=position, problem=problem, is_correct=correct)
    [row] = auditor.get(page("problem", "changelist")).context["cl"].result_list
    assert (row.attempt_count, row.solved_count) == (3, 1)


@pytest.mark.parametrize("name", ["cohort", "progress", "document"])
def test_who_may_not_look_sees_nothing(name):
    sam = User.objects.create_user("sam")
    found = result(1, 1, user=sam)
    arguments = {"cohort": [], "progress": [sam.pk], "document": [found.session_id]}[name]
    answer = logged_in(staff("guest")).get(page(MODEL, name, *arguments))
    assert answer.status_code == 403


def test_pages_take_the_same_number_of_queries_however_much_there_is(auditor):
    sam = User.objects.create_user("sam")
    found = result(9, 1, user=sam)
    addresses = [
        page(MODEL, "changelist"),
        page(MODEL, "change", found.session_id),
        page(MODEL, "progress", sam.pk),
        page(MODEL, "cohort"),
    ]

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert auditor.get(address).status_code == 200
        return len(captured)

    AttemptFactory.create(result=found, position=1)
    for address in addresses:
        queries(address)
    few = [queries(address) for address in addresses]
    for position in range(2, 9):
        AttemptFactory.create(result=found, position=position)
        result(3, 1, user=sam)
    assert [queries(address) for address in addresses] == few


def test_who_may_not_see_results_sees_the_session_only():
    found = result(4, 1, username="zelda", user=User.objects.create_user("zelda"))
    reviewer = logged_in(staff("reviewer", "view_contestsession"))
    assert "zelda" not in reviewer.get(page(MODEL, "changelist")).content.decode()
    assert not reviewer.get(page(MODEL, "changelist"), {"q": "zelda"}).context["cl"].result_count
    shown = reviewer.get(page(MODEL, "change", found.session_id))
    assert shown.status_code == 200
    assert "zelda" not in shown.content.decode()
    for address in (
        page(MODEL, "cohort"),
        page(MODEL, "progress", found.user_id),
        page(MODEL, "document", found.session_id),
    ):
        assert reviewer.get(address).status_code == 403, address
