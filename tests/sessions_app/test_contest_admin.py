"""The admin pages of contest sessions: constant in queries, read-only where a service writes."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.models import ContestResult, LegacyContestSession, Problem
from tests.sessions_app.factories import AttemptFactory, ProblemFactory

pytestmark = pytest.mark.django_db


def make_one_of_each(number: int) -> None:
    attempt = AttemptFactory.create(problem=ProblemFactory.create())
    LegacyContestSession.objects.create(
        key=str(number), document={}, session=attempt.result.session
    )


@pytest.mark.parametrize("model", [Problem, ContestResult, LegacyContestSession])
def test_a_list_takes_the_same_number_of_queries_whatever_its_length(admin_client, model):
    address = reverse(f"admin:sessions_app_{model._meta.model_name}_changelist")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(address).status_code == 200
        return len(captured)

    make_one_of_each(1)
    first = queries()
    for number in range(2, 8):
        make_one_of_each(number)
    assert queries() == first


def test_a_result_shows_its_attempts_and_cannot_be_changed(admin_client):
    attempt = AttemptFactory.create(problem_ref="AMC10A_2022_7")
    address = reverse("admin:sessions_app_contestresult_change", args=[attempt.result.pk])
    answer = admin_client.get(address)
    assert answer.status_code == 200
    assert b"AMC10A_2022_7" in answer.content
    assert admin_client.post(address, {"username": "other"}).status_code == 403


def test_a_correction_of_a_problem_is_in_its_history(admin_client):
    problem = ProblemFactory.create(number=7, topics=["Logic"])
    address = reverse("admin:sessions_app_problem_change", args=[problem.pk])
    values = {
        "contest_id": problem.contest_id,
        "contest": problem.contest,
        "year": 2022,
        "number": 7,
        "correct_answer": "C) 8",
        "difficulty": "easy",
        "topics": '["Logic"]',
    }
    assert admin_client.post(address, values).status_code == 302
    problem.refresh_from_db()
    assert problem.correct_answer == "C) 8"
    assert problem.history.latest().history_user.username == "admin"
