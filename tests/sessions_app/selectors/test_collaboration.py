"""A person's sessions: the old path and the new one answer the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.models import Session, SessionParticipant
from sessions_app.selectors.collaboration import legacy_sessions_of, sessions_of
from tests.sessions_app.data_migrations.collaboration import A, B, C, carry, document, stage
from tests.sessions_app.factories import ParticipantFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_person_sees_what_they_are_in_or_invited_to_newest_activity_first() -> None:
    stage(
        document(n="Old", e=A, s="old", t=1),
        document(n="Old", e=A, i=B, s="old", a="edit", t=2),
        document(n="New", e=B, s="new", t=5),
        document(n="Other", e=C, s="other", t=9),
    )
    carry()
    assert [found.title for found in Session.objects.of_person(" BOB@example.com")] == [
        "New",
        "Old",
    ]
    assert [found.title for found in legacy_sessions_of(" BOB@example.com")] == ["New", "Old"]


@pytest.mark.parametrize(
    ("status", "seen"), [("invited", 1), ("active", 1), ("left", 0), ("removed", 0)]
)
def test_who_left_or_was_removed_sees_nothing(status: str, seen: int) -> None:
    person = ParticipantFactory.create(status=status)
    assert Session.objects.of_person(person.email).count() == seen


def test_deleted_sessions_are_seen_by_nobody() -> None:
    person = ParticipantFactory.create()
    Session.objects.update(status="deleted")
    assert not Session.objects.of_person(person.email).exists()


def test_both_paths_answer_the_same_for_everybody(tmp_path: Path) -> None:
    export = tmp_path / "rows.json"
    call_command("generate_legacy", "collaboration", rows=400, seed=5, defects=0.2, out=export)
    call_command("import_legacy", "collaboration", str(export))
    carry(error_budget=1)
    emails = SessionParticipant.objects.order_by().values_list("email", flat=True).distinct()
    assert len(emails) > 15
    for email in emails:
        new = {
            found.session_id: {p.email: p.role for p in found.participants.all()}
            for found in Session.objects.of_person(email).with_participants()
        }
        old = {
            found.session_id: {member.email: member.role for member in found.members.values()}
            for found in legacy_sessions_of(email)
        }
        assert old == new
        assert legacy_sessions_of(email) == sessions_of(email)


def test_addresses_are_trimmed_of_all_blanks_and_compared_without_case() -> None:
    stage(
        document(n="N", e="\t\u00a0Alice@Example.COM\u200b", t=1),
        document(n="N", e=A, i="\nBOB@example.com ", t=2),
    )
    for email in (A, B, " bob@EXAMPLE.com "):
        assert [found.title for found in legacy_sessions_of(email)] == ["N"]


def test_the_new_path_takes_two_queries_whatever_the_number_of_sessions() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            for found in Session.objects.of_person(A).with_participants():
                assert [p.email for p in found.participants.all()][:1] == [A]
        return len(captured)

    stage(document(n="N", e=A, t=1))
    carry()
    one = queries()
    stage(*[document(n="N", e=A, s=f"t-{number}", t=1) for number in range(20)])
    carry()
    assert (one, queries(), Session.objects.of_person(A).count()) == (2, 2, 21)
