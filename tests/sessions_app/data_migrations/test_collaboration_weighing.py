"""What the rows of a session say together (collaboration.md R2–R10); no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_tools.definitions import Reject
from sessions_app.data_migrations.collaboration_documents import RowKind, read_row
from sessions_app.data_migrations.collaboration_weighing import Weighed, weigh
from tests.sessions_app.data_migrations.collaboration import A, B, C, D, document, may

STAGED = datetime(2026, 1, 1, tzinfo=UTC)
MADE = datetime(2025, 5, 1, 4, 28, 48, tzinfo=UTC)


class Row(NamedTuple):
    key: str
    document: dict[str, Any]
    staged_at: datetime = STAGED


def rows_of(*documents: dict[str, Any]) -> list[Row]:
    """As the import stages them: dates are ISO texts."""
    rows = []
    for found in documents:
        at = found.get("uploaded_at")
        plain = {**found, "uploaded_at": at["$date"]} if isinstance(at, dict) else found
        rows.append(Row(str(found["_id"]), plain))
    return rows


def weighed(*documents: dict[str, Any]) -> Weighed:
    warnings: list[Any] = []
    return weigh("s-1", [read_row(row, warnings) for row in rows_of(*documents)], warnings)


def codes(found: Weighed) -> list[str]:
    return sorted({warning.code for warning in found.warnings})


def roles(found: Weighed) -> dict[str, tuple[str, str]]:
    return {email: (str(p.role), str(p.status)) for email, p in found.people.items()}


def kind_of(**values: Any) -> RowKind:
    return read_row(rows_of(document(**values))[0], []).kind


# ---------------------------------------------------------------------------------------- R2, R3


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"e": A, "i": B}, RowKind.INVITATION),
        ({"e": "garbage", "i": B}, RowKind.INVITATION),
        ({"e": A, "i": B, "f": "x.zip"}, RowKind.INVITATION),
        ({"e": A, "i": " ALICE@example.com"}, RowKind.SELF_INVITATION),
        ({"e": A, "n": "N"}, RowKind.CREATION),
        ({"e": A, "n": "N", "f": "x.zip"}, RowKind.CREATION),
        ({"e": A, "n": "N", "i": None}, RowKind.CREATION),
        ({"e": A, "n": "N", "i": " "}, RowKind.CREATION),
        ({"e": A}, RowKind.CREATION),
        ({"e": A, "f": "", "file_path": None}, RowKind.CREATION),
        ({"e": A, "n": " ", "f": "x.zip"}, RowKind.UPLOAD),
        ({"e": A, "n": 7, "file_path": "/x"}, RowKind.UPLOAD),
        ({"e": A, "f": 7}, RowKind.UPLOAD),
        ({"e": A, "n": "N", "i": "bob"}, RowKind.ORPHAN),
        ({"e": A, "n": "N", "i": [B]}, RowKind.ORPHAN),
    ],
)
def test_kinds_of_rows(values: dict[str, Any], kind: RowKind) -> None:
    assert kind_of(**values) is kind


def test_an_orphan_row_is_reported_and_names_nobody() -> None:
    found = weighed(document(_id="a", n="N", e=A, t=1), document(_id="b", n="N", e=D, i="bob"))
    assert roles(found) == {A: ("owner", "active")}
    assert codes(found) == ["invalid_email", "orphan_row"]
    (orphan,) = (warning for warning in found.warnings if warning.code == "orphan_row")
    assert orphan.detail == "Row b invites “bob”, which is no address."


def test_an_invalid_address_is_dropped_and_named_and_the_session_stays() -> None:
    found = weighed(document(n="N", e=A, t=1), document(_id="b", e="nobody", i=B, a="edit"))
    assert roles(found) == {A: ("owner", "active"), B: ("editor", "invited")}
    assert found.people[B].invited_by == ""
    (warning,) = found.warnings
    assert warning == ("invalid_email", "Row b: email says “nobody”, no address.")


# -------------------------------------------------------------------------------------------- R4


def test_the_owner_is_the_earliest_creator_by_time_then_object_id_then_id() -> None:
    early, late = "0" * 24, "f" * 24
    assert weighed(document(n="N", e=A, t=2), document(n="N", e=B, t=1)).owner == B
    assert weighed(document(_id=late, n="N", e=A), document(_id=early, n="N", e=B)).owner == B
    assert weighed(document(_id=late, n="N", e=A, t=1), document(_id=early, n="N", e=B)).owner == B
    assert weighed(document(n="N", e=A), document(n="N", e=B, t=9)).owner == B
    assert weighed(document(_id="b", n="N", e=A), document(_id="a", n="N", e=B)).owner == B


def test_a_creation_row_without_a_valid_address_owns_nothing() -> None:
    found = weighed(document(n="N", e="garbage", t=1), document(n="N", e=B, t=2))
    assert found.owner == B
    assert found.created_at == may(1)


def test_without_creators_the_busiest_inviter_owns_and_of_equals_the_earlier() -> None:
    found = weighed(
        document(n="N", e=A, i=C, a="edit", t=1),
        document(n="N", e=B, i=C, a="edit", t=2),
        document(n="N", e=B, i=D, a="edit", t=3),
    )
    assert (found.owner, "owner_inferred" in codes(found)) == (B, True)
    equals = weighed(
        document(n="N", e=B, i=C, a="edit", t=2), document(n="N", e=A, i=C, a="edit", t=1)
    )
    assert equals.owner == A


def test_an_uploader_owns_only_where_nobody_created_or_invited() -> None:
    found = weighed(document(e=B, f="x", t=2), document(e=C, f="y", t=1))
    assert (found.owner, codes(found)) == (
        C,
        ["owner_inferred_from_upload", "upload_only_participant"],
    )
    invited = weighed(document(e=B, f="x", t=1), document(e=A, i=C, a="edit", t=2))
    assert (invited.owner, codes(invited)) == (A, ["owner_inferred", "upload_only_participant"])


@pytest.mark.parametrize(
    "rows",
    [
        [{"e": "garbage", "n": "N"}],
        [{"e": A, "i": A, "n": "N"}],
        [{"e": A, "i": "garbage"}],
        [{"e": None, "i": B}],
    ],
)
def test_a_session_that_nobody_can_own_is_rejected(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(Reject) as rejected:
        weighed(*[document(**values) for values in rows])
    assert rejected.value.code == "no_owner"


# ---------------------------------------------------------------------------------------- R5, R6


def test_the_earliest_invitation_gives_the_role_and_contradictions_name_the_rows() -> None:
    found = weighed(
        document(n="N", e=A, t=1),
        document(_id="late", e=A, i=B, a="edit", t=5),
        document(_id="early", e=A, i=B, a="view", t=3),
    )
    assert roles(found)[B] == ("viewer", "invited")
    assert found.people[B].invited_at == may(3)
    (conflict,) = found.warnings
    assert conflict.code == "access_conflict"
    assert "early (viewer), late (editor)" in conflict.detail


def test_words_that_mean_the_same_do_not_contradict() -> None:
    found = weighed(
        document(n="N", e=A), document(e=A, i=B, a="edit", t=1), document(e=A, i=B, a="Write", t=2)
    )
    assert codes(found) == []


def test_an_access_word_never_applies_to_the_inviter() -> None:
    found = weighed(
        document(n="N", e=A, t=1),
        document(e=A, i=B, a="edit", t=2),
        document(e=B, i=C, a="view", t=3),
    )
    assert roles(found) == {
        A: ("owner", "active"),
        B: ("editor", "active"),
        C: ("viewer", "invited"),
    }
    assert (found.people[B].joined_at, found.people[C].invited_by) == (may(3), B)


def test_an_invitation_of_the_owner_changes_nothing() -> None:
    found = weighed(document(n="N", e=A, t=1), document(e=B, i=A, t=2), document(n="N", e=B, t=3))
    assert roles(found)[A] == ("owner", "active")
    assert (found.people[A].invited_by, found.people[A].invited_at) == ("", None)
    assert codes(found) == ["multiple_creators"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"n": "N", "e": B}, "multiple_creators"),
        ({"e": B, "f": "x"}, "upload_only_participant"),
        ({"e": B, "i": C, "a": "view"}, "inviter_only_participant"),
    ],
)
def test_people_without_an_invitation_are_editors(values: dict[str, Any], code: str) -> None:
    found = weighed(document(n="N", e=A, t=1), document(**values, t=2))
    assert roles(found)[B] == ("editor", "active")
    assert codes(found) == [code]


def test_whoever_invited_only_themselves_has_the_role_that_they_gave() -> None:
    found = weighed(document(n="N", e=A, t=1), document(e=B, i=B, a="view", t=2))
    assert roles(found)[B] == ("viewer", "active")
    assert codes(found) == ["self_invited_participant"]


@pytest.mark.parametrize(
    ("access", "role", "code"),
    [
        ({}, "editor", ["access_missing"]),
        ({"a": None}, "viewer", ["access_unknown"]),
        ({"a": "boss"}, "viewer", ["access_unknown"]),
        ({"a": "Admin "}, "admin", []),
    ],
)
def test_access_words_of_invitations(access: dict[str, Any], role: str, code: list[str]) -> None:
    found = weighed(document(n="N", e=A, t=1), document(e=A, i=B, **access))
    assert (roles(found)[B][0], codes(found)) == (role, code)


# ------------------------------------------------------------------------------------ R7, R8, R10


def test_evidence_of_presence_makes_active_since_the_earliest() -> None:
    found = weighed(
        document(n="N", e=A, t=4),
        document(e=A, f="x", t=2),
        document(e=A, i=B, a="edit", t=3),
        document(e=B, f="y", t=8),
        document(e=B, i=C, a="edit", t=7),
    )
    assert found.people[A].joined_at == may(2)
    assert (str(found.people[B].status), found.people[B].joined_at) == ("active", may(7))


def test_created_is_the_earliest_creation_and_updated_the_latest_row() -> None:
    found = weighed(
        document(e=B, f="x", t=1), document(n="N", e=A, t=3), document(e=A, i=C, a="edit", t=9)
    )
    assert (found.created_at, found.updated_at) == (may(3), may(9))


def test_without_a_time_of_a_creation_row_that_of_any_row_counts() -> None:
    found = weighed(document(n="N", e=A, uploaded_at="soon"), document(e=B, f="x", t=2))
    assert found.created_at == may(2)
    assert codes(found) == ["bad_date", "upload_only_participant"]


def test_without_times_the_object_ids_tell_and_then_the_import() -> None:
    made = document(_id="6812f880" + 16 * "0", n="N", e=A)
    found = weighed(made, document(_id="6812f890" + 16 * "0", e=B, f="x"))
    assert (found.created_at, found.updated_at) == (MADE, MADE + timedelta(seconds=16))
    assert found.people[A].joined_at == MADE
    none = weighed(document(n="N", e=A))
    assert (none.created_at, codes(none)) == (STAGED, ["no_date"])
    assert none.people[A].joined_at is None


def test_display_names_and_files() -> None:
    found = weighed(
        document(n="N", e=A, f="x.zip", file_path="/srv/x.zip", t=1),
        document(e=B, f="x.zip", file_path="/srv/x.zip", t=2),
        document(e=A, i=B, a="edit", f="x.zip", file_path="/srv/x.zip", t=3),
        document(e=B, f="x.zip", file_path="mongodb://s-1", t=4),
        document(e=A, i=C, a="edit", f="copy.zip", t=5),
    )
    assert found.people[A].display_name == "alice"
    files = {tuple(name): (up.uploaded_by, up.uploaded_at) for name, up in found.files.items()}
    assert files == {
        ("x.zip", "/srv/x.zip"): (B, may(2)),  # the upload row tells, not the copies
        ("x.zip", "mongodb://s-1"): (B, may(4)),
        ("copy.zip", ""): ("", may(5)),
    }


# -------------------------------------------------------------------------------------------- R9


def test_text_is_that_of_the_owners_creation_row_and_drift_is_told() -> None:
    found = weighed(
        document(n="Copy", e=A, i=B, a="edit", t=1),
        document(n=" ", description="About", e=A, t=2),
        document(n=" Own ", e=A, t=3),
    )
    assert (found.title, found.description, codes(found)) == ("Own", "About", ["name_conflict"])


def test_text_falls_back_to_any_row_and_then_to_the_id() -> None:
    found = weighed(document(e=A, t=1), document(n="Copy", e=A, i=B, a="edit", t=2))
    assert found.title == "Copy"
    assert weighed(document(e=A)).title == "Session s-1"


def test_what_is_no_text_is_blank_and_too_long_a_name_is_cut() -> None:
    assert codes(weighed(document(n=["N"], e=A, t=1))) == ["bad_text"]
    found = weighed(document(n="ن" * 300, e=A, t=1))
    assert (found.title, codes(found)) == ("ن" * 255, ["name_truncated"])


# ------------------------------------------------------------------------------------- properties

EMAILS = st.sampled_from([A, B, C, D, " BOB@example.com", "garbage", None, 5])
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["N", "Other", "", " ", None, 7]),
        "email": EMAILS,
        "invited_email": EMAILS,
        "access": st.sampled_from(["edit", "view", "admin", "Edit ", "boss", "", None, 1]),
        "file_name": st.sampled_from(["x.zip", "y.zip", "", None, 3]),
        "file_path": st.sampled_from(["/srv/x", "mongodb://s-1", "", None]),
        "uploaded_at": st.sampled_from(["2025-05-01", "2025-05-02T10:00:00Z", "soon", None]),
    },
)
IDS = st.sampled_from(["6812f880" + 16 * "0", "6812f890" + 16 * "a", "r1", "r2", "r3", "r4", "r5"])
SESSIONS = st.dictionaries(IDS, DOCUMENTS, min_size=1, max_size=6)


def outcome(rows: list[Row]) -> Any:
    warnings: list[Any] = []
    try:
        found = weigh("s-1", [read_row(row, warnings) for row in rows], warnings)
    except Reject as rejected:
        return rejected.code
    return (
        found.title, found.description, found.created_at, found.updated_at, found.owner,
        found.people, found.files, sorted(set(found.warnings)),
    )  # fmt: skip


@given(SESSIONS, st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(rows: dict[str, Any], random: Any) -> None:
    ordered = [Row(key, found) for key, found in rows.items()]
    shuffled = list(ordered)
    random.shuffle(shuffled)
    assert outcome(shuffled) == outcome(ordered)


@given(SESSIONS)
def test_there_is_one_owner_who_is_active_and_every_valid_address_is_in_the_session(
    rows: dict[str, Any],
) -> None:
    warnings: list[Any] = []
    facts = [read_row(Row(key, found), warnings) for key, found in rows.items()]
    try:
        found = weigh("s-1", facts, warnings)
    except Reject:
        return
    owners = [email for email, person in found.people.items() if person.role == "owner"]
    assert owners == [found.owner]
    assert found.people[found.owner].status == "active"
    named = [fact for fact in facts if fact.kind is not RowKind.ORPHAN]
    assert set(found.people) == {
        email for fact in named for email in (fact.email, fact.invited) if email
    }
    assert found.created_at <= found.updated_at


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["_id", "name", "description", "email", "invited_email", "session_id", "access", "file_name",
     "file_path", "uploaded_at", "else"]
)  # fmt: skip


@given(st.dictionaries(FIELDS, JSON), st.text())
def test_no_document_is_too_strange_to_be_read(found: dict[str, Any], key: str) -> None:
    assert isinstance(outcome([Row(key, found)]), str | tuple)
