"""What the database refuses of participants."""

import pytest
from django.db import IntegrityError, transaction

from tests.sessions_app.factories import ParticipantFactory, SessionFactory

pytestmark = pytest.mark.django_db


def test_a_person_is_in_a_session_once():
    first = ParticipantFactory.create(email="bob@example.com")
    ParticipantFactory.create(email="bob@example.com")
    with pytest.raises(IntegrityError, match="participant_once"), transaction.atomic():
        ParticipantFactory.create(session=first.session, email="bob@example.com")


def test_a_session_has_one_owner_at_most():
    owner = ParticipantFactory.create(role="owner")
    ParticipantFactory.create(role="owner")
    with pytest.raises(IntegrityError, match="participant_one_owner"), transaction.atomic():
        ParticipantFactory.create(session=owner.session, role="owner")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"email": "Bob@example.com"}, "participant_email_lower_case"),
        ({"email": ""}, "participant_email_lower_case"),
        ({"role": "king"}, "participant_role_known"),
        ({"status": "asleep"}, "participant_status_known"),
        ({"role": "owner", "status": "left"}, "participant_owner_is_active"),
    ],
)
def test_values_that_mean_nothing_are_refused(values, rule):
    session = SessionFactory.create()
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ParticipantFactory.create(session=session, **values)
