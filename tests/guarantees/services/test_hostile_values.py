"""Values that nobody means: each is refused with a sentence and a code, and nothing is written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from guarantees.entry_errors import DecisionRefused
from guarantees.models import ActionSession, Supplier
from guarantees.services.actions import issue_action, lock_action_session, preview_action
from guarantees.services.correcting import correct_guarantee
from guarantees.services.entries import enter_guarantee, paste_guarantees
from guarantees.services.matching import decide_as_new, decide_supplier
from migrations_tools.exceptions import CarryoverError, PermissionRefused
from migrations_tools.models import Transition
from tests.guarantees.services.acting import asked, clerk, guarantee, issue, written
from tests.guarantees.services.entering import dictionaries, entry, keeper, who

pytestmark = pytest.mark.django_db

NUL, LONE = "a\x00b", "a\ud800b"
HUGE = "1" + "0" * 30

ACTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("extension", {"number": NUL}, "not_found"),
    ("extension", {"number": LONE}, "not_found"),
    ("extension", {"number": "   "}, "not_found"),
    ("extension", {"number": "x" * 1_000_000}, "not_found"),
    ("extension", {"guarantee_id": 2**80}, "not_found"),
    ("extension", {"guarantee_id": -1}, "not_found"),
    ("extension", {"new_expiry": date(2025, 12, 31)}, "not_later"),
    ("extension", {"new_expiry": date.min}, "not_later"),
    ("extension", {"new_amount": Decimal(5)}, "invalid_value"),
    ("extension", {"reason": NUL}, "invalid_value"),
    ("extension", {"notes": LONE}, "invalid_value"),
    ("extension", {"idempotency_key": ""}, "invalid_value"),
    ("extension", {"idempotency_key": NUL}, "invalid_value"),
    ("extension", {"agreed": NUL}, "changed_meanwhile"),
    ("reduction", {"new_amount": Decimal(1000)}, "amount_out_of_range"),
    ("reduction", {"new_amount": Decimal("NaN")}, "amount_out_of_range"),
    ("reduction", {"new_amount": Decimal("sNaN")}, "amount_out_of_range"),
    ("reduction", {"new_amount": Decimal("-Infinity")}, "amount_out_of_range"),
    ("reduction", {"new_amount": Decimal("1E-400")}, "amount_out_of_range"),
    ("reduction", {"new_amount": Decimal("0.001")}, "amount_out_of_range"),
    ("reduction", {"new_amount": Decimal("-0.00")}, "amount_out_of_range"),
    ("reduction", {}, "invalid_value"),
    ("renewal", {"new_amount": Decimal(HUGE)}, "amount_out_of_range"),
    ("renewal", {"new_amount": Decimal("99999999999999.99" + "9" * 40)}, "amount_out_of_range"),
    ("modification", {"changes": {"amount": HUGE}}, "too_large"),
    ("modification", {"changes": {"amount": True}}, "not_a_number"),
    ("modification", {"changes": {"amount": ["5"]}}, "not_a_number"),
    ("modification", {"changes": {"amount": float("nan")}}, "not_a_number"),
    ("modification", {"changes": {"expiry_date": "2025-02-30"}}, "impossible_date"),
    ("modification", {"changes": {"expiry_date": {}}}, "not_a_date"),
    ("modification", {"changes": {"number": NUL}}, "invalid_value"),
    ("modification", {"changes": {"number": None}}, "invalid_value"),
    ("modification", {"changes": {"comment": LONE}}, "invalid_value"),
    ("modification", {"changes": {"supplier": "9" * 5_000}}, "not_found"),
    ("modification", {"changes": {"supplier": "0" * 5_000}}, "not_found"),
    ("modification", {"changes": {"bank": [1]}}, "not_found"),
    ("modification", {"changes": {"bank": LONE}}, "not_found"),
    ("modification", {"changes": {"is_protected": "true"}}, "invalid_value"),
    ("modification", {"changes": {"_state": "x"}}, "invalid_value"),
    ("nonsense", {}, "invalid_value"),
    (NUL, {}, "invalid_value"),
]


@pytest.mark.parametrize(("action_type", "values", "code"), ACTIONS)
def test_actions(action_type, values, code):
    guarantee()
    before = written()
    request = asked(action_type, **{"reason": "r"} | values)
    for deed in (preview_action, issue_action):
        with pytest.raises(CarryoverError) as refused:
            deed(request, acting_user=clerk(), surface="api")
        assert refused.value.code == code
        refused.value.message.encode("utf-8", "surrogatepass")
    assert written() == before


def test_a_refusal_is_kept_whatever_was_asked_for():
    guarantee()
    for word in (NUL, LONE):
        with pytest.raises(PermissionRefused):
            issue_action(asked(word), acting_user=clerk("view_guarantee"), surface="api")
    told = [kept.details["deed"] for kept in Transition.objects.filter(action="refused")]
    assert told == ["issue a a\ufffdb"] * 2


@pytest.mark.parametrize(
    "values",
    [{"number": NUL}, {"amount": HUGE}, {"supplier": "9" * 5_000}, {"nobody": "x"}, {"type": 5}],
)
def test_corrections(values):
    found = guarantee()
    before = written()
    with pytest.raises(CarryoverError):
        correct_guarantee(found.pk, values, acting_user=clerk("change_guarantee"), surface="api")
    assert written() == before


@pytest.mark.parametrize(
    "values",
    [
        {"number": NUL},
        {"number": LONE},
        {"supplier": NUL},
        {"amount": HUGE},
        {"amount": "-٥"},
        {"amount": float("inf")},
        {"amount": 10**40},
        {"expiry_date": "32/13/2030"},
        {"comment": LONE},
        {"number": 5.5, "amount": None},
    ],
)
def test_entries(values):
    dictionaries()
    before = written()
    with pytest.raises(CarryoverError):
        enter_guarantee(entry(**values), **who())
    assert written() == before


@pytest.mark.parametrize("text", ["", NUL, LONE, "Guarantee No: " + NUL, "\t" * 5_000, "=1+1"])
def test_pasted_texts(text):
    with pytest.raises(CarryoverError):
        paste_guarantees(text, **who())


def test_decisions():
    supplier, _ = dictionaries()
    found = enter_guarantee(entry(supplier="Nuur"), **who()).guarantees[0]
    user = clerk("change_guarantee", "add_supplier", name="chief")
    by: dict[str, Any] = {"acting_user": user, "surface": "api"}
    for reason in (NUL, LONE):
        with pytest.raises(DecisionRefused):
            decide_supplier(found.pk, supplier.pk, reason=reason, **by)
        with pytest.raises(DecisionRefused):
            decide_as_new("supplier", found.pk, "Nuur Roads", reason=reason, **by)
    for pk in (-1, 2**80):
        with pytest.raises(DecisionRefused):
            decide_supplier(pk, supplier.pk, **by)
        with pytest.raises(DecisionRefused):
            decide_supplier(found.pk, pk, acting_user=keeper(), surface="api")
    assert Supplier.objects.count() == 1


def test_locks():
    guarantee()
    issue()
    session = ActionSession.objects.get()
    for pk, reason in ((2**80, ""), (-1, ""), (session.pk, NUL), (session.pk, LONE)):
        with pytest.raises(CarryoverError):
            lock_action_session(pk, acting_user=clerk(), surface="api", reason=reason)
    assert not ActionSession.objects.get().is_locked
