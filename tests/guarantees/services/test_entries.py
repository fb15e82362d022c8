"""Guarantees typed in and pasted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from guarantees.entry_errors import ValidationRefused
from guarantees.models import Guarantee, ImportBatch
from guarantees.services.entries import MOST_PASTED, enter_guarantee, paste_guarantees
from migrations_tools.exceptions import PermissionRefused
from migrations_tools.models import Transition
from tests.guarantees.services.acting import clerk
from tests.guarantees.services.entering import dictionaries, entry, keeper, totals, who, written

pytestmark = pytest.mark.django_db


def test_an_entry_becomes_a_guarantee_in_the_batch_of_the_local_day():
    supplier, bank = dictionaries()
    entered = enter_guarantee(
        entry(number=" \u200fLG-1\u200e\xa0", type="final", comment="c", issue_date="٠١/٠٢/٢٠٢٥"),
        **who(),
    )
    [found] = entered.guarantees
    found.refresh_from_db()
    assert (found.number, found.amount, found.current_amount) == (
        "LG-1",
        Decimal("1000.50"),
        Decimal("1000.50"),
    )
    assert (found.supplier, found.bank, found.match_status) == (supplier, bank, "ready")
    assert (found.raw_supplier_name, found.raw_bank_name) == ("al noor trading", "RIBL")
    assert (found.issue_date, found.expiry_date) == (date(2025, 2, 1), date(2030, 12, 31))
    assert (found.current_expiry, found.status) == (date(2030, 12, 31), "active")
    assert (found.contract_number, found.related_to) == ("C-7", "contract")
    assert (found.currency, found.type, found.comment) == ("SAR", "final", "c")
    assert (found.import_kind, found.is_protected) == ("manual", False)
    # half past one in Riyadh, the evening before in Greenwich
    assert found.import_date == entered.batch.day == date(2025, 5, 2)
    assert entered.warnings == [[]]
    [version] = Guarantee.history.all()
    assert (version.history_type, version.history_user, version.history_change_reason) == (
        "+",
        keeper(),
        "manual entry (api)",
    )


def test_entries_and_pastes_of_a_day_share_a_batch_each():
    dictionaries()
    for number in ("1", "2"):
        enter_guarantee(entry(number=number), **who())
    paste_guarantees("Guarantee no: 3\nSupplier: S\nBank: B\nAmount: 5\nPO: 9", **who())
    assert totals() == [("manual", 2, 2), ("paste", 1, 0)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"contract": "", "purchase_order": "4500"}, ("4500", "purchase_order", "SAR")),
        ({"contract": None, "contract_or_order": "PO 77"}, ("PO 77", "purchase_order", "SAR")),
        ({"contract_or_order": "77"}, ("C-7", "contract", "SAR")),
        ({"related_to": "purchase_order"}, ("C-7", "purchase_order", "SAR")),
        ({"amount": "USD 5"}, ("C-7", "contract", "USD")),
        ({"amount": "5 ريال سعودي"}, ("C-7", "contract", "SAR")),
        ({"currency": "يورو"}, ("C-7", "contract", "EUR")),
    ],
)
def test_reference_and_currency_are_what_is_written(values, expected):
    [found] = enter_guarantee(entry(**values), **who()).guarantees
    assert (found.contract_number, found.related_to, found.currency) == expected


def test_fields_may_be_called_as_the_guarantee_calls_them():
    values = {
        "guarantee_number": "LG-1",
        "raw_supplier_name": "S",
        "raw_bank_name": "B",
        "amount": 5,
        "contract_number": "C",
    }
    [found] = enter_guarantee(values, **who()).guarantees
    assert (found.number, found.raw_supplier_name, found.match_status) == (
        "LG-1",
        "S",
        "needs_review",
    )


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("number", " ", "missing"),
        ("number", True, "not_text"),
        ("number", "1" * 201, "too_long"),
        ("number", 1e17, "digits_lost"),
        ("supplier", "\0", "bad_characters"),
        ("supplier", "\ud800", "bad_characters"),
        ("bank", None, "missing"),
        ("amount", "1e3", "exponent"),
        ("amount", "12-34", "several_numbers"),
        ("amount", "0", "zero"),
        ("amount", "-5", "negative"),
        ("amount", "ten", "not_a_number"),
        ("amount", "1234.567", "too_many_decimals"),
        ("contract", "", "missing"),
        ("expiry_date", "2025-02-30", "impossible_date"),
        ("expiry_date", "now", "not_a_date"),
        ("expiry_date", "15/06/1447", "hijri_year"),
        ("issue_date", 2025, "implausible_serial"),
        ("issue_date", date(1905, 7, 17), "implausible_year"),
        ("currency", "shells", "unknown_currency"),
        ("colour", "red", "unknown_field"),
        ("related_to", "nothing", "invalid_value"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_field_and_code(field, value, code):
    with pytest.raises(ValidationRefused) as refused:
        enter_guarantee(entry(**{field: value}), **who())
    [detail] = refused.value.fields["details"]
    field = "contract_or_order" if field == "contract" else field
    assert (detail["field"], detail["code"], detail["entry"]) == (field, code, 1)
    assert detail["message"].endswith(".")
    assert refused.value.http_status == 400
    assert set(written().values()) == {0}


def test_a_word_that_several_currencies_have_needs_a_currency_beside_it():
    with pytest.raises(ValidationRefused) as refused:
        enter_guarantee(entry(amount="500 دينار"), **who())
    [detail] = refused.value.fields["details"]
    assert (detail["field"], detail["code"]) == ("amount", "unknown_currency")
    [found] = enter_guarantee(entry(amount="500 دينار", currency="KWD"), **who()).guarantees
    assert (found.amount, found.currency) == (Decimal(500), "KWD")


def test_an_order_beside_a_contract_is_left_out_and_flagged():
    entered = enter_guarantee(entry(purchase_order="4500"), **who())
    assert entered.guarantees[0].contract_number == "C-7"
    assert [flag.code for flag in entered.warnings[0]] == ["order_left_out"]


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ValidationRefused) as refused:
        enter_guarantee({"amount": "x", "expiry_date": "y"}, **who())
    details = refused.value.fields["details"]
    assert {(detail["field"], detail["code"]) for detail in details} == {
        ("number", "missing"),
        ("supplier", "missing"),
        ("bank", "missing"),
        ("amount", "not_a_number"),
        ("contract_or_order", "missing"),
        ("expiry_date", "not_a_date"),
    }


def test_what_is_there_already_is_flagged_and_entered_all_the_same():
    dictionaries()
    first = enter_guarantee(entry(), **who()).guarantees[0]
    # the same bank by another name; then another expiry
    again = enter_guarantee(entry(bank="بنك الرياض", issue_date="1/1/2031"), **who())
    assert [(flag.code, flag.field) for flag in again.warnings[0]] == [
        ("expires_before_issue", "expiry_date"),
        ("duplicate", "number"),
    ]
    assert f"guarantee {first.pk} " in again.warnings[0][1].message
    assert enter_guarantee(entry(expiry_date="1/1/2031"), **who()).warnings == [[]]
    assert totals() == [("manual", 3, 3)]


TABLE = "Guarantee No\tContractor\tBank\tAmount\tPO\tDeposit\nA\tS\tB\t5\t7\t1\n\nB\tS\tB\t6\t8\n"
LABELS = """
Dear all, please find:
- رقم الضمان: A
  Supplier Name = S
