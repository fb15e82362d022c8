"""A person works on their own sessions, staff on any; refusals are on record."""

import pytest

from migrations_tools.models import Transition
from sessions_app.models import Actor, Session
from sessions_app.services.agent_sessions import (
    Forbidden,
    assign_by_name,
    end_session,
    may_work_on,
    record_event,
    start_session,
    switch_project,
    time_out_sessions,
)
from tests.sessions_app.factories import SessionFactory
from tests.sessions_app.services.agent_sessions.acting import by

pytestmark = pytest.mark.django_db

ACTIONS = {
    "end": lambda session, beta, actor: end_session(session, **actor),
    "switch": lambda session, beta, actor: switch_project(session, project=beta, **actor),
    "assign": lambda session, beta, actor: assign_by_name(session, name="beta", **actor),
    "record an event in": lambda session, beta, actor: record_event(
        session, event_type="typed", actor=Actor.HUMAN, **actor
    ),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_the_own_person_and_staff_may(ann, clerk, session, alpha, beta, action):
    ACTIONS[action](session, beta, by(ann))
    other = SessionFactory.create(kind="agent", user=ann, project=alpha)
    ACTIONS[action](other, beta, by(clerk))
    assert other.history.first().history_user == clerk


@pytest.mark.parametrize("action", ACTIONS)
def test_somebody_else_may_not_and_the_attempt_is_on_record(bob, session, beta, action):
    before = Session.objects.filter(pk=session.pk).values().get()
    with pytest.raises(Forbidden) as refusal:
        ACTIONS[action](session, beta, by(bob))
    assert refusal.value.code == "forbidden"
    assert Session.objects.filter(pk=session.pk).values().get() == before
    refused = Transition.objects.get()
    assert (refused.action, refused.actor, refused.surface) == ("refused", bob, "api")
    assert refused.details == {"deed": f"{action} session “{session.session_id}”"}


def test_nobody_but_staff_starts_sessions_for_others(ann, bob, clerk):
    with pytest.raises(Forbidden):
        start_session(user=ann, **by(bob))
    assert start_session(user=ann, **by(clerk)).user == ann


def test_only_staff_times_out(ann, clerk):
    with pytest.raises(Forbidden):
        time_out_sessions(**by(ann))
    assert time_out_sessions(**by(clerk)) == 0


def test_a_session_of_nobody_is_for_staff(ann, clerk):
    session = SessionFactory.create(kind="agent")
    assert not may_work_on(session, ann)
    assert may_work_on(session, clerk)


def test_inactive_people_may_nothing(ann, clerk, session):
    for user in (ann, clerk):
        user.is_active = False
        assert not may_work_on(session, user)
