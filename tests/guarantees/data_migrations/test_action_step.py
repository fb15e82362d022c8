"""Rows of extensions and releases become issued actions (guarantees.md N2, N3, N10)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guarantees.models import GuaranteeAction
from migrations_tools.definitions import Apply, Conflict, Skip, Unchanged, build
from tests.guarantees.data_migrations.rows import (
    ensured,
    inserted,
    known,
    transform_action,
    updated,
    warnings,
)

COMMON = {
    "guarantee_id": 8,
    "number": "LG-1001",
    "session_id": None,
    "action_date": date(2024, 3, 5),
    "previous_amount": Decimal("445930.44"),
    "new_amount": None,
    "notes": "as agreed",
    "supplier_id": 1,
    "bank_id": 1,
    "supplier_name": "شركة النور للمقاولات",
    "bank_name": "Bank One",
    "supplier_display_name": "النور",
    "bank_display_name": "البنك الأول",
    "status": "issued",
    "is_locked": True,
    "issued_at": datetime(2024, 3, 5, 8, tzinfo=UTC),
    "created_at": datetime(2024, 3, 5, 8, tzinfo=UTC),
    "created_by_id": None,
}


@pytest.mark.parametrize(
    ("action_type", "dates"),
    [
        ("extension", {"previous_expiry": None, "new_expiry": date(2025, 12, 31)}),
        ("release", {"previous_expiry": date(2025, 12, 31), "new_expiry": None}),
    ],
)
def test_a_row_becomes_an_issued_locked_action(action_type, dates):
    outcome = transform_action(action_type, known(guarantees={17: 8}))
    action = inserted(outcome)
    expected = COMMON | dates | {"action_type": action_type}
    assert {name: getattr(action, name) for name in expected} == expected
    assert warnings(outcome) == {}
    assert updated(outcome) == {"migrated_action": action}
    assert ensured(outcome) is None


def test_an_action_whose_number_was_never_imported_belongs_to_no_guarantee():
    outcome = transform_action("release", known())
    assert inserted(outcome).guarantee_id is None
    assert warnings(outcome) == {"no_guarantee": "No guarantee LG-1001 was imported before it."}


@pytest.mark.parametrize("record_type", ["modification", "renewal_request", "reduction", "x"])
def test_other_types_are_skipped_and_named(record_type):
    outcome = transform_action("", known(), record_type=record_type)
    assert outcome == Skip(
        "unsupported_type", f"Rows of type “{record_type}” are not carried over."
    )


def test_what_is_wrong_with_a_row_is_told_as_for_guarantees():
    outcome = transform_action(
        "extension",
        known(),
        id=3,
        guarantee_number="",
        amount="-1",
        expiry_date="now",
        supplier_id=999,
        bank_id=999,
        created_at=None,
    )
    action = inserted(outcome)
    assert (action.number, action.previous_amount, action.new_expiry) == (
        "UNKNOWN-3",
        Decimal("-1.00"),
        None,
    )
    assert (action.supplier_id, action.bank_id) == (None, None)
    assert set(warnings(outcome)) == {
        "missing_number",
        "unusual_amount",
        "bad_date",
        "unknown_supplier",
        "unknown_bank",
        "missing_created_at",
        "no_guarantee",
    }


def test_the_date_of_issue_of_an_action_row_is_of_no_concern():
    assert warnings(transform_action("release", known(guarantees={17: 8}), issue_date="x")) == {}


def test_a_row_linked_by_an_earlier_run_is_never_copied_again():
    action = inserted(transform_action("release", known()))
    values = {name: getattr(action, name) for name in COMMON}
    linked = build(GuaranteeAction, **vars_of(action) | values | {"id": 6})
    context = known(linked={17: linked})
    assert transform_action("release", context, migrated_action_id=6) == Unchanged()
    changed = transform_action("release", context, migrated_action_id=6, comment="other")
    assert isinstance(changed, Conflict)
    assert "notes: “other” in the row, “as agreed” here" in changed.detail
    assert "An issued action stays as it is" in changed.detail


def vars_of(action):
    return {name: value for name, value in vars(action).items() if not name.startswith("_")}


def test_a_migrated_guarantee_whose_row_became_an_unsupported_type_is_a_conflict():
    outcome = transform_action("", known(), migrated_guarantee_id=5, record_type="modification")
    assert isinstance(outcome, Conflict)


_TEXT = st.one_of(
    st.none(),
    st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
)


@given(
    action_type=st.sampled_from(["extension", "release", ""]),
    texts=st.fixed_dictionaries(
        dict.fromkeys(["amount", "guarantee_number", "expiry_date", "created_at", "comment"], _TEXT)
    ),
)
def test_whatever_the_row_says_it_becomes_an_action_or_is_skipped(action_type, texts):
    outcome = transform_action(action_type, known(), **texts)
    assert isinstance(outcome, Apply if action_type else Skip)
