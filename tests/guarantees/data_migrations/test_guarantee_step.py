"""Import rows become guarantees (guarantees.md N5–N9, N13–N17): the pure transform."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guarantees.data_migrations.split_links import COMPARED
from guarantees.models import Guarantee, ImportBatch
from guarantees.models.number import comparable
from migrations_tools.definitions import Apply, Conflict, Unchanged, build
from tests.guarantees.data_migrations.rows import (
    GOOD,
    RIYADH,
    STAGED_AT,
    applied,
    ensured,
    inserted,
    known,
    transform_guarantee,
    updated,
    warnings,
)


def test_a_good_row_becomes_a_guarantee_that_says_the_same():
    outcome = transform_guarantee(known())
    guarantee = inserted(outcome)
    assert {name: getattr(guarantee, name) for name in EXPECTED} == EXPECTED
    assert warnings(outcome) == {}


EXPECTED = {
    "number": "LG-1001",
    "raw_supplier_name": "شركة النور للمقاولات",
    "raw_bank_name": "Bank One",
    "supplier_id": 1,
    "bank_id": 1,
    "contract_number": "C-7",
    "related_to": "contract",
    "amount": Decimal("445930.44"),
    "current_amount": Decimal("445930.44"),
    "currency": "SAR",
    "issue_date": date(2024, 3, 1),
    "expiry_date": date(2025, 12, 31),
    "current_expiry": date(2025, 12, 31),
    "type": "Final",
    "comment": "as agreed",
    "match_status": "ready",
    "status": "active",
    "is_protected": True,
    "import_kind": "excel",
    "import_date": date(2024, 3, 5),
    "created_at": datetime(2024, 3, 5, 8, tzinfo=UTC),
}


def test_the_old_row_gets_both_links_and_nothing_else():
    outcome = transform_guarantee(known())
    assert updated(outcome) == {
        "migrated_guarantee": inserted(outcome),
        "import_batch": ensured(outcome),
    }
    assert inserted(outcome).batch_id is ensured(outcome)


# ------------------------------------------------------------------------ batches


@pytest.mark.parametrize(
    ("session_type", "kind"),
    [
        ("excel", "excel"),
        ("Excel upload", "excel"),
        ("daily_actions", "excel"),
        ("", "excel"),
        (None, "excel"),
        ("manual", "manual"),
        ("MANUAL_entry", "manual"),
        ("manual paste", "manual"),
        ("smart_paste", "paste"),
        ("Text input", "paste"),
    ],
)
def test_the_type_of_the_session_tells_the_kind_of_batch(session_type, kind):
    assert inserted(transform_guarantee(known(), session_type=session_type)).import_kind == kind


def test_an_excel_session_has_a_batch_of_its_own():
    batch = ensured(transform_guarantee(known(), session_id=50))
    assert batch is not None
    assert batch.model is ImportBatch
    assert batch.natural_key == {"legacy_ref": "session:50"}
    assert batch.defaults == {
        "kind": "excel",
        "description": "Legacy session 50 (excel)",
        "file_name": "march.xlsx",
        "day": date(2024, 3, 5),
        "created_at": datetime(2024, 3, 5, 7, 59, tzinfo=UTC),
    }


def test_a_session_that_does_not_exist_has_a_batch_of_its_own():
    gone = {"session_type": None, "session_created_at": None, "session_staged_at": None}
    batch = ensured(transform_guarantee(known(), session_id=77, **gone))
    assert batch is not None
    assert batch.natural_key == {"legacy_ref": "session:77"}
    assert batch.defaults["description"] == "Legacy session 77 (unknown)"
    assert batch.defaults["created_at"] == STAGED_AT


def test_rows_without_session_share_a_batch():
    context = known()
    first = ensured(transform_guarantee(context, id=1, session_id=None, session_type=None))
    second = ensured(transform_guarantee(context, id=2, session_id=None, session_type=None))
    assert first is second
    assert first is not None
    assert first.natural_key == {"legacy_ref": "session:none"}


@pytest.mark.parametrize("session_type", ["manual", "smart_paste"])
def test_the_local_day_of_the_row_tells_a_daily_batch(session_type):
    context = known()
    # 23:59 and 00:01 in Riyadh, three hours before UTC
    late, early = (
        ensured(transform_guarantee(context, session_type=session_type, created_at=instant))
        for instant in ("2024-03-05 20:59:00", "2024-03-05 21:01:00")
    )
    assert late is not None
    assert early is not None
    assert (late.natural_key["day"], early.natural_key["day"]) == (
        date(2024, 3, 5),
        date(2024, 3, 6),
    )
    assert late.defaults["created_at"] == datetime(2024, 3, 5, tzinfo=RIYADH)


# ---------------------------------------------------------------------------- numbers and names


@pytest.mark.parametrize("blank", [None, "", "  ", "\xa0\t"])
def test_a_row_without_number_is_called_unknown(blank):
    outcome = transform_guarantee(known(), id=321, guarantee_number=blank)
    assert inserted(outcome).number == "UNKNOWN-321"
    assert warnings(outcome) == {
        "missing_number": "The row has no number; it is called UNKNOWN-321."
    }


def test_the_number_stays_as_written():
    assert inserted(transform_guarantee(known(), guarantee_number=" lg 5 ")).number == " lg 5 "


def test_missing_texts_are_empty():
    names = ("raw_supplier_name", "raw_bank_name", "contract_number", "related_to", "type")
    guarantee = inserted(transform_guarantee(known(), comment=None, **dict.fromkeys(names)))
    assert [getattr(guarantee, name) for name in (*names, "comment")] == [""] * 6


@pytest.mark.parametrize(
    ("reference", "code"), [("supplier", "unknown_supplier"), ("bank", "unknown_bank")]
)
def test_a_dangling_reference_is_dropped_and_the_match_reviewed(reference, code):
    outcome = transform_guarantee(known(), **{f"{reference}_id": 999})
    guarantee = inserted(outcome)
    assert getattr(guarantee, f"{reference}_id") is None
    assert (guarantee.match_status, guarantee.is_protected) == ("needs_review", False)
    assert warnings(outcome) == {code: f"There is no {reference} 999."}


@pytest.mark.parametrize(
    ("legacy", "status"),
    [
        ("ready", "ready"),
        ("approved", "ready"),
        (" Approved ", "ready"),
        ("needs_review", "needs_review"),
        (None, "needs_review"),
        ("", "needs_review"),
        ("whatever", "needs_review"),
    ],
)
def test_only_ready_and_approved_rows_are_ready_and_protected(legacy, status):
    guarantee = inserted(transform_guarantee(known(), match_status=legacy))
    assert (guarantee.match_status, guarantee.is_protected) == (status, status == "ready")


# ---------------------------------------------------------------------------- amounts and dates


@pytest.mark.parametrize("text", ["about 5", "12-34", "100000000000000.00"])
def test_an_amount_that_is_not_understood_is_null_with_its_text_in_the_warning(text):
    outcome = transform_guarantee(known(), amount=text)
    assert inserted(outcome).amount is None
    assert inserted(outcome).current_amount is None
    assert f"“{text}”" in warnings(outcome)["bad_amount"]


@pytest.mark.parametrize(("text", "amount"), [("0", "0"), ("-500.00", "-500"), ("(5)", "-5")])
def test_unusual_amounts_are_kept_with_a_warning(text, amount):
    outcome = transform_guarantee(known(), amount=text)
    assert inserted(outcome).amount == Decimal(amount)
    assert warnings(outcome) == {"unusual_amount": f"“{text}” is not above zero; it stays."}


@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_blank_amount_and_blank_dates_are_null_without_warning(blank):
    outcome = transform_guarantee(known(), amount=blank, issue_date=blank, expiry_date=blank)
    guarantee = inserted(outcome)
    assert (guarantee.amount, guarantee.issue_date, guarantee.expiry_date) == (None, None, None)
    assert warnings(outcome) == {}


@pytest.mark.parametrize("column", ["issue_date", "expiry_date"])
def test_a_date_that_is_not_understood_is_null_with_a_warning(column):
    outcome = transform_guarantee(known(), **{column: "2025-02-30"})
    assert getattr(inserted(outcome), column) is None
    assert "“2025-02-30” is no day of the calendar." in warnings(outcome)["bad_date"]


def test_the_setting_tells_whether_the_day_comes_first():
    read = [
        inserted(
            transform_guarantee(known(day_first=day_first), issue_date="03/04/2025")
        ).issue_date
        for day_first in (True, False)
    ]
    assert read == [date(2025, 4, 3), date(2025, 3, 4)]


@pytest.mark.parametrize(
    ("own", "session", "expected"),
    [
        (None, "2024-03-05 07:59:00", datetime(2024, 3, 5, 7, 59, tzinfo=UTC)),
        ("", "2024-03-05T10:59:00+03:00", datetime(2024, 3, 5, 7, 59, tzinfo=UTC)),
        (None, None, STAGED_AT),
        (None, "long ago", STAGED_AT),
    ],
)
def test_a_missing_time_is_that_of_the_session_or_the_import(own, session, expected):
    outcome = transform_guarantee(known(), created_at=own, session_created_at=session)
    assert inserted(outcome).created_at == expected
    assert "missing_created_at" in warnings(outcome)


def test_a_time_that_is_not_understood_is_a_bad_date():
    outcome = transform_guarantee(known(), created_at="yesterday")
    assert inserted(outcome).created_at == datetime(2024, 3, 5, 7, 59, tzinfo=UTC)
    assert "“yesterday”" in warnings(outcome)["bad_date"]


# -------------------------------------------------------------------- linked rows


def _migrated(**values):
    """The guarantee that the good row became, changed as given."""
    guarantee = inserted(transform_guarantee(known()))
    batch = build(ImportBatch, kind="excel", legacy_ref="session:50")
    return build(
        Guarantee,
        **{name: getattr(guarantee, name) for name in COMPARED[Guarantee] if name != "batch_id"}
        | {"id": 5, "batch_id": 9}
        | values,
    ), batch


def _again(guarantee, batch, **values):
    guarantee.__dict__["_state"].fields_cache["batch"] = batch
    context = known(linked={17: guarantee})
    return transform_guarantee(context, migrated_guarantee_id=5, **values)


def test_a_row_that_dual_writing_linked_is_right_as_it_stands():
    outcome = transform_guarantee(known(), migrated_guarantee_id=5, content_hash=None)
    assert outcome == Unchanged()


def test_a_row_imported_again_with_nothing_that_matters_changed_is_unchanged():
    assert _again(*_migrated(), match_status="approved") == Unchanged()


def test_a_row_changed_since_it_was_migrated_is_a_conflict_that_names_what_differs():
    outcome = _again(*_migrated(), amount="999", comment="new")
    assert isinstance(outcome, Conflict)
    assert outcome.code == "changed_after_migration"
    assert "amount: “999.00” in the row, “445930.44” here" in outcome.detail
    assert "comment: “new” in the row, “as agreed” here" in outcome.detail
    assert "a protected one by a modification" in outcome.detail


def test_a_match_decided_here_is_no_difference():
    guarantee, batch = _migrated(supplier_id=44, bank_id=55, match_status="ready")
    row = {"supplier_id": None, "bank_id": None, "match_status": "needs_review"}
    assert _again(guarantee, batch, **row) == Unchanged()


def test_a_row_moved_to_another_session_is_a_conflict():
    outcome = _again(*_migrated(), session_id=51)
    assert isinstance(outcome, Conflict)
    assert "batch: session:51 in the row, another one here" in outcome.detail


def test_a_row_that_became_an_action_and_now_is_an_import_is_a_conflict():
    outcome = transform_guarantee(known(), migrated_action_id=5)
    assert isinstance(outcome, Conflict)
    assert outcome.code == "changed_after_migration"


# --------------------------------------------------------------------------------- any text at all

_TEXT_COLUMNS = [name for name, value in GOOD.items() if isinstance(value, str)]
_TEXT = st.one_of(
    st.none(),
    st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    st.sampled_from(["0", "-1", "1e400", "9" * 400, "2025-13-99", "31/02/2025", "now", "٣٫٥"]),
    st.from_regex(r"[0-9٠-٩.,/ :TZ+-]{0,30}", fullmatch=True),
)


@given(
    texts=st.fixed_dictionaries(dict.fromkeys(_TEXT_COLUMNS, _TEXT)),
    session=st.fixed_dictionaries(
        {"session_type": _TEXT, "session_created_at": _TEXT, "session_file_name": _TEXT}
    ),
    references=st.fixed_dictionaries(
        {
            name: st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
            for name in ("session_id", "supplier_id", "bank_id")
        }
    ),
)
def test_whatever_the_row_says_it_becomes_a_guarantee(texts, session, references):
    outcome = transform_guarantee(known(), **texts, **session, **references)
    assert isinstance(outcome, Apply)
    guarantee = inserted(outcome)
    assert comparable(guarantee.number)
    assert guarantee.created_at.tzinfo is not None
    assert guarantee.is_protected == (guarantee.match_status == "ready")
    assert guarantee.amount is None or guarantee.amount.as_tuple().exponent == -2
    assert applied(outcome).changes[0] is guarantee.batch_id
