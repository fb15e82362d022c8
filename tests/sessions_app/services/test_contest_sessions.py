"""Saving contest sessions: what is refused, what is written, and by whom."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from migrations_tools.exceptions import CarryoverError, PermissionRefused, TransitionRefused
from migrations_tools.models import Transition
from sessions_app.models import (
    ContestResult,
    ContestSave,
    LegacyIdentity,
    ProblemAttempt,
    Session,
)
from sessions_app.selectors.contest_document import contest_document
from sessions_app.services.contest_sessions import (
    InvalidContestSession,
    SavedTooSoon,
    SaveOutcome,
    SessionIdTaken,
    save_contest_session,
)
from tests.sessions_app.contest_files import GONE, attempt, import_bank, session
from tests.sessions_app.factories import SessionFactory

NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam() -> User:
    return User.objects.create_user("sam")


def document(**values: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "_id": GONE,
        "created_at": "2025-05-01T11:00:00Z",
        "completed_at": "2025-05-01T11:10:00Z",
        "problems_attempted": [
            attempt(1, attempt_timestamp=None),
            attempt(2, attempt_timestamp=None, is_correct=False),
        ],
    }
    return session(**(given | values))


def save(user: User, after: float = 0, **values: Any) -> Any:
    """Save ``after`` so many seconds after noon."""
    now = NOON + timedelta(seconds=after)
    return save_contest_session(document(**values), acting_user=user, now=now)


def wait_for_a_waiter() -> None:
    """Until a statement of another connection waits for what this one has written."""
    asked = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted"
        " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    for _ in range(3_000):
        with connection.cursor() as cursor:
            cursor.execute(asked)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_session_is_saved_with_its_analytics(sam, tmp_path):
    import_bank(tmp_path)
    bare = attempt(13, correct_answer=None, difficulty=None, topics=[], attempt_timestamp=None)
    saved = save(sam, problems_attempted=[bare], mode="contest", shuffle=GONE)
    assert saved.outcome is SaveOutcome.CREATED
    assert saved.warnings == []
    made = contest_document(saved.session)
    assert (made["username"], made["mode"], made["shuffle"]) == ("sam", "competition", False)
    assert made["created_at"] == "2025-05-01T11:00:00Z"
    assert made["topic_performance"]["Triangle Properties"]["attempted"] == 1
    assert made["problems_attempted"][0]["difficulty"] == "medium"
    result = ContestResult.objects.get()
    assert (result.user, result.session.user) == (sam, sam)
    assert result.history.get().history_user == sam


@pytest.mark.parametrize("name", ["session_id", "year", "contest", "problems_attempted"])
@pytest.mark.parametrize("value", [GONE, None, ""])
def test_missing_data_is_named(sam, name, value):
    with pytest.raises(InvalidContestSession) as refused:
        save(sam, **{name: value})
    assert (refused.value.code, refused.value.fields) == ("missing_data", {"missing": [name]})


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"problems_attempted": {"a": 1}}, "invalid_document"),
        ({"problems_attempted": ["x"]}, "invalid_document"),
        ({"problems_attempted": [attempt(is_correct="perhaps")]}, "invalid_is_correct"),
        ({"session_id": {"a": 1}}, "invalid_document"),
        ({"session_id": "s" * 300}, "invalid_document"),
        ({"problems_attempted": [attempt()] * 1_001}, "invalid_document"),
        ({"contest": "AMC\0"}, "invalid_document"),
        ({"session_id": "\ud800"}, "invalid_document"),
        ({"note": ["\0"]}, "invalid_document"),
        ({"n\0te": 1}, "invalid_document"),
        ({"note": float("nan")}, "invalid_document"),
        ({"note": 10**5000}, "invalid_document"),
        ({"note": {1, 2}}, "invalid_document"),
        ({"problems_attempted": [attempt(topics=["\ud800"])]}, "invalid_document"),
        ({"year": "soon"}, "missing_data"),
        ({"contest": ["AMC 10A"]}, "missing_data"),
    ],
)
def test_what_is_no_session_is_refused(sam, values, code):
    with pytest.raises(InvalidContestSession) as refused:
        save(sam, **values)
    assert refused.value.code == code
    assert not Session.objects.exists()


@pytest.mark.parametrize("values", [[], None, "x", 5])
def test_what_is_no_object_is_refused(sam, values):
    with pytest.raises(InvalidContestSession):
        save_contest_session(values, acting_user=sam)


def test_the_same_content_again_changes_nothing(sam):
    first = save(sam)
    history = ContestResult.history.count(), ProblemAttempt.history.count(), Session.history.count()
    again = save(sam, 2)
    assert again.outcome is SaveOutcome.UNCHANGED
    assert again.session == first.session
    assert history == (
        ContestResult.history.count(),
        ProblemAttempt.history.count(),
        Session.history.count(),
    )
    assert Session.objects.get().updated_at == NOON


def test_other_content_is_written_in_place_and_keeps_when_it_was_made(sam):
    first = save(sam, session_status="active")
    saved = save(
        sam,
        2,
        created_at="2025-05-02T00:00:00Z",
        problems_attempted=[attempt(3, attempt_timestamp=None)],
        session_status="completed",
    )
    assert (saved.outcome, saved.session) == (SaveOutcome.UPDATED, first.session)
    stored = Session.objects.get()
    assert stored.created_at == datetime(2025, 5, 1, 11, tzinfo=UTC)
    assert (stored.status, stored.updated_at) == ("completed", NOON + timedelta(seconds=2))
    assert [found.problem_number for found in ProblemAttempt.objects.all()] == [3]
    assert ContestResult.objects.get().performance_metrics["total_attempted"] == 1
    assert {entry.history_user for entry in ProblemAttempt.history.filter(history_type="-")} == {
        sam
    }


def test_a_completed_session_does_not_become_active_again(sam):
    save(sam)
    with pytest.raises(TransitionRefused):
        save(sam, 2, session_status="active")
    assert Session.objects.get().status == "completed"


def test_a_second_save_within_a_second_is_refused(sam):
    save(sam)
    with pytest.raises(SavedTooSoon) as refused:
        save(sam, 0.999, session_id="other")
    assert refused.value.fields == {"retry_after": 1}
    assert not Session.objects.filter(session_id="other").exists()
    assert save(sam, 1, session_id="other").outcome is SaveOutcome.CREATED
    assert save(User.objects.create_user("noor"), 1, username="noor", session_id="n").session.pk


def test_without_a_clock_the_time_is_the_databases(sam):
    save_contest_session(document(), acting_user=sam)
    with pytest.raises(SavedTooSoon):
        save_contest_session(document(), acting_user=sam)
    ContestSave.objects.update(saved_at=NOON)
    assert save_contest_session(document(), acting_user=sam).outcome is SaveOutcome.UNCHANGED


@pytest.mark.django_db(transaction=True)
def test_of_saves_side_by_side_one_is_taken():
    sam = User.objects.create_user("sam")
    told: list[str] = []
    together = threading.Barrier(4)

    def attempt_to_save(number: int) -> None:
        together.wait()
        try:
            save(sam, session_id=f"s-{number}")
            told.append("saved")
        except CarryoverError as refused:
            told.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt_to_save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["saved"] + ["saved_too_soon"] * 3
    assert Session.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_id_that_two_people_save_at_once_is_given_to_one_and_shared_by_the_other():
    people = [User.objects.create_user(name) for name in ("sam", "noor")]
    outcomes: list[SaveOutcome] = []

    def save_second() -> None:
        try:
            outcomes.append(save(people[1], username="noor").outcome)
        finally:
            connection.close()

    second = threading.Thread(target=save_second)
    with transaction.atomic():
        outcomes.append(save(people[0]).outcome)
        second.start()
        wait_for_a_waiter()
    second.join()
    assert outcomes == [SaveOutcome.CREATED] * 2
    assert sorted(Session.objects.values_list("session_id", "user__username")) == [
        ("s-1", "sam"),
        ("s-1~noor", "noor"),
    ]


def test_a_person_writes_only_their_own(sam):
    noor = User.objects.create_user("noor")
    others: list[Any] = ["sam", ["noor"], {}]
    for given in others:
        with pytest.raises(PermissionRefused):
            save(noor, username=given)
    assert Transition.objects.filter(action="refused", actor=noor).count() == 3
    save(sam)
    copy = save(noor, username=GONE)
    assert copy.session.session_id == "s-1~noor"
    assert [warning.code for warning in copy.warnings] == ["session_id_shared"]
    assert save(noor, 2, username="noor", score=0).outcome is SaveOutcome.UPDATED
    assert ContestResult.objects.get(user=sam).score == 1


def test_the_id_of_the_old_system_is_looked_up_and_never_anothers(sam):
    for user, legacy_id in ((sam, "u-sam"), (User.objects.create_user("noor"), "u-noor")):
        LegacyIdentity.objects.create(kind="contest_users", legacy_id=legacy_id, user=user)
    for after, given in enumerate([None, "None", GONE, "u-sam"]):
        save(sam, after, user_id=given)
        assert ContestResult.objects.get().user_ref == "u-sam"
    with pytest.raises(PermissionRefused):
        save(sam, 10, user_id="u-noor")
    save(sam, 10, user_id="unheard of")
    assert ContestResult.objects.get().user_ref == "unheard of"


def test_the_name_of_the_old_system_is_ones_own_too(sam):
    LegacyIdentity.objects.create(kind="contest_users", legacy_id="u-1", username="sammy", user=sam)
    assert save(sam, username="sammy").session.contest_result.username == "sammy"


def test_an_id_of_two_others_is_refused(sam):
    SessionFactory.create(session_id="s-1")
    SessionFactory.create(session_id="s-1~sam")
    with pytest.raises(SessionIdTaken):
        save(sam)


def test_a_session_without_an_account_is_nobodys_to_overwrite(sam):
    owner = ContestResult.objects.create(
        session=SessionFactory.create(session_id="s-1", kind="contest"), username="sam"
    )
    assert save(sam).session.session_id == "s-1~sam"
    owner.refresh_from_db()
    assert owner.score is None
