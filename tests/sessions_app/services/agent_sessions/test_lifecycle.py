"""Start, end, time-out and recovery of agent sessions."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from migrations_tools.exceptions import TransitionRefused
from sessions_app.models import AgentSession, Project, Session, SessionStatus
from sessions_app.services.agent_sessions import (
    InvalidValue,
    NothingToRecover,
    ProjectNotFound,
    SessionAlreadyEnded,
    SessionExists,
    SessionNotFound,
    end_session,
    find_session,
    lifecycle,
    recover_session,
    start_session,
    time_out_sessions,
)
from sessions_app.services.agent_sessions.changes import change_status
from tests.sessions_app.factories import SessionFactory
from tests.sessions_app.services.agent_sessions.acting import NOON, at, at_once, by, started

pytestmark = pytest.mark.django_db


def newest_history(session):
    row = session.history.first()
    return row.history_type, row.status, row.history_user, row.history_change_reason


# ------------------------------------------------------------------------------------------- start


def test_a_started_session_is_active_and_has_its_project(ann, alpha):
    session = started(project=alpha, title="Fix the door", metadata={"agent": "x"}, **by(ann))
    stored = Session.objects.get(pk=session.pk)
    assert uuid.UUID(stored.session_id)
    assert (stored.kind, stored.status, stored.title) == ("agent", "active", "Fix the door")
    assert (stored.project, stored.user, stored.metadata) == (alpha, ann, {"agent": "x"})
    assert {stored.created_at, stored.started_at, stored.last_activity_at} == {NOON}
    assert stored.ended_at is None
    assert newest_history(stored) == ("+", "active", ann, "start (api)")


def test_staff_starts_a_session_for_somebody_else(ann, clerk, alpha):
    session = started(user=ann, project=alpha, **by(clerk))
    assert session.user == ann
    assert session.history.get().history_user == clerk


def test_a_session_in_an_unknown_project_is_not_started(ann):
    with pytest.raises(ProjectNotFound):
        started(project=uuid.uuid4(), **by(ann))
    assert not Session.objects.exists()
    assert not Project.objects.filter(personal_of=ann).exists()


def test_a_public_id_is_taken_once_over_all_kinds(ann, alpha):
    SessionFactory.create(session_id="taken")
    with pytest.raises(SessionExists):
        started(session_id="taken", project=alpha, **by(ann))
    assert started(session_id="free", project=alpha, **by(ann)).session_id == "free"


@pytest.mark.parametrize(
    "values",
    [
        {"session_id": ""},
        {"session_id": "x" * 256},
        {"title": "x" * 256},
        {"title": "a\0b"},
        {"description": "\ud800"},
        {"metadata": {"a": "\0"}},
        {"metadata": {"a": object()}},
    ],
)
def test_values_that_cannot_be_stored_are_refused_in_a_sentence(ann, alpha, values):
    with pytest.raises(InvalidValue) as refusal:
        started(project=alpha, **values, **by(ann))
    assert refusal.value.message.endswith(".")
    assert not Session.objects.exists()


def test_only_agent_sessions_are_found(session):
    SessionFactory.create(session_id="a-meeting")
    assert find_session(session.session_id) == session
    for unknown in ("a-meeting", "", "\0", "\udcff"):
        with pytest.raises(SessionNotFound):
            find_session(unknown)


# --------------------------------------------------------------------------------------------- end


@pytest.mark.parametrize("to_status", [SessionStatus.COMPLETED, SessionStatus.ABANDONED])
def test_an_end_is_written_with_its_time_and_history(ann, session, to_status):
    end_session(session, to_status=to_status, reason="done", now=at(1), **by(ann))
    stored = Session.objects.get(pk=session.pk)
    assert (stored.status, stored.ended_at) == (to_status, NOON + timedelta(hours=1))
    assert newest_history(stored) == ("~", to_status, ann, "end (api): done")


def test_a_reason_that_cannot_be_stored_is_refused(ann, session):
    with pytest.raises(InvalidValue):
        end_session(session, reason="a\0b", **by(ann))
    assert Session.objects.get(pk=session.pk).status == "active"


@pytest.mark.parametrize("status", ["completed", "abandoned", "inactive"])
def test_ending_twice_is_refused(ann, session, status):
    Session.objects.filter(pk=session.pk).update(status=status, ended_at=NOON)
    with pytest.raises(SessionAlreadyEnded) as refusal:
        end_session(session, **by(ann))
    assert refusal.value.code == "SESSION_ALREADY_ENDED"
    assert Session.objects.get(pk=session.pk).status == status
    assert session.history.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_ends_at_once_one_is_refused(ann, session):
    answers = at_once(*[lambda: end_session(session, **by(ann))] * 2)
    assert sorted(type(answer).__name__ for answer in answers) == [
        "AgentSession",
        "SessionAlreadyEnded",
    ]
    assert session.history.count() == 2


def test_a_status_changes_only_as_the_table_allows(session):
    session.status = SessionStatus.COMPLETED
    with pytest.raises(TransitionRefused, match="completed; it cannot become active"):
        change_status(session, SessionStatus.ACTIVE)


# ---------------------------------------------------------------------------------------- time-out


def test_two_hours_without_activity_make_a_session_inactive(ann, clerk, alpha):
    idle = started(project=alpha, **by(ann))
    at_work = started(project=alpha, **by(ann))
    Session.objects.filter(pk=at_work.pk).update(last_activity_at=NOON + timedelta(seconds=1))
    assert time_out_sessions(now=at(2), **by(clerk)) == 1
    stored = Session.objects.get(pk=idle.pk)
    assert (stored.status, stored.ended_at) == ("inactive", NOON + timedelta(hours=2))
    assert newest_history(stored) == ("~", "inactive", clerk, "time out (api)")
    assert Session.objects.get(pk=at_work.pk).status == "active"
    assert at_work.history.count() == 1


def test_without_a_time_of_activity_the_start_counts(ann, clerk):
    old = SessionFactory.create(kind="agent", started_at=NOON)
    older = SessionFactory.create(kind="agent", created_at=NOON)
    SessionFactory.create(kind="agent", created_at=NOON, started_at=NOON + timedelta(hours=1))
    assert time_out_sessions(now=at(2), **by(clerk)) == 2
    inactive = AgentSession.objects.filter(status="inactive")
    assert set(inactive.values_list("pk", flat=True)) == {old.pk, older.pk}


def test_other_kinds_and_ended_sessions_do_not_time_out(clerk):
    SessionFactory.create(last_activity_at=NOON)
    SessionFactory.create(kind="contest", last_activity_at=NOON)
    SessionFactory.create(kind="agent", status="completed", last_activity_at=NOON)
    assert time_out_sessions(now=at(48), **by(clerk)) == 0


def test_time_out_is_the_same_few_statements_for_many_sessions(clerk, monkeypatch):
    def statements(sessions):
        for _ in range(sessions):
            SessionFactory.create(kind="agent", last_activity_at=NOON)
        with CaptureQueriesContext(connection) as captured:
            assert time_out_sessions(now=at(3), **by(clerk)) == sessions
        return len(captured)

    assert statements(1) == statements(30)
    monkeypatch.setattr(lifecycle, "_IDLE", lifecycle._IDLE.replace("LIMIT 10000", "LIMIT 4"))
    monkeypatch.setattr(lifecycle, "_TIME_OUT_AT_ONCE", 4)
    assert statements(8) > statements(3)


@pytest.mark.django_db(transaction=True)
def test_time_out_passes_over_a_session_that_somebody_works_on(clerk, session):
    other = SessionFactory.create(kind="agent", last_activity_at=NOON)
    with transaction.atomic():
        Session.objects.select_for_update(no_key=True).get(pk=session.pk)
        [timed_out] = at_once(lambda: time_out_sessions(now=at(3), **by(clerk)))
    assert timed_out == 1
    assert Session.objects.get(pk=other.pk).status == "inactive"
    assert Session.objects.get(pk=session.pk).status == "active"
    assert time_out_sessions(now=at(3), **by(clerk)) == 1


# ---------------------------------------------------------------------------------------- recovery


def test_a_timed_out_session_is_recovered_and_its_end_cleared(ann, clerk, session):
    time_out_sessions(now=at(3), **by(clerk))
    recovered = recover_session(now=at(4), **by(ann))
    stored = Session.objects.get(pk=session.pk)
    assert recovered == stored
    assert (stored.status, stored.ended_at) == ("active", None)
    assert stored.last_activity_at == NOON + timedelta(hours=4)
    assert newest_history(stored) == ("~", "active", ann, "recover (api)")


def test_the_newest_active_or_inactive_session_is_recovered(ann, alpha):
    oldest, newer, ended = (
        start_session(project=alpha, now=at(hour), **by(ann)) for hour in (0, 1, 2)
    )
    end_session(ended, **by(ann))
    assert recover_session(**by(ann)).pk == newer.pk
    end_session(newer, **by(ann))
    assert recover_session(**by(ann)).pk == oldest.pk


def test_nobody_recovers_a_session_of_somebody_else_not_even_staff(bob, clerk, session):
    for user in (bob, clerk):
        with pytest.raises(NothingToRecover):
            recover_session(**by(user))


def test_an_ended_session_is_not_recovered(ann, session):
    end_session(session, **by(ann))
    with pytest.raises(NothingToRecover):
        recover_session(**by(ann))
    assert Session.objects.get(pk=session.pk).status == "completed"


def test_only_the_session_that_was_meant_is_recovered(ann, alpha):
    older = started(project=alpha, **by(ann))
    newer = start_session(project=alpha, now=at(1), **by(ann))
    with pytest.raises(NothingToRecover) as refused:
        recover_session(only=older, **by(ann))
    assert refused.value.fields == {"session": newer.session_id}
    assert recover_session(only=newer, **by(ann)) == newer
