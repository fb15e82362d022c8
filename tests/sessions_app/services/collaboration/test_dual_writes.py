"""Dual writes: all or nothing, linked, and never into another session of the same id."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from migrations_tools.cutover.stages import Stage
from migrations_tools.definitions.registry import get_definition
from migrations_tools.models import DualWritten, Transition
from migrations_tools.selectors.completion import waiting_keys
from sessions_app.collaboration.errors import SessionExists
from sessions_app.models import LegacyCollaborationRow, Session, SessionParticipant
from sessions_app.services.collaboration import create_session, invite
from tests.sessions_app.data_migrations.collaboration import (
    NAME,
    A,
    B,
    carry,
    document,
    edited_checks,
    failed_checks,
    nothing_to_do,
    outcomes,
    people,
    person,
    stage,
    take_back,
)
from tests.sessions_app.factories import ParticipantFactory, SessionFactory
from tests.sessions_app.services.collaboration.acting import (
    act,
    at,
    at_stage,
    both,
    by,
    email,
    user,
)

HISTORY = SessionParticipant.history.model
BOTH = [Stage.DUAL_WRITE, Stage.LIVE]

#: Every table that a dual write writes.
WRITTEN = [
    LegacyCollaborationRow._meta.db_table,
    Session._meta.db_table,
    SessionParticipant._meta.db_table,
    Session.history.model._meta.db_table,
    HISTORY._meta.db_table,
    DualWritten._meta.db_table,
]


def everything() -> list[Any]:
    """All that a write could have left."""
    models = [LegacyCollaborationRow, Session, SessionParticipant, Session.history.model, HISTORY,
              DualWritten]  # fmt: skip
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def failing(table: str) -> None:
    """From now on nothing can be written to the table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION no_more() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no more of %', TG_TABLE_NAME; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER no_more BEFORE INSERT OR UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION no_more()"
        )


@pytest.mark.django_db
@pytest.mark.parametrize("table", WRITTEN)
@pytest.mark.parametrize("stage_", BOTH)
def test_a_failure_at_any_write_leaves_nothing_on_either_side(stage_: str, table: str):
    at_stage(stage_)
    act(0, "ann", "create", "Compilers")
    act(1, "ann", "invite", "bob", "viewer")
    act(2, "bob", "accept")
    before = everything()
    failing(table)
    steps: list[tuple[str, ...]] = [
        ("create", "Databases"),
        ("invite", "cid", "editor"),
        ("transfer", "bob"),
    ]
    if "participant" not in table:
        steps.append(("archive",))  # writes no participant
    for action, *arguments in steps:
        with pytest.raises(DatabaseError, match="no more of"):
            act(9, "ann", action, *arguments, sid="s-2" if action == "create" else "s-1")
        assert everything() == before, action


@pytest.mark.django_db
def test_who_did_it_why_and_that_both_sides_have_it():
    at_stage(Stage.DUAL_WRITE)
    create_session(title="Compilers", session_id="s-1", now=at(0), reason="autumn", **by("ann"))
    at_stage(Stage.COMPLETE)
    invite("s-1", email=email("bob"), role="viewer", now=at(1), **by("ann"))
    told = HISTORY._default_manager.order_by("history_id")
    assert [(row.email, row.history_user, row.history_change_reason) for row in told] == [
        (email("ann"), user("ann"), "dual write: create (api): autumn"),
        (email("bob"), user("ann"), "invite (api)"),
    ]
    assert person(email("ann")).user == user("ann")
    assert person(email("bob")).user is None


@pytest.mark.django_db
def test_refused_attempts_are_on_record():
    at_stage(Stage.SHADOW)
    act(0, "ann", "create", "Compilers")
    assert act(1, "eve", "archive") == "permission_denied"
    (refused,) = Transition.objects.filter(action="refused")
    assert (refused.actor, refused.surface, refused.details) == (
        user("eve"),
        "api",
        {"deed": "archive (api)", "session": "s-1"},
    )


@pytest.mark.django_db(transaction=True)
def test_what_is_not_carried_over_yet_is_written_to_the_old_rows_and_carried_over_later():
    stage(document(n="N", e=A, t=1), document(n="N", e=A, i=B, a="view", t=2))
    at_stage(Stage.DUAL_WRITE)
    user("bob")
    assert not isinstance(act(0, "bob", "accept"), str)
    assert not Session.objects.exists()
    assert not DualWritten.objects.exists()
    assert outcomes(carry()) == {"applied": 1}
    assert people() == {A: ("owner", "active"), B: ("viewer", "active")}
    old, new = both()
    assert old == new
    assert failed_checks() == {}
    assert nothing_to_do()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_keeps_what_was_written_since_and_the_next_run_brings_the_rest_back():
    for sid in ("s-1", "s-2"):
        stage(document(n="N", e=A, s=sid, t=1), document(n="N", e=A, i=B, s=sid, a="view", t=2))
    run = carry()["run"]
    at_stage(Stage.DUAL_WRITE)
    act(0, B, "accept", sid="s-1")
    assert outcomes(take_back(run)) == {"conflict": 1, "restored": 1}
    assert both("s-1")[0] == both("s-1")[1]
    assert both("s-2")[1] is None
    act(1, B, "accept", sid="s-2")  # the old rows alone have it now
    assert waiting_keys(get_definition(NAME)) == 1
    assert outcomes(carry())["applied"] == 1
    assert both("s-2")[0] == both("s-2")[1]
    assert failed_checks() == {}


