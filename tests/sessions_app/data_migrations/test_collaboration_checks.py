"""The verification reads the old rows by itself, and finds every kind of damage."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from django.db import connection

from migrations_tools.definitions import SQLCheck
from sessions_app.data_migrations.collaboration_checks import CHECKS
from sessions_app.models import LegacyCollaborationRow
from tests.sessions_app.data_migrations.collaboration import (
    A,
    B,
    C,
    carry,
    document,
    edited_checks,
    failed_checks,
    outcomes,
    person,
    session,
    stage,
    take_back,
    verify,
)
from tests.sessions_app.factories import ParticipantFactory, SessionFactory

pytestmark = pytest.mark.django_db(transaction=True)


def sql(*statements: str) -> None:
    """Damage behind the application's back, where foreign keys do not look."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")


def own_failures() -> dict[str, list[str]]:
    """Those of the migration's checks; the engine's own find most damages too."""
    codes = {
        code
        for check in CHECKS
        for code in ([check.code] if isinstance(check, SQLCheck) else check.titles)
    }
    return {code: keys for code, keys in failed_checks().items() if code in codes}


@pytest.fixture
def carried() -> str:
    stage(
        document(_id="a", n="N", e=A, t=1),
        document(_id="b", n="N", e=A, i=B, a="edit", t=2),
        document(_id="c", e=B, f="x.zip", t=3),
        document(_id="d", n="N", e=A, s="s-2", t=1),
    )
    return str(carry()["run"])


def test_what_a_run_left_is_right_and_all_of_it_was_looked_at(carried: str) -> None:
    checks = {check["code"]: check for check in verify()["checks"]}
    assert own_failures() == {}
    assert checks["role_differs"]["examined"] == 4
    assert checks["orphan_participant"]["examined"] == 3


def test_a_session_that_nobody_made_is_extra(carried: str) -> None:
    sql(
        "INSERT INTO sessions_app_session (session_id, kind, title, description, status, "
        "created_at, updated_at, metadata) "
        "VALUES ('ghost', 'collaboration', '', '', 'active', now(), now(), '{}')"
    )
    assert own_failures() == {"session_extra": ["ghost"]}


def test_a_session_whose_rows_went_elsewhere_is_extra(carried: str) -> None:
    stage(document(_id="d", n="N", e=A, s="s-3", t=1))
    carry()
    assert own_failures() == {"session_extra": ["s-2"]}


def test_sessions_of_other_kinds_and_those_made_here_are_no_matter(carried: str) -> None:
    SessionFactory.create(kind="agent")
    ParticipantFactory.create(role="viewer")  # in a session of its own, without an owner
    assert own_failures() == {}
    assert edited_checks() == {}


def test_participants_of_no_session_are_named(carried: str) -> None:
    pk = session("s-2").pk
    orphan = person(A, "s-2").pk
    sql(f"DELETE FROM sessions_app_session WHERE id = {pk}")
    failed = own_failures()
    assert failed == {"session_missing": ["s-2"], "orphan_participant": [str(orphan)]}


def test_a_stranger_and_a_missing_owner_are_named(carried: str) -> None:
    sql(f"UPDATE sessions_app_sessionparticipant SET email = '{C}' WHERE id = {person(A).pk}")
    assert own_failures() == {"participant_missing": ["s-1"], "participant_extra": ["s-1"]}
    sql(f"DELETE FROM sessions_app_sessionparticipant WHERE id = {person(C).pk}")
    assert own_failures() == {"participant_missing": ["s-1"], "owner_count": ["s-1"]}


def test_a_change_past_the_history_is_found_after_an_explained_one(carried: str) -> None:
    bob = person(B)
    bob.role = "admin"
    bob.save()
    assert own_failures() == {}
    sql(f"UPDATE sessions_app_sessionparticipant SET role = 'viewer' WHERE id = {bob.pk}")
    assert own_failures() == {"role_differs": ["s-1"]}


def test_a_second_owner_is_found_though_somebody_edited_the_first(carried: str) -> None:
    owner = person(A)
    owner.display_name = "Alice"
    owner.save()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX participant_one_owner")
    try:
        sql(f"UPDATE sessions_app_sessionparticipant SET role = 'owner' WHERE id = {person(B).pk}")
        failed = own_failures()
    finally:
        sql(f"DELETE FROM sessions_app_sessionparticipant WHERE id = {person(B).pk}")
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE UNIQUE INDEX participant_one_owner "
                "ON sessions_app_sessionparticipant (session_id) WHERE role = 'owner'"
            )
    assert failed == {"role_differs": ["s-1"], "owner_count": ["s-1"]}