البنك: B
Amount (SAR): 5
PO No.: 7
Expiry: 31/12/2030 10:30

Guarantee number: B
المورد: S
Bank\tB
المبلغ: ٦
أمر الشراء: 8
"""


@pytest.mark.parametrize("text", [TABLE, LABELS, LABELS.replace("\n\n", "\n"), "\u200f" + TABLE])
def test_pasted_texts_become_guarantees(text):
    entered = paste_guarantees(text, **who())
    values = ("number", "raw_supplier_name", "raw_bank_name", "amount", "contract_number")
    assert [tuple(getattr(found, name) for name in values) for found in entered.guarantees] == [
        ("A", "S", "B", Decimal(5), "7"),
        ("B", "S", "B", Decimal(6), "8"),
    ]
    assert {found.related_to for found in entered.guarantees} == {"purchase_order"}
    assert totals() == [("paste", 2, 0)]


def test_one_bad_guarantee_of_a_paste_refuses_all_and_every_fault_is_told():
    with pytest.raises(ValidationRefused) as refused:
        paste_guarantees(TABLE.replace("\t6\t", "\tsix\t").replace("\nA\t", "\n\t"), **who())
    details = refused.value.fields["details"]
    assert [(detail["entry"], detail["field"], detail["code"]) for detail in details] == [
        (1, "number", "missing"),
        (2, "amount", "not_a_number"),
    ]
    assert set(written().values()) == {0}


def test_the_sentence_of_a_refusal_stays_short():
    rows = "".join(f"{number}\tS\tB\tx{number}\t7\n" for number in range(30))
    with pytest.raises(ValidationRefused) as refused:
        paste_guarantees("No of guarantee\tSupplier\tBank\tAmount\tPO\n" + rows, **who())
    assert len(refused.value.fields["details"]) == 30
    assert refused.value.message.endswith("Amount: “x9” is not an amount. And 20 more.")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_understood"),
        ("hello\nthere: are no guarantees", "not_understood"),
        ("x" * 200_001, "too_long"),
        ("Guarantee no: 1\n" * (MOST_PASTED + 1), "too_many"),
    ],
)
def test_texts_without_guarantees_are_refused(text, code):
    with pytest.raises(ValidationRefused) as refused:
        paste_guarantees(text, **who())
    assert [detail["code"] for detail in refused.value.fields["details"]] == [code]
    assert ImportBatch.objects.count() == 0


@pytest.mark.parametrize(
    "deed", [lambda by: enter_guarantee(entry(), **by), lambda by: paste_guarantees(TABLE, **by)]
)
def test_without_the_permission_it_is_refused_on_record(deed):
    user = clerk("view_guarantee", name="guest")
    with pytest.raises(PermissionRefused):
        deed(who(user))
    refusal = Transition.objects.get(action="refused")
    assert (refusal.actor, refusal.details["permission"]) == (user, "add_guarantee")
    assert set(written().values()) == {0}
