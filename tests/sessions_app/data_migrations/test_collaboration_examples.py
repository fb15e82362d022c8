"""The examples of collaboration.md, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations

import pytest
from django.db import IntegrityError, connection, transaction

from sessions_app.models import Session, SessionParticipant
from tests.sessions_app.data_migrations.collaboration import (
    U1,
    A,
    B,
    C,
    carry,
    document,
    edited_checks,
    failed_checks,
    may,
    nothing_to_do,
    outcomes,
    people,
    person,
    problem_codes,
    session,
    stage,
    take_back,
    verify,
)

pytestmark = pytest.mark.django_db(transaction=True)


def sql(statement: str) -> None:
    """Behind the application's back: no history."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def several_owners_possible() -> Iterator[None]:
    """Without the constraint that forbids it; with it again, and without B, afterwards."""
    (constraint,) = (
        found
        for found in SessionParticipant._meta.constraints
        if found.name == "participant_one_owner"
    )
    with connection.schema_editor() as editor:
        editor.remove_constraint(SessionParticipant, constraint)
    try:
        yield
    finally:
        SessionParticipant.objects.filter(email=B).delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(SessionParticipant, constraint)


def test_1_an_owner_and_two_invited_people_whatever_the_order():
    rows = [
        document(_id="a", n="N", e=A, s=U1, a="edit", t=1),
        document(_id="b", n="N", e=A, i=B, s=U1, a="view", t=2),
        document(_id="c", n="N", e=A, i=C, s=U1, a="edit", t=3),
    ]
    for order in permutations(rows):
        stage(*order)
        summary = carry()
        assert (outcomes(summary), summary["warnings"]) == ({"applied": 1}, {})
        found = session(U1)
        assert (found.title, found.created_at, found.updated_at) == ("N", may(1), may(3))
        assert (found.kind, found.status) == ("collaboration", "active")
        assert people(U1) == {
            A: ("owner", "active"),
            B: ("viewer", "invited"),
            C: ("editor", "invited"),
        }
        owner, bob = person(A, U1), person(B, U1)
        assert (owner.joined_at, owner.invited_by, owner.invited_at) == (may(1), "", None)
        assert (bob.joined_at, bob.invited_by, bob.invited_at) == (None, A, may(2))
        assert failed_checks() == {}
        take_back(summary["run"])


def test_2_an_uploader_who_was_invited_keeps_the_invitations_role():
    stage(
        document(e=B, f="x.zip", a="edit", t=3),
        document(n="N", e=A, a="edit", t=1),
        document(n="N", e=A, i=B, a="view", t=2),
    )
    assert carry()["warnings"] == {}
    assert people() == {A: ("owner", "active"), B: ("viewer", "active")}
    assert (person(B).joined_at, person(B).invited_at) == (may(3), may(2))
    assert session().title == "N"
    (file,) = session().files.all()
    assert (file.name, file.uploaded_by, file.uploaded_at) == ("x.zip", B, may(3))
    assert failed_checks() == {}


def test_3_without_a_creator_the_inviter_owns_the_session():
    stage(document(n="N", e=A, i=B, a="edit"), document(n="N", e=A, i=C, a="view"))
    summary = carry()
    assert people() == {
        A: ("owner", "active"),
        B: ("editor", "invited"),
        C: ("viewer", "invited"),
    }
    assert summary["warnings"]["owner_inferred"] == 1
    assert failed_checks() == {}


def test_4_the_earliest_creator_owns_the_session_and_names_it():
    stage(document(n="One", e=A, t=5), document(n="Two", e=B, t=1))
    summary = carry()
    assert (session().title, session().created_at) == ("Two", may(1))
    assert people() == {B: ("owner", "active"), A: ("editor", "active")}
    assert summary["warnings"] == {"multiple_creators": 1}
    assert failed_checks() == {}


def test_5_ids_that_mean_the_same_are_one_session_and_case_counts():
    stage(
        document(n="N", e=A, s="77D3B396-4BB1-4ADA-8BF8-CAD181406705", t=1),
        document(n="N", e=A, i=B, a="edit", s=f" {U1} ", t=2),
        document(n="N", e=A, s="Demo"),
        document(n="N", e=A, s="demo"),
        document(n="N", e=A, s=123, t=1),
        document(n="N", e=A, i=C, a="edit", s="123", t=2),
    )
    carry()
    assert sorted(Session.objects.values_list("session_id", flat=True)) == [
        "123",
        U1,
        "Demo",
        "demo",
    ]
    assert set(people(U1)) == {A, B}
    assert set(people("123")) == {A, C}
    assert failed_checks() == {}


