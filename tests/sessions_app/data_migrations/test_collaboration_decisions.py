"""Decisions stand over the old rows; nobody but this application makes any."""

from __future__ import annotations

import pytest

from migrations_tools.imports.values import canonical, content_hash
from sessions_app.data_migrations.collaboration_decisions import (
    NOTHING,
    Decisions,
    as_document,
    decisions_of,
)
from sessions_app.data_migrations.collaboration_documents import Person
from sessions_app.models import (
    LegacyCollaborationRow,
    ParticipantRole,
    ParticipantStatus,
    SessionStatus,
)
from tests.sessions_app.data_migrations.collaboration import (
    A,
    B,
    C,
    carry,
    document,
    edited_checks,
    failed_checks,
    may,
    outcomes,
    people,
    session,
    stage,
)

DECIDED = Decisions(
    people={
        A: Person(ParticipantRole.ADMIN, ParticipantStatus.LEFT, "alice", joined_at=may(1)),
        B: Person(ParticipantRole.OWNER, ParticipantStatus.ACTIVE, "bob", A, may(2), may(3)),
    },
    status=SessionStatus.ARCHIVED,
    title="Decided",
    updated_at=may(9),
)


def decide(decisions: Decisions) -> None:
    written = as_document("s-1", decisions)
    LegacyCollaborationRow.objects.create(
        key=written["_id"],
        session_key="s-1",
        line=canonical(written),
        document=written,
        content_hash=content_hash(canonical(written)),
    )


def test_decisions_are_read_as_they_were_written():
    row = LegacyCollaborationRow(key="decisions:s-1", document=as_document("s-1", DECIDED))
    assert decisions_of([row]) == DECIDED
    row.legacy_import_id = 7
    assert decisions_of([row]) == NOTHING


@pytest.mark.django_db(transaction=True)
def test_decisions_stand_over_the_rows_and_what_they_do_not_say_follows():
    stage(document(n="N", e=A, t=1), document(n="N", e=A, i=B, a="view", t=2))
    carry()
    decide(DECIDED)
    assert outcomes(carry()) == {"applied": 1}
    assert people() == {A: ("admin", "left"), B: ("owner", "active")}
    found = session()
    assert (found.title, found.status, found.last_activity_at) == ("Decided", "archived", may(9))
    assert failed_checks() == {}
    assert not {"role_differs", "status_differs"} & set(edited_checks())
    stage(document(n="N", e=A, i=C, a="edit", t=11), document(n="N", e=C, i=A, a="view", t=12))
    assert outcomes(carry()) == {"applied": 1}
    assert people() == {A: ("admin", "left"), B: ("owner", "active"), C: ("editor", "active")}
    assert session().last_activity_at == may(12)
    assert failed_checks() == {}


@pytest.mark.django_db(transaction=True)
def test_an_imported_row_of_that_name_is_a_document_like_any_other():
    stage(document(n="N", e=A, t=1), {**as_document("s-1", DECIDED), "email": C, "name": "N"})
    assert outcomes(carry()) == {"applied": 1}
    assert people() == {A: ("owner", "active"), C: ("editor", "active")}
    assert session().title == "N"
    assert failed_checks() == {}
