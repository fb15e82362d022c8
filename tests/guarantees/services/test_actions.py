"""Actions on guarantees (guarantees.md "Running the department", "Actions")."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from guarantees.action_errors import ActionRefused
from guarantees.models import ActionSession, Guarantee, GuaranteeAction
from guarantees.services.actions import (
    discard_draft,
    edit_draft,
    issue_action,
    issue_draft,
    lock_action_session,
    one_year_later,
)
from migrations_tools.exceptions import PermissionRefused
from migrations_tools.models import Transition
from tests.guarantees.factories import BankFactory, SupplierFactory
from tests.guarantees.services.acting import (
    NIGHT,
    asked,
    clerk,
    currently,
    draft,
    guarantee,
    issue,
    who,
    written,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("expiry", "later"),
    [
        (date(2025, 12, 31), date(2026, 12, 31)),
        (date(2024, 2, 29), date(2025, 2, 28)),
        (date(2023, 2, 28), date(2024, 2, 28)),
        (date(2023, 3, 1), date(2024, 3, 1)),
    ],
)
def test_an_extension_is_for_one_calendar_year(expiry, later):
    assert one_year_later(expiry) == later
    found = guarantee(expiry_date=expiry, current_expiry=expiry)
    action = issue()
    assert (action.previous_expiry, action.new_expiry) == (expiry, later)
    assert currently(found) == (later, Decimal("1000.00"), "active")
    assert Guarantee.objects.get().expiry_date == expiry  # what was imported stays


def test_an_extension_to_a_given_day_goes_on_from_the_current_one():
    found = guarantee()
    issue(new_expiry=date(2026, 3, 1))
    second = issue(new_expiry=date(2026, 3, 2))
    assert second.previous_expiry == date(2026, 3, 1)
    assert currently(found)[0] == date(2026, 3, 2)


def test_an_issued_action_is_issued_locked_and_timed_once():
    guarantee()
    action = issue(notes="  as agreed ", reason="asked by the site")
    stored: Any = GuaranteeAction.objects.get()
    assert (stored.status, stored.is_locked, stored.issued_at) == ("issued", True, NIGHT)
    assert (stored.action_date, stored.session.day) == (date(2025, 5, 2), date(2025, 5, 2))
    assert (stored.notes, stored.reason) == ("as agreed", "asked by the site")
    assert stored.created_by == clerk()
    with pytest.raises(IntegrityError), transaction.atomic():
        GuaranteeAction.objects.filter(pk=action.pk).update(notes="other")


def test_supplier_and_bank_are_kept_as_they_were():
    supplier = SupplierFactory.create(name="Noor Contracting", display_name="النور")
    bank = BankFactory.create(name_en="First Bank", name_ar="البنك الأول")
    guarantee(supplier=supplier, bank=bank)
    action = issue()
    supplier.name = bank.name_en = "renamed"
    supplier.save()
    bank.save()
    stored = GuaranteeAction.objects.get(pk=action.pk)
    assert (stored.supplier_name, stored.supplier_display_name) == ("Noor Contracting", "النور")
    assert (stored.bank_name, stored.bank_display_name) == ("First Bank", "البنك الأول")


def test_a_release_sets_the_status_only():
    found = guarantee()
    action = issue("release")
    assert currently(found) == (date(2025, 12, 31), Decimal("1000.00"), "released")
    assert (action.previous_expiry, action.previous_amount) == (date(2025, 12, 31), Decimal(1000))
    assert (action.new_expiry, action.new_amount) == (None, None)


def test_a_release_needs_no_expiry():
    found = guarantee(expiry_date=None, current_expiry=None)
    issue("release")
    assert currently(found)[2] == "released"


def test_a_reduction_leaves_the_expiry():
    found = guarantee()
    issue("reduction", new_amount=Decimal("400"))
    action = issue("reduction", new_amount=Decimal("399.99"))
    assert (action.previous_amount, action.new_amount) == (Decimal(400), Decimal("399.99"))
    assert currently(found) == (date(2025, 12, 31), Decimal("399.99"), "active")
    assert Guarantee.objects.get().amount == Decimal("1000.00")


def test_a_renewal_may_set_another_amount():
    found = guarantee()
    issue("renewal", new_amount=Decimal(5000))
    assert currently(found) == (date(2026, 12, 31), Decimal("5000.00"), "active")


def test_an_expired_guarantee_can_be_extended_and_released():
    found = guarantee(expiry_date=date(2020, 1, 1), current_expiry=date(2020, 1, 1))
    issue(new_expiry=date(2026, 1, 1))
    issue("release")
    assert currently(found)[0::2] == (date(2026, 1, 1), "released")


@pytest.mark.parametrize("protected", [True, False])
def test_a_modification_changes_what_was_imported_and_keeps_both_values(protected):
    found = guarantee(protected=protected)
    bank = BankFactory.create()
    action = issue(
        "modification",
        reason="misread",
        changes={"amount": "1,500", "bank": str(bank.pk), "type": "Final", "comment": ""},
    )
    assert action.changes == {
        "amount": ["1000.00", "1500.00"],
        "bank": [found.bank_id, bank.pk],
        "type": ["", "Final"],
    }
    stored = Guarantee.objects.get()
    assert (stored.amount, stored.current_amount) == (Decimal(1500), Decimal(1500))
    assert (stored.bank, stored.type) == (bank, "Final")
    newest = Guarantee.history.first()
    assert newest.history_change_reason == "issue modification (api): misread"
    assert newest.history_user == clerk()


def test_a_corrected_expiry_does_not_undo_an_extension():
    found = guarantee()
    issue(new_expiry=date(2027, 1, 1))
    issue("modification", reason="misread", changes={"expiry_date": "30-11-2025"})
    assert currently(found)[0] == date(2027, 1, 1)
    assert Guarantee.objects.get().expiry_date == date(2025, 11, 30)


def test_the_newest_guarantee_of_a_number_is_meant_unless_one_is_named():
    older, newer = guarantee(), guarantee(number=" LG-1 ")
    issue("release")
    issue("release", guarantee_id=older.pk)
    assert list(GuaranteeAction.objects.order_by("pk").values_list("guarantee", flat=True)) == [
        newer.pk,
        older.pk,
    ]


REFUSED = [
    ("not_found", {}, asked(number="LG-2")),
    ("not_found", {}, asked(number="LG\0")),
    ("not_found", {}, asked(number="\ud800")),
    ("not_found", {}, asked(guarantee_id=2**70)),
    ("no_expiry", {"expiry_date": None, "current_expiry": None}, asked()),
    ("already_released", {"status": "released"}, asked("release")),
    ("guarantee_released", {"status": "released"}, asked()),
    ("guarantee_released", {"status": "released"}, asked("reduction", new_amount=Decimal(1))),
    ("supplier_unknown", {"supplier": None}, asked()),
    ("bank_unknown", {"bank": None}, asked("release")),
    ("not_later", {}, asked(new_expiry=date(2025, 12, 31))),
    ("not_later", {"current_expiry": date(9999, 5, 1)}, asked()),
    ("no_amount", {"amount": None, "current_amount": None}, asked("reduction", new_amount=1)),
    ("amount_out_of_range", {}, asked("reduction", new_amount=Decimal(1000))),
    ("amount_out_of_range", {}, asked("reduction", new_amount=Decimal(0))),
    ("amount_out_of_range", {}, asked("reduction", new_amount=Decimal("NaN"))),
    ("amount_out_of_range", {}, asked("reduction", new_amount=Decimal("0.001"))),
    ("amount_out_of_range", {}, asked("renewal", new_amount=Decimal(10) ** 14)),
    ("invalid_value", {}, asked("reduction")),
    ("invalid_value", {}, asked("release", new_expiry=date(2030, 1, 1))),
    ("invalid_value", {}, asked("extension", changes={"type": "x"})),
    ("invalid_value", {}, asked("deletion")),
    ("invalid_value", {}, asked(idempotency_key="")),
    ("invalid_value", {}, asked(idempotency_key="x" * 201)),
    ("invalid_value", {}, asked(notes="a\0")),
    ("reason_missing", {}, asked("modification", reason=" ", changes={"type": "x"})),
    ("nothing_changed", {}, asked("modification", reason="x", changes={"amount": "1000"})),
    ("nothing_changed", {}, asked("modification", reason="x")),
    ("invalid_value", {}, asked("modification", reason="x", changes={"batch": "3"})),
    ("invalid_value", {}, asked("modification", reason="x", changes={"number": " "})),
    ("invalid_value", {}, asked("modification", reason="x", changes={"currency": "riyal"})),
    ("negative", {}, asked("modification", reason="x", changes={"amount": "-5"})),
    ("impossible_date", {}, asked("modification", reason="x", changes={"issue_date": "31/2/2025"})),
    ("not_found", {}, asked("modification", reason="x", changes={"supplier": "987654"})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "values", "request_"), REFUSED)
def test_what_cannot_be_is_refused_with_a_sentence_and_nothing_is_written(code, values, request_):
    found = guarantee(**values)
    before, current = written(), currently(found)
    with pytest.raises(ActionRefused) as refused:
        issue_action(request_, **who())
    assert refused.value.code == code
    assert refused.value.message.endswith(".")
    assert (written(), currently(found)) == (before, current)


def test_an_unknown_number_is_not_found_in_the_words_of_http():
    with pytest.raises(ActionRefused) as refused:
        issue()
    assert refused.value.http_status == 404
    assert refused.value.message == "There is no guarantee “LG-1”."


# ---------------------------------------------------------------------------------------- drafts


def test_a_draft_changes_nothing_until_it_is_issued():
    found = guarantee()
    drafted = draft()
    assert (drafted.status, drafted.is_locked, drafted.issued_at) == ("draft", False, None)
    assert currently(found)[0] == date(2025, 12, 31)
    issue_draft(drafted.pk, **who())
    assert currently(found)[0] == date(2026, 12, 31)
    with pytest.raises(ActionRefused) as refused:
        issue_draft(drafted.pk, **who())
    assert refused.value.code == "already_issued"


def test_a_draft_can_be_changed_and_discarded_an_issued_action_cannot():
    guarantee()
    drafted = draft()
    actor = {name: value for name, value in who().items() if name != "now"}
    edit_draft(drafted.pk, asked(new_expiry=date(2026, 1, 1), notes="n"), **actor)
    drafted.refresh_from_db()
    assert (drafted.new_expiry, drafted.notes) == (date(2026, 1, 1), "n")
    discard_draft(drafted.pk, **actor)
    assert not GuaranteeAction.objects.exists()
    issued = issue()
    for refuse in (
        lambda: edit_draft(issued.pk, asked(), **actor),
        lambda: discard_draft(issued.pk, **actor),
    ):
        with pytest.raises(ActionRefused) as refused:
            refuse()
        assert refused.value.code == "already_issued"


@pytest.mark.parametrize("meanwhile", ["extension", "reduction"])
def test_a_draft_of_what_has_changed_meanwhile_is_not_issued(meanwhile):
    found = guarantee()
    drafted = draft(new_expiry=date(2030, 1, 1))
    issue(meanwhile, **({"new_amount": Decimal(5)} if meanwhile == "reduction" else {}))
    with pytest.raises(ActionRefused) as refused:
        issue_draft(drafted.pk, **who())
    assert refused.value.code == "changed_meanwhile"
    assert currently(found)[0] != date(2030, 1, 1)


def test_a_draft_on_a_guarantee_released_meanwhile_is_not_issued():
    guarantee()
    drafted = draft()
    issue("release")
    with pytest.raises(ActionRefused) as refused:
        issue_draft(drafted.pk, **who())
    assert refused.value.code == "guarantee_released"


def test_unknown_actions_are_not_found():
    for pk in (1, 0, 2**80):
        with pytest.raises(ActionRefused) as refused:
            issue_draft(pk, **who())
        assert refused.value.code == "not_found"


# -------------------------------------------------------------------------------------- sessions


def test_the_days_session_counts_its_actions():
    guarantee()
    issue()
    draft()
    dropped = draft(new_expiry=date(2040, 1, 1))
    discard_draft(dropped.pk, acting_user=clerk(), surface="api")
    (session,) = ActionSession.objects.all()
    assert (session.total_actions, session.issued_actions) == (2, 1)


def test_a_locked_session_is_followed_by_a_new_one():
    guarantee()
    drafted: Any = draft()
    actor: dict[str, Any] = {"acting_user": clerk(), "surface": "api"}
    lock_action_session(drafted.session_id, **actor)
    for refuse in (
        lambda: issue_draft(drafted.pk, **actor),
        lambda: discard_draft(drafted.pk, **actor),
        lambda: edit_draft(drafted.pk, asked(), **actor),
        lambda: lock_action_session(drafted.session_id, **actor),
    ):
        with pytest.raises(ActionRefused) as refused:
            refuse()
        assert refused.value.code == "session_locked"
    issued: Any = issue()
    assert issued.session_id != drafted.session_id
    assert issued.session.day == drafted.session.day
    assert list(
        ActionSession.objects.order_by("pk").values_list(
            "is_locked", "total_actions", "issued_actions"
        )
    ) == [(True, 1, 0), (False, 1, 1)]


# --------------------------------------------------------------- double submits and permissions


def test_the_same_key_again_answers_the_first_action():
    found = guarantee()
    first = issue("release", idempotency_key="form-7")
    before = written()
    assert issue("release", idempotency_key="form-7") == first
    assert written() == before
    assert currently(found)[2] == "released"


def test_a_drafts_key_answers_the_draft_even_once_it_is_issued():
    guarantee()
    drafted = draft(idempotency_key="k")
    assert draft(idempotency_key="k") == drafted
    issue_draft(drafted.pk, **who())
    assert draft(idempotency_key="k") == drafted
    assert GuaranteeAction.objects.count() == 1


def test_a_key_is_for_one_deed():
    guarantee()
    guarantee(number="LG-2")
    issue(idempotency_key="k")
    for other in (asked("release", idempotency_key="k"), asked(number="LG-2", idempotency_key="k")):
        with pytest.raises(ActionRefused) as refused:
            issue_action(other, **who())
        assert refused.value.code == "key_reused"


@pytest.mark.parametrize(
    ("deed", "missing"),
    [
        (lambda drafted, user: issue_action(asked(), **who(user)), "add_guaranteeaction"),
        (lambda drafted, user: issue_draft(drafted.pk, **who(user)), "change_guaranteeaction"),
        (
            lambda drafted, user: discard_draft(drafted.pk, acting_user=user, surface="api"),
            "delete_guaranteeaction",
        ),
        (
            lambda drafted, user: lock_action_session(
                drafted.session_id, acting_user=user, surface="api"
            ),
            "change_actionsession",
        ),
    ],
)
def test_without_the_permission_it_is_refused_and_recorded(deed, missing):
    guarantee()
    drafted = draft()
    allowed = clerk(missing, name="allowed")
    others = {"add_guaranteeaction", "change_guaranteeaction", "delete_guaranteeaction"} - {missing}
    before = written()
    with pytest.raises(PermissionRefused):
        deed(drafted, clerk(*others, name="refused"))
    assert written() == before
    told = Transition.objects.get()
    assert (told.action, told.actor.username, told.surface) == ("refused", "refused", "api")
    assert told.details["permission"] == missing
    deed(drafted, allowed)
    assert Transition.objects.count() == 1


def test_every_change_is_in_the_history_with_who_and_why():
    guarantee()
    issue(reason="asked by the site")
    newest = [model.history.first() for model in (GuaranteeAction, Guarantee, ActionSession)]
    assert {found.history_change_reason for found in newest} == {
        "issue extension (api): asked by the site",
    }
    assert {found.history_user for found in newest} == {clerk()}
