"""Later rows, edits made here, native sessions, rollback (collaboration.md R11, R12, R14)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.data_migrations.collaboration_stored import known_of
from sessions_app.models import Session, SessionFile, SessionParticipant
from tests.sessions_app.data_migrations.collaboration import (
    A,
    B,
    C,
    D,
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
)
from tests.sessions_app.factories import ParticipantFactory, SessionFactory

pytestmark = pytest.mark.django_db(transaction=True)

CREATION = document(_id="creation", n="N", e=A, t=1)
INVITATION = document(_id="invitation", n="N", e=A, i=B, a="view", t=2)


def stage_two() -> None:
    stage(CREATION, INVITATION)


# ------------------------------------------------------------------------------------------- R11


def test_the_same_rows_again_are_nothing_to_do():
    stage_two()
    carry()
    stage_two()
    assert nothing_to_do()


def test_new_people_and_files_are_added_and_untouched_values_follow():
    stage_two()
    carry()
    before = session().pk
    stage(
        document(n="N", e=A, i=C, a="edit", t=4),
        document(e=B, f="x.zip", t=6),
        {**CREATION, "name": "Renamed"},
    )
    summary = carry()
    assert outcomes(summary) == {"applied": 1}
    assert summary["changes"] == {
        "sessions_app.session": {"insert": 0, "update": 1, "delete": 0},
        "sessions_app.sessionparticipant": {"insert": 1, "update": 1, "delete": 0},
        "sessions_app.sessionfile": {"insert": 1, "update": 0, "delete": 0},
    }
    assert (session().pk, session().title, session().updated_at) == (before, "Renamed", may(6))
    assert people() == {
        A: ("owner", "active"),
        B: ("viewer", "active"),
        C: ("editor", "invited"),
    }
    assert person(B).joined_at == may(6)
    assert failed_checks() == {}


def test_a_change_that_means_nothing_changes_nothing():
    stage_two()
    carry()
    stage({**INVITATION, "access": "Viewer"})
    assert outcomes(carry()) == {"unchanged": 1}
    assert nothing_to_do()


def test_a_role_changed_here_stays():
    stage_two()
    carry()
    bob = person(B)
    bob.role = "admin"
    bob.save()
    stage({**INVITATION, "access": "edit"}, document(e=B, f="x.zip", t=6))
    assert outcomes(carry()) == {"applied": 1}
    assert people()[B] == ("admin", "active")
    assert failed_checks() == {}
    assert edited_checks()["role_differs"] == 1
    # nor does a run after the run: its own history row holds the edited role too
    stage({**INVITATION, "access": "view", "uploaded_at": None})
    carry()
    assert people()[B] == ("admin", "active")
    assert failed_checks() == {}


def test_a_title_and_a_status_changed_here_stay():
    stage_two()
    carry()
    changed, bob = session(), person(B)
    changed.title, changed.status = "Mine", "archived"
    changed.save()
    bob.status, bob.joined_at = "active", may(9)  # accepted
    bob.save()
    stage({**CREATION, "name": "Renamed", "description": "About"}, document(e=B, f="x", t=3))
    carry()
    assert (session().title, session().status, session().description) == (
        "Mine",
        "archived",
        "About",
    )
    assert person(B).joined_at == may(9)
    assert failed_checks() == {}


def test_a_person_removed_here_is_not_added_again():
    stage(CREATION, INVITATION, document(n="N", e=A, i=C, a="edit", t=3))
    carry()
    bob = person(B)
    bob.status = "removed"
    bob.save()
    person(C).delete()
    stage(document(n="N", e=A, i=C, a="view", t=4), document(n="N", e=A, i=B, a="edit", t=5))
    stage(document(n="N", e=A, i=D, a="edit", t=5))
    carry()
    assert people() == {
        A: ("owner", "active"),
        B: ("viewer", "removed"),
        D: ("editor", "invited"),
    }
    assert failed_checks() == {}


def test_a_file_removed_here_is_not_added_again_and_one_put_here_stays():
    stage(CREATION, document(e=B, f="x.zip", t=2))
    carry()
    SessionFile.objects.get(name="x.zip").delete()
    SessionFile.objects.create(session=session(), name="own.zip", uploaded_by=A)
    stage(document(e=B, f="y.zip", t=3))
    carry()
    assert sorted(session().files.values_list("name", flat=True)) == ["own.zip", "y.zip"]
    assert failed_checks() == {}
    assert {name: number for name, number in edited_checks().items() if "file" in name} == {
        "file_missing": 1,
        "file_extra": 1,
    }


def test_a_person_added_here_stays_as_they_are_whatever_the_old_rows_say_later():
    stage_two()
    carry()
    ParticipantFactory.create(session=session(), email=C, role="admin", status="active")
    stage(document(n="N", e=A, i=C, a="view", t=4))
    assert outcomes(carry()) == {"applied": 1}  # the time of the session
    assert people()[C] == ("admin", "active")
    assert failed_checks() == {}


def test_people_and_files_that_left_the_old_rows_go_unless_they_were_edited():
    upload = document(e=D, f="x.zip", t=4)
    third = document(n="N", e=A, i=C, a="edit", t=3)
    stage(CREATION, INVITATION, third, upload)
    carry()
    carol = person(C)
    carol.display_name = "Carol"
    carol.save()
    stage(
        {**INVITATION, "session_id": "s-2"},
        {**third, "session_id": "s-2"},
        {**upload, "session_id": "s-2"},
    )
    carry()
    assert set(people()) == {A, C}
    assert not session().files.exists()
    assert set(people("s-2")) == {A, B, C, D}
    assert failed_checks() == {}
    assert edited_checks()["participant_extra"] == 1


def test_a_session_deleted_here_stays_deleted():
    stage_two()
    carry()
    for participant in session().participants.all():
        participant.delete()
    session().delete()
    assert failed_checks() == {}
    assert edited_checks()["session_missing"] == 1
    stage(document(n="N", e=A, i=C, a="edit", t=4))
    summary = carry()
    assert (outcomes(summary), problem_codes(summary)) == (
        {"skipped": 1},
        [("s-1", "deleted_here")],
    )
    assert not Session.objects.exists()
    assert failed_checks() == {}


# ------------------------------------------------------------------------------ ownership moves


def test_a_creator_who_comes_later_takes_the_ownership_over():
    stage(document(e=B, f="x.zip", t=3), INVITATION)
    first = carry()
    assert people() == {A: ("owner", "active"), B: ("viewer", "active")}
    assert "owner_inferred" in first["warnings"]
    stage(document(n="N", e=C, t=1))
    second = carry()
    assert people() == {
        A: ("editor", "active"),
        B: ("viewer", "active"),
        C: ("owner", "active"),
    }
    assert failed_checks() == {}
    assert outcomes(take_back(second["run"])) == {"restored": 1}
    assert people() == {A: ("owner", "active"), B: ("viewer", "active")}


def test_the_ownership_moves_between_two_people_who_are_there_and_back():
    stage(document(n="N", e=A, t=2), document(n="N", e=B, t=3))
    carry()
    assert people()[A] == ("owner", "active")
    stage(document(n="N", e=B, t=1))
    second = carry()
    assert people() == {A: ("editor", "active"), B: ("owner", "active")}
    assert failed_checks() == {}
    assert outcomes(take_back(second["run"])) == {"restored": 1}
    assert people() == {A: ("owner", "active"), B: ("editor", "active")}


def test_an_owner_who_left_the_old_rows_goes():
    stage(CREATION, document(n="N", e=B, t=2))
    carry()
    stage({**CREATION, "email": C})
    second = carry()
    assert people() == {B: ("editor", "active"), C: ("owner", "active")}
    assert failed_checks() == {}
    assert outcomes(take_back(second["run"])) == {"restored": 1}
    assert people() == {A: ("owner", "active"), B: ("editor", "active")}


def test_an_ownership_transferred_here_stays():
    stage_two()
    carry()
    owner, bob = person(A), person(B)
    owner.role = "admin"
    owner.save()
    bob.role, bob.status = "owner", "active"
    bob.save()
    stage(document(n="N", e=C, uploaded_at="2025-04-01"))
    summary = carry()
    assert summary["warnings"]["owner_kept"] == 1
    assert people() == {
        A: ("admin", "active"),
        B: ("owner", "active"),
        C: ("editor", "active"),
    }
    assert failed_checks() == {}


def test_who_is_kept_from_the_ownership_follows_the_old_rows_otherwise():
    stage_two()
    stage(document(n="N", e=A, i=C, t=3, a="view"))
    carry()
    former, owner = person(A), person(B)
    former.role = "admin"
    former.save()
    owner.role, owner.status = "owner", "active"
    owner.save()
    stage(document(_id="earlier", n="N", e=C, t=1, a="edit"), {**CREATION, "uploaded_at": None})
    assert "owner_kept" in carry()["warnings"]
    assert people()[B] == ("owner", "active")
    assert people()[C] == ("viewer", "active")  # a creator is present
    assert failed_checks() == {}


def test_an_owner_who_is_kept_is_active_though_the_old_rows_only_invite_them():
    stage_two()
    carry()
    edited = person(B)
    edited.role = "admin"
    edited.save()
    stage({**CREATION, "email": B}, {**INVITATION, "email": B, "invited_email": A})
    assert "owner_kept" in carry()["warnings"]
    assert people() == {A: ("owner", "active"), B: ("admin", "active")}
    assert failed_checks() == {}


def test_an_owner_is_kept_where_the_next_one_was_removed_here():
    stage(document(n="N", e=A, t=2), document(n="N", e=B, t=3))
    carry()
    bob = person(B)
    bob.status = "removed"
    bob.save()
    stage(document(n="N", e=B, t=1))
    summary = carry()
    assert summary["warnings"]["owner_kept"] == 1
    assert people() == {A: ("owner", "active"), B: ("editor", "removed")}
    assert failed_checks() == {}


# ------------------------------------------------------------------------------------------- R12


@pytest.mark.parametrize("kind", ["collaboration", "agent"])
def test_a_session_made_here_is_a_conflict_and_stays(kind):
    native = SessionFactory.create(session_id="s-1", kind=kind, title="Native")
    stage_two()
    summary = carry()
    assert outcomes(summary) == {"conflict": 1}
    assert problem_codes(summary) == [("s-1", "native_session")]
    assert Session.objects.get() == native
    assert not SessionParticipant.objects.exists()
    assert failed_checks() == {}


# ------------------------------------------------------------------------------------------- R14


def test_a_rollback_takes_everything_back_and_leaves_native_sessions():
    native = ParticipantFactory.create(role="owner")
    stage_two()
    stage(document(e=B, f="x.zip", t=3))
    summary = carry()
    assert outcomes(take_back(summary["run"])) == {"restored": 1}
    assert list(Session.objects.all()) == [native.session]
    assert list(SessionParticipant.objects.all()) == [native]
    assert not SessionFile.objects.exists()
    assert outcomes(carry()) == {"applied": 1}
    assert failed_checks() == {}


def test_rows_changed_or_added_since_are_conflicts_and_listed():
    stage(*[document(n="N", e=A, s=f"s-{number}", t=1) for number in range(4)])
    run = carry()["run"]
    changed = session("s-1")
    changed.title = "Mine"
    changed.save()
    ParticipantFactory.create(session=session("s-2"), email=B)
    back = take_back(run)
    assert outcomes(back) == {"restored": 2, "conflict": 2}
    assert problem_codes(back) == [("s-1", "edited_since"), ("s-2", "still_referenced")]
    assert people("s-2") == {A: ("owner", "active"), B: ("editor", "active")}
    assert failed_checks() == {}


def test_a_forced_rollback_takes_what_was_changed_or_added_since_too(settings, tmp_path):
    settings.CARRYOVER_HOME = tmp_path
    stage(*[document(n="N", e=A, s=f"s-{number}", t=1) for number in range(3)])
    run = carry()["run"]
    changed = session("s-1")
    changed.title = "Mine"
    changed.save()
    ParticipantFactory.create(session=session("s-2"), email=B)
    SessionFile.objects.create(session=session("s-2"), name="mine.txt")
    assert outcomes(take_back(run, force=True)) == {"restored": 3}
    assert not Session.objects.exists()
    (exported,) = (tmp_path / "exports").glob("rollback-*.jsonl")
    text = exported.read_text(encoding="utf-8")
    assert all(word in text for word in ("Mine", B, "mine.txt"))


def test_a_delta_is_taken_back_alone():
    stage_two()
    carry()
    stage(document(n="N", e=A, i=C, a="edit", t=4))
    second = carry()
    assert outcomes(take_back(second["run"])) == {"restored": 1}
    assert set(people()) == {A, B}
    assert session().updated_at == may(2)
    assert outcomes(carry()) == {"applied": 1}
    assert set(people()) == {A, B, C}
    assert failed_checks() == {}


def test_loading_takes_a_constant_number_of_queries():
    def queries(number: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            known = known_of([f"s-{place}" for place in range(number)])
        assert len(known.sessions) == number
        return len(captured)

    for number in range(12):
        stage(document(n="N", e=A, s=f"s-{number}"), document(e=B, f="x", s=f"s-{number}"))
    carry()
    assert queries(12) == queries(2) == 7
