"""Events of sessions at work."""

from datetime import timedelta

import pytest

from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Actor, Project, Session
from sessions_app.services.agent_sessions import (
    InvalidValue,
    SessionAlreadyEnded,
    end_session,
    record_event,
)
from tests.sessions_app.factories import ProjectFactory, SessionFactory
from tests.sessions_app.services.agent_sessions.acting import NOON, at, by

pytestmark = pytest.mark.django_db


def recorded(session, user, **values):
    given = {"event_type": "file_saved", "actor": Actor.AI, "now": at(1), **values}
    return record_event(session, **given, **by(user))


def test_an_event_carries_the_project_of_its_session(ann, session, alpha):
    event = recorded(session, ann, payload={"file": "a.py"})
    stored = ActivityEvent.objects.get(event_id=event.event_id)
    assert (stored.project, stored.session_ref) == (str(alpha.pk), session.session_id)
    assert (stored.actor, stored.event_type, stored.payload) == (
        "ai",
        "file_saved",
        {"file": "a.py"},
    )
    assert stored.occurred_at == NOON + timedelta(hours=1)


def test_an_event_is_activity(ann, session):
    recorded(session, ann)
    stored = Session.objects.get(pk=session.pk)
    assert stored.last_activity_at == NOON + timedelta(hours=1)
    assert stored.history.first().last_activity_at == stored.last_activity_at


@pytest.mark.parametrize("project_id", [None, UNASSIGNED_ID])
def test_an_event_of_a_session_without_a_project_carries_the_resolved_one(ann, project_id):
    primary = ProjectFactory.create(is_primary=True)
    orphan = SessionFactory.create(kind="agent", user=ann, project_id=project_id)
    assert recorded(orphan, ann).project == str(primary.pk)
    assert Session.objects.get(pk=orphan.pk).project_id == project_id


def test_an_event_keeps_the_sessions_project_when_it_takes_no_new_sessions(ann, session, alpha):
    Project.objects.filter(pk=alpha.pk).update(status="archived")
    assert recorded(session, ann).project == str(alpha.pk)


def test_an_ended_session_gets_no_events(ann, session):
    end_session(session, **by(ann))
    with pytest.raises(SessionAlreadyEnded):
        recorded(session, ann)
    assert not ActivityEvent.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"event_type": " "},
        {"event_type": "x" * 101},
        {"event_type": "a\0"},
        {"actor": "robot"},
        {"payload": {"text": "\0"}},
        {"payload": {"text": {1, 2}}},
    ],
)
def test_events_that_cannot_be_stored_are_refused(ann, session, values):
    with pytest.raises(InvalidValue):
        recorded(session, ann, **values)
    assert not ActivityEvent.objects.exists()
    assert Session.objects.get(pk=session.pk).last_activity_at == NOON
