"""Lists of sessions: what to do first, and pages beside them."""

from __future__ import annotations

import pytest

from tests.sessions_app.admin.acting import page
from tests.sessions_app.factories import SessionFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("agentsession", "No agent session is here yet"),
        ("collaborationsession", "No collaboration session is here yet"),
        ("contestsession", "No contest session is here yet"),
        ("lesson", "No lesson is here yet"),
        ("semester", "No semester is here yet"),
    ],
)
def test_an_empty_list_says_what_to_do_first_and_a_narrowed_one_does_not(
    admin_client, model, words
):
    assert words in admin_client.get(page(model, "changelist")).content.decode()
    narrowed = admin_client.get(page(model, "changelist"), {"q": "x"}).content.decode()
    assert words not in narrowed


def test_a_list_leads_to_the_pages_beside_it(admin_client):
    SessionFactory.create(kind="agent")
    shown = admin_client.get(page("agentsession", "changelist")).content.decode()
    assert page("agentsession", "health") in shown
    assert "No agent session is here yet" not in shown
    lessons = admin_client.get(page("lesson", "changelist")).content.decode()
    assert lessons.count(page("lesson", "calendar")) == 1
    assert page("lesson", "add") in lessons