def test_a_status_and_files_are_compared(carried: str) -> None:
    sql(
        f"UPDATE sessions_app_sessionparticipant SET status = 'left' WHERE id = {person(B).pk}",
        "UPDATE sessions_app_sessionfile SET name = 'other.zip'",
    )
    assert own_failures() == {
        "status_differs": ["s-1"],
        "file_missing": ["s-1"],
        "file_extra": ["s-1"],
    }


def test_a_row_filed_under_another_session_is_named(carried: str) -> None:
    LegacyCollaborationRow.objects.filter(key="c").update(session_key="s-2")
    assert own_failures() == {"session_key_differs": ["c"]}


def test_rows_that_no_run_has_decided_on_are_named_once_a_whole_run_was_there() -> None:
    stage(document(_id="a", n="N", e=A, t=1))
    assert own_failures() == {"session_missing": ["s-1"], "accounting": ["a"]}
    carry()
    stage(document(_id="b", n="N", e=A, s="undefined"))
    assert own_failures() == {"accounting": ["b"]}
    assert outcomes(carry()) == {"quarantined": 1}
    assert own_failures() == {}


def test_what_was_taken_back_waits_for_the_next_run(carried: str) -> None:
    take_back(carried)
    assert own_failures() == {}


STRANGE: dict[str, list[Any]] = {
    "session_id": [
        "s-1", "s-2", "S-1", " s-3\t", 4, 4.0, "4", 1.5, True, None, "", "NaN", "a b", [], {},
        "77D3B396-4BB1-4ADA-8BF8-CAD181406705", " 77d3b396-4bb1-4ada-8bf8-cad181406705",
        "77d3b3964bb14ada8bf8cad181406705", "x" * 100, "x" * 101, "جلسة", "ſ", "12345678901234567",
    ],
    "email": [
        A, B, C, A.upper(), f"\u00a0{B} ", "x@y", "a..b@example.com", "o'neil@example.com",
        "a@exa_mple.com", "\u212aim@example.com", "سارة@example.com", None, "", 5, [A],
        "a" * 309 + "@example.com", "a" * 308 + "@example.com", "a@b-.com", "a@b.c", "a@1.22",
    ],
    "invited_email": [A, B, C, C.title(), None, "", " ", "bob", 7, {}],
    "name": ["N", "M", " ", "\u200f\u00a0", "", None, 5, ["N"], "سارة"],
    "access": ["edit", "view", "EDITOR ", "Read", "admin", "ADMİN", "boss", "", None, 0, []],
    "file_name": ["x.zip", " x.zip", "y.zip", "", " ", None, 3],
    "file_path": ["/srv/x.zip", "mongodb://s-1", "", None],
    "uploaded_at": [
        "2025-05-01", "2025-05-01T00:00:00Z", "2025-05-01T03:00:00+03:00", "2025-05-01 00:00:00.5",
        "2025-05-01T00:00:00,25-0130", "2025-02-29", "2024-02-29", "2025-05-01T24:00:00",
        "2025-05-01T10:61", "2025-05-01t10:20z", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00+01",
        "0000-01-01", "2025-5-1", "garbage", "", " ", None, 12, True, "2025-05-01T00:00:00+25:00",
        {"$date": "2025-04-30T23:59:59.999Z"}, {"$date": {"$numberLong": "-62135596800001"}},
    ],
}  # fmt: skip
IDS: list[Any] = ["r{}", "{:06x}", "6812f880{:016x}", "F812F880{:016X}", "0000000{:017x}"]


@pytest.mark.parametrize("seed", range(3))
def test_both_readings_of_strange_documents_agree(seed: int) -> None:
    rng = Random(seed)
    documents = []
    for number in range(2500):
        found = {"_id": rng.choice(IDS).format(number)}
        for field, values in STRANGE.items():
            if rng.random() < 0.8:
                found[field] = rng.choice(values)
        if rng.random() < 0.9:  # few rows to a session: each of them decides more
            found["session_id"] = f"t-{rng.randrange(900)}"
        documents.append(found)
    stage(*documents)
    summary = carry(error_budget=1)
    assert summary["outcomes"]["applied"] > 350
    assert own_failures() == {}
