"""What the database refuses of problems, results and attempts."""

import pytest
from django.db import IntegrityError, transaction

from sessions_app.models import LegacyContestSession
from tests.sessions_app.factories import (
    AttemptFactory,
    ContestResultFactory,
    ProblemFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db


def test_a_problem_is_in_the_bank_once_whatever_the_case_of_its_contest():
    ProblemFactory.create(number=1)
    ProblemFactory.create(number=2)
    with pytest.raises(IntegrityError, match="problem_once"), transaction.atomic():
        ProblemFactory.create(contest_id="amc10a_2022", number=1)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"contest_id": ""}, "problem_contest_not_blank"),
        ({"number": 0}, "problem_number_positive"),
    ],
)
def test_a_problem_without_a_place_is_refused(values, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ProblemFactory.create(**values)


def test_a_session_has_one_result_and_a_position_one_attempt():
    attempt = AttemptFactory.create(position=1)
    AttemptFactory.create(position=1)
    with pytest.raises(IntegrityError, match="attempt_position_once"), transaction.atomic():
        AttemptFactory.create(result=attempt.result, position=1)
    with pytest.raises(IntegrityError, match="session_id"), transaction.atomic():
        ContestResultFactory.create(session=attempt.result.session)


def test_two_documents_never_became_one_session():
    session = SessionFactory.create(kind="contest")
    LegacyContestSession.objects.create(key="a", document={}, session=session)
    LegacyContestSession.objects.create(key="b", document={})
    LegacyContestSession.objects.create(key="c", document={})
    with pytest.raises(IntegrityError, match="legacy_contest_session_once"), transaction.atomic():
        LegacyContestSession.objects.filter(key="b").update(session=session)


def test_results_and_attempts_keep_their_history():
    attempt = AttemptFactory.create(selected_answer="A")
    attempt.selected_answer = "B"
    attempt.save()
    assert [entry.selected_answer for entry in attempt.history.all()] == ["B", "A"]
    assert attempt.result.history.count() == 1