@pytest.mark.django_db(transaction=True)
def test_an_older_export_that_is_imported_again_undoes_nothing():
    export = [
        document(n="N", e=A, t=1),
        document(n="N", e=A, i=B, a="view", t=2),
    ]
    stage(*export)
    carry()
    at_stage(Stage.DUAL_WRITE)
    act(0, A, "role", B, "editor")
    act(1, B, "accept")
    act(2, A, "transfer", B)
    act(3, B, "role", A, "viewer")
    stage(*export)
    old, new = both()
    assert old == new
    carry()
    assert both() == (old, new)
    assert failed_checks() == {}


@pytest.mark.django_db(transaction=True)
def test_later_rows_of_a_dual_written_session_are_carried_over_and_edits_here_stay():
    at_stage(Stage.DUAL_WRITE)
    act(0, "ann", "create", "Compilers")
    act(1, "ann", "invite", "bob", "viewer")
    assert outcomes(carry()) == {"unchanged": 1}
    assert failed_checks() == {}
    assert edited_checks() == {}
    edited = person(email("bob"))
    edited.role = "admin"
    edited.save()  # here alone
    stage(document(n="Compilers", e=email("ann"), i="dan@example.com", a="edit"))
    assert outcomes(carry()) == {"applied": 1}
    assert people() == {
        email("ann"): ("owner", "active"),
        email("bob"): ("admin", "invited"),
        "dan@example.com": ("editor", "invited"),
    }
    assert failed_checks() == {}
    assert edited_checks() == {"role_differs": 1}


@pytest.mark.django_db(transaction=True)
def test_a_deleted_session_stays_deleted_and_a_wrong_status_is_found():
    at_stage(Stage.OFF)
    act(0, "ann", "create", "Compilers")
    act(1, "ann", "delete")
    assert outcomes(carry()) == {"applied": 1}
    assert Session.objects.get().status == "deleted"
    assert failed_checks() == {}
    Session.objects.update(status="active")  # past the application: no history row
    assert failed_checks()["session_status_differs"] == ["s-1"]


@pytest.mark.django_db
@pytest.mark.parametrize("stage_", BOTH)
def test_another_session_of_the_same_id_is_left_alone(stage_: str):
    at_stage(Stage.OFF)
    act(0, "ann", "create", "Compilers")
    native = ParticipantFactory.create(
        session=SessionFactory.create(session_id="s-1", title="Native"),
        email=email("ann"),
        role="owner",
    )
    at_stage(stage_)
    act(1, "ann", "invite", "bob", "viewer")
    old, new = both()
    assert old is not None
    assert new is not None
    led = old if stage_ == Stage.DUAL_WRITE else new
    follows = new if led is old else old
    assert email("bob") in led.members
    assert email("bob") not in follows.members
    native.refresh_from_db()
    assert native.role == "owner"


@pytest.mark.django_db
@pytest.mark.parametrize("stage_", Stage.values)
def test_an_id_that_another_kind_of_session_has_is_taken(stage_: str):
    SessionFactory.create(session_id="s-1", kind="agent")
    at_stage(stage_)
    with pytest.raises(SessionExists):
        create_session(title="Compilers", session_id="s-1", **by("ann"))
    assert not LegacyCollaborationRow.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stage_", [Stage.OFF, Stage.DUAL_WRITE, Stage.LIVE])
def test_old_rows_that_nobody_owns_do_not_become_part_of_a_new_session(stage_: str):
    stage(document(n="N", e="nobody", i=B, a="edit"))
    at_stage(stage_)
    assert act(0, "ann", "create", "Mine") == "session_exists"
    assert not Session.objects.exists()
    assert LegacyCollaborationRow.objects.count() == 1


@pytest.mark.django_db
def test_a_change_takes_as_many_statements_however_large_the_session():
    at_stage(Stage.DUAL_WRITE)
    act(0, "ann", "create", "Compilers")
    for name in ("bob", "cid"):
        act(1, "ann", "invite", name, "viewer")

    def statements(minute: int, whom: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert not isinstance(act(minute, "ann", "invite", whom, "viewer"), str)
        return len(captured)

    few = statements(2, "dan")
    for number in range(20):
        act(3, "ann", "invite", f"person{number}", "viewer")
    assert statements(4, "eve") == few
