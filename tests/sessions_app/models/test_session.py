"""Sessions of every kind: transitions, proxies, what the database refuses."""

import pytest
from django.db import IntegrityError, transaction

from sessions_app.models import (
    SESSION_TRANSITIONS,
    AgentSession,
    CollaborationSession,
    Session,
    SessionKind,
    SessionStatus,
)
from sessions_app.models.session import may_change
from tests.sessions_app.factories import ProjectFactory, SessionFactory

#: SPEC §11 "Session transitions", word by word.
SPECIFIED = {
    "collaboration": "active → archived, deleted; archived → active, deleted",
    "agent": "active → inactive, completed, abandoned; inactive → active",
    "contest": "active → paused, completed, abandoned; paused → active, completed, abandoned",
    "lesson": "scheduled → active, cancelled; active → completed",
}


def _edges(text):
    for part in text.split("; "):
        start, ends = part.split(" → ")
        yield from ((start, end) for end in ends.split(", "))


@pytest.mark.parametrize("kind", SessionKind.values)
def test_exactly_the_specified_transitions_are_allowed(kind):
    allowed = {
        (start, end)
        for start in SESSION_TRANSITIONS[kind]
        for end in SessionStatus.values
        if may_change(kind, start, end)
    }
    assert allowed == set(_edges(SPECIFIED[kind]))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "status"), [("collaboration", "paused"), ("agent", "archived"), ("song", "active")]
)
def test_a_status_of_another_kind_is_refused_by_the_database(kind, status):
    with pytest.raises(IntegrityError, match="session_status_fits_kind"), transaction.atomic():
        SessionFactory.create(kind=kind, status=status)


@pytest.mark.django_db
def test_public_ids_are_unique_over_all_kinds_and_differ_by_case():
    SessionFactory.create(session_id="demo", kind=SessionKind.AGENT)
    SessionFactory.create(session_id="Demo")
    with pytest.raises(IntegrityError, match="session_id"), transaction.atomic():
        SessionFactory.create(session_id="demo")


@pytest.mark.django_db
def test_a_proxy_holds_its_own_kind_and_keeps_history():
    SessionFactory.create(kind=SessionKind.AGENT)
    mine = SessionFactory.create()
    proxy = CollaborationSession.objects.get()
    assert proxy.pk == mine.pk
    proxy.title = "Renamed"
    proxy.save()
    assert [entry.title for entry in Session.objects.get(pk=mine.pk).history.all()] == [
        "Renamed",
        "",
    ]


@pytest.mark.django_db
def test_orphans_are_agent_sessions_without_a_project():
    orphan = SessionFactory.create(kind=SessionKind.AGENT, status=SessionStatus.COMPLETED)
    SessionFactory.create(kind=SessionKind.AGENT, project=ProjectFactory.create())
    SessionFactory.create()
    assert [found.pk for found in AgentSession.objects.orphans()] == [orphan.pk]
