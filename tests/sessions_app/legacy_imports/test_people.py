"""Files of people become accounts that nobody can use yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_tools.imports import kinds
from migrations_tools.imports.kinds import ImportKind
from sessions_app.legacy_imports.people import PeopleTable
from sessions_app.models import LegacyIdentity, Profile
from tests.migrations_tools.imports.importing import counts, import_file, lines

pytestmark = pytest.mark.django_db

KIND = "practice_people"


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    table = PeopleTable("people", kind=KIND, profiles=True)
    kind = ImportKind(name=KIND, title="People", tables=[table])
    monkeypatch.setitem(kinds._kinds, KIND, kind)


def load(path: Path, *rows: Any) -> tuple[int, int, int, int]:
    return counts(import_file(KIND, lines(path / "people.jsonl", *rows)))


def account_of(legacy_id: str) -> User:
    return LegacyIdentity.objects.get(kind=KIND, legacy_id=legacy_id).user


SAM = {
    "_id": {"$oid": "65f0a1b2c3d4e5f6a7b8c9d0"},
    "name": "Sam  van Dam",
    "email": "sam@example.com",
    "role": "Instructor",
    "is_active": True,
    "is_superuser": True,
    "password": "secret",
    "specialization": "Chess",
    "credit_balance": "12",
}
SAMS_ID = "65f0a1b2c3d4e5f6a7b8c9d0"


def test_a_person_becomes_an_account_without_any_rights(tmp_path):
    assert load(tmp_path, SAM) == (1, 0, 0, 0)
    account = account_of(SAMS_ID)
    assert (account.username, account.email) == ("sam", "sam@example.com")
    assert (account.first_name, account.last_name) == ("Sam", "van Dam")
    assert (account.is_active, account.is_staff, account.is_superuser) == (False, False, False)
    assert not account.has_usable_password()
    profile = account.profile
    assert (profile.role, profile.specialization, profile.credit_balance) == (
        "instructor",
        "Chess",
        12,
    )
    assert profile.history.get().history_change_reason.startswith("import ")


def test_an_identity_keeps_what_the_person_was_called_there(tmp_path):
    User.objects.create_user("sam")
    load(tmp_path, {"id": 1, "username": "sam", "is_active": "false"}, {"id": 2, "name": "Zoe"})
    named = LegacyIdentity.objects.order_by("legacy_id").values_list("username", "was_active")
    assert list(named) == [("sam", False), ("Zoe", None)]
    assert load(tmp_path, {"id": 1, "username": "sammy", "is_active": True}) == (0, 1, 0, 0)
    identity = LegacyIdentity.objects.get(legacy_id="1")
    assert (identity.username, identity.was_active) == ("sammy", True)
    assert identity.user.username == "sam-2"


def test_the_same_file_again_changes_nothing(tmp_path):
    load(tmp_path, SAM, {"id": 7, "username": "ali"})
    before = list(User.objects.order_by("pk").values())
    assert load(tmp_path, SAM, {"id": 7, "username": "ali"}, SAM) == (0, 0, 3, 0)
    assert list(User.objects.order_by("pk").values()) == before
    assert Profile.history.count() == 2


def test_nobody_takes_over_an_account_by_name_or_address(tmp_path):
    User.objects.create_user("sam", "sam@example.com", "pw", is_staff=True)
    User.objects.create_user("sam-3", "other@example.com", "pw")
    before = list(User.objects.order_by("pk").values())
    load(tmp_path, SAM, {"id": "2", "username": "sam"}, {"id": "3", "username": "sam"})
    still = User.objects.filter(pk__in=[row["id"] for row in before]).order_by("pk")
    assert list(still.values()) == before
    load(tmp_path, {"id": "4", "username": "sam-6"}, {"id": "5", "username": "sam"})
    names = [account_of(legacy_id).username for legacy_id in (SAMS_ID, "2", "3", "4", "5")]
    assert names == ["sam-2", "sam-4", "sam-5", "sam-6", "sam-7"]


def test_an_identity_made_by_hand_names_an_account_that_stays_as_it_is(tmp_path):
    live = User.objects.create_user("samantha", "s@example.com", "pw")
    LegacyIdentity.objects.create(kind=KIND, legacy_id=SAMS_ID, user=live)
    assert load(tmp_path, SAM) == (0, 1, 0, 0)  # a profile was missing
    live.refresh_from_db()
    assert (live.username, live.email, live.is_active) == ("samantha", "s@example.com", True)
    assert load(tmp_path, SAM | {"credit_balance": 99}) == (0, 0, 1, 0)
    assert live.profile.credit_balance == 12


def test_a_newer_file_brings_unused_accounts_up_to_date(tmp_path):
    load(tmp_path, SAM)
    assert load(tmp_path, SAM | {"email": "new@example.com", "credit_balance": 3}) == (0, 1, 0, 0)
    account = account_of(SAMS_ID)
    assert (account.email, account.username, account.profile.credit_balance) == (
        "new@example.com",
        "sam",
        3,
    )
    assert account.profile.history.count() == 2


def test_what_somebody_changed_here_stays(tmp_path):
    load(tmp_path, SAM)
    profile = account_of(SAMS_ID).profile
    profile.credit_balance = 5
    profile.save()
    assert load(tmp_path, SAM | {"credit_balance": 99}) == (0, 0, 1, 0)
    assert account_of(SAMS_ID).profile.credit_balance == 5


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"name": "No Id"}, "id_missing"),
        ({"id": "  ", "name": "Blank"}, "id_missing"),
        ({"id": "x" * 256}, "invalid_id"),
        ({"id": {"a": 1}}, "invalid_id"),
        (SAM | {"name": "Another Sam"}, "duplicate_key"),
    ],
)
def test_a_row_that_names_nobody_is_rejected_alone(tmp_path, row, code):
    path = lines(tmp_path / "people.jsonl", SAM, row, {"id": "9", "username": "zoe"})
    legacy_import = import_file(KIND, path)
    assert counts(legacy_import) == (2, 0, 0, 1)
    assert legacy_import.rejected_lines.get().code == code


@pytest.mark.parametrize(
    ("values", "username"),
    [
        ({"username": "Mo Ali / admin"}, "Mo-Ali-admin"),
        ({"email": "x y"}, f"{KIND}-1"),
        ({"name": "سارة علي"}, "سارة-علي"),
        ({"username": "n" * 300}, "n" * 140),
        ({"username": ["list"]}, f"{KIND}-1"),
        ({"username": "a\u0000b"}, "a-b"),
    ],
)
def test_user_names_are_made_of_what_there_is(tmp_path, values, username):
    load(tmp_path, {"id": 1, **values})
    account = account_of("1")
    assert account.username == username
    account.full_clean()


@pytest.mark.parametrize("credit", [-1, "many", 2**40, 1.5, True, None])
def test_a_profile_leaves_out_what_it_cannot_hold(tmp_path, credit):
    load(tmp_path, {"id": 1, "role": "king", "credit_balance": credit})
    profile = account_of("1").profile
    assert (profile.role, profile.credit_balance) == ("student", 0)


def test_queries_do_not_grow_with_the_file(tmp_path, django_assert_max_num_queries):
    rows = [{"id": number, "username": "twin", "role": "student"} for number in range(900)]
    with django_assert_max_num_queries(60):
        assert load(tmp_path, *rows) == (900, 0, 0, 0)
    assert account_of("899").username == "twin-900"