def stage_twenty() -> None:
    stage(*[document(n="N", e=A, s=f"s-{number}", t=1) for number in range(20)])
    stage(*[document(n="N", e=A, i=B, a="view", s=f"s-{number}", t=2) for number in range(20)])


def test_6_a_missing_session_is_named():
    stage_twenty()
    carry()
    assert failed_checks() == {}
    sql(
        "DELETE FROM sessions_app_sessionparticipant WHERE session_id = "
        "(SELECT id FROM sessions_app_session WHERE session_id = 's-7')"
    )
    sql("DELETE FROM sessions_app_session WHERE session_id = 's-7'")
    failed = failed_checks()
    assert failed["session_missing"] == ["s-7"]
    assert "participant_missing" not in failed


def test_6_a_session_that_no_run_has_carried_over_is_missing():
    stage_twenty()
    carry()
    stage(document(n="N", e=A, s="s-20", t=1))
    assert failed_checks()["session_missing"] == ["s-20"]
    carry()
    assert failed_checks() == {}


def test_6_each_damage_behind_the_applications_back_has_its_own_code():
    stage_twenty()
    carry()
    ids = {number: person(B, f"s-{number}").pk for number in (1, 2, 3)}
    sql(f"DELETE FROM sessions_app_sessionparticipant WHERE id = {ids[1]}")
    sql(f"UPDATE sessions_app_sessionparticipant SET role = 'admin' WHERE id = {ids[2]}")
    with several_owners_possible():
        sql(
            "UPDATE sessions_app_sessionparticipant SET role = 'owner', status = 'active' "
            f"WHERE id = {ids[3]}"
        )
        failed = failed_checks()
    own = {code: keys for code, keys in failed.items() if not code.startswith("row_")}
    assert own == {
        "participant_missing": ["s-1"],
        "role_differs": ["s-2", "s-3"],
        "status_differs": ["s-3"],
        "owner_count": ["s-3"],
    }


def test_6_the_same_edits_made_through_the_application_are_no_failure():
    stage_twenty()
    carry()
    person(B, "s-1").delete()
    changed = person(B, "s-2")
    changed.role = "admin"
    changed.save()
    with several_owners_possible():
        second = person(B, "s-3")
        second.role, second.status = "owner", "active"
        second.save()
        answer, edited = verify(), edited_checks()
    assert answer["ok"], [check for check in answer["checks"] if not check["ok"]]
    assert edited == {
        "participant_missing": 1,
        "role_differs": 2,
        "status_differs": 1,
        "owner_count": 1,
        "row_missing": 1,
        "row_differs": 2,
    }


def test_7_a_failure_at_the_second_participant_leaves_nothing_of_the_session():
    stage(
        document(n="N", e=A, s="bad", t=1),
        document(n="N", e=A, i=B, a="view", s="bad", t=2),
        document(n="N", e=A, s="good", t=1),
    )
    sql(f"ALTER TABLE sessions_app_sessionparticipant ADD CONSTRAINT no_bob CHECK (email <> '{B}')")
    try:
        summary = carry()
    finally:
        sql("ALTER TABLE sessions_app_sessionparticipant DROP CONSTRAINT no_bob")
    assert outcomes(summary) == {"applied": 1, "quarantined": 1}
    assert [key for key, _ in problem_codes(summary)] == ["bad"]
    assert [found.session_id for found in Session.objects.all()] == ["good"]
    assert SessionParticipant.objects.count() == 1
    assert failed_checks() == {}
    assert outcomes(carry()) == {"applied": 1}
    assert set(people("bad")) == {A, B}
    assert nothing_to_do()
    assert failed_checks() == {}


def test_the_database_itself_refuses_a_second_owner():
    stage(document(n="N", e=A, t=1), document(n="N", e=A, i=B, a="edit", t=2))
    carry()
    second = person(B)
    second.role, second.status = "owner", "active"
    with pytest.raises(IntegrityError, match="participant_one_owner"), transaction.atomic():
        second.save()
