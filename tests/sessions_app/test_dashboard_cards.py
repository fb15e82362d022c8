"""What the overview tells of sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_tools.dashboard import Card
from sessions_app.dashboard_cards import agent_sessions, lessons_of_today
from tests.sessions_app import academy
from tests.sessions_app.factories import ProjectFactory, SessionFactory

pytestmark = pytest.mark.django_db


def figures(card: Card | None) -> dict[str, int]:
    assert card is not None
    return {str(figure.label): figure.value for figure in card.figures}


def test_orphans_are_counted_and_lead_to_their_list(admin_user):
    assert agent_sessions(admin_user) is None
    SessionFactory.create(kind="agent", project=ProjectFactory.create())
    SessionFactory.create(kind="agent")
    card = agent_sessions(admin_user)
    assert figures(card) == {"orphans": 1, "parked as unassigned": 0, "wait for a decision": 0}
    assert card is not None
    assert card.figures[0].url.endswith("/agentsession/?belongs=orphan")


def noon() -> timedelta:
    return timezone.localtime().replace(hour=12, minute=0) - academy.NOW


def test_lessons_of_today_and_full_ones_are_told_to_those_who_see_them(admin_user):
    teacher = academy.instructor()
    today = academy.lesson("Passing", starts_in=noon(), instructor=teacher, capacity=2)
    academy.lesson("Hidden", starts_in=noon())
    full = academy.lesson("Full", starts_at=timezone.now() + timedelta(days=30))
    academy.confirmed(today, academy.student())
    for position in (1, 2):
        academy.waiting(full, academy.student(), position)
    card = lessons_of_today(admin_user)
    assert figures(card) == {
        "lessons today": 2,
        "coming lessons with a waitlist": 1,
        "people who wait for a seat": 2,
    }
    own = lessons_of_today(teacher)
    assert own is not None
    assert [(item.text, item.note) for item in own.items] == [("noon Passing", "1 / 2")]
    assert list(figures(own).values()) == [1, 0, 0]


def test_a_card_takes_the_same_number_of_queries_however_much_there_is(admin_user: User):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            agent_sessions(admin_user)
            lessons_of_today(admin_user)
        return len(captured)

    SessionFactory.create(kind="agent")
    academy.lesson(starts_in=noon())
    few = queries()
    for _ in range(5):
        SessionFactory.create(kind="agent")
        academy.confirmed(academy.lesson(starts_in=noon()), academy.student())
    assert queries() == few
