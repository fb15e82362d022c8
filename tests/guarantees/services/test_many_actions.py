"""Previews, and the same action on many guarantees at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from guarantees.action_errors import ChangedMeanwhile, NoExpiry, NotFound, NotLater, ValueRefused
from guarantees.models import Guarantee, GuaranteeAction
from guarantees.services.actions import (
    ActionRequest,
    BulkRequest,
    edit_draft,
    issue_action,
    issue_draft,
    issue_many,
    preview_action,
    preview_draft,
    preview_many,
)
from guarantees.services.actions.many import MOST_AT_ONCE
from migrations_tools.exceptions import PermissionRefused
from tests.guarantees.factories import GuaranteeFactory
from tests.guarantees.services.acting import asked, clerk, currently, draft, guarantee, written

pytestmark = pytest.mark.django_db


def who() -> dict[str, Any]:
    return {"acting_user": clerk(), "surface": "admin"}


def bulk(*found: Guarantee | int, action_type: str = "extension", **values: Any) -> BulkRequest:
    pks = [row if isinstance(row, int) else row.pk for row in found]
    return BulkRequest(action_type=action_type, guarantee_ids=pks, **values)


def test_a_preview_tells_what_would_change_and_writes_nothing():
    found = guarantee()
    before = written()
    cases: list[tuple[ActionRequest, dict[str, Any]]] = [
        (asked(), {"current_expiry": ["2025-12-31", "2026-12-31"]}),
        (asked("release"), {"status": ["active", "released"]}),
        (
            asked("reduction", new_amount=Decimal(400)),
            {"current_amount": ["1000.00", "400.00"]},
        ),
        (
            asked("modification", changes={"amount": "٩٠٠", "number": "LG-1"}, reason="misread"),
            {"amount": ["1000.00", "900.00"]},
        ),
    ]
    for request, differences in cases:
        assert preview_action(request, **who()).differences == differences
    assert written() == before
    assert currently(found) == (date(2025, 12, 31), Decimal(1000), "active")


def test_a_preview_refuses_what_the_action_would():
    guarantee(expiry_date=None, current_expiry=None)
    with pytest.raises(NoExpiry):
        preview_action(asked(), **who())
    with pytest.raises(NotFound):
        preview_action(asked(number="LG-0"), **who())
    with pytest.raises(NotFound, match="\ufffd"):
        preview_action(asked(number="LG\x00"), **who())
    with pytest.raises(PermissionRefused):
        preview_action(asked(), acting_user=clerk("view_guarantee"), surface="admin")


def test_terms_that_have_changed_since_the_preview_are_not_carried_out():
    found = guarantee()
    agreed = preview_action(asked(), **who()).agreed
    issue_action(asked(), **who())
    with pytest.raises(ChangedMeanwhile):
        issue_action(asked(agreed=agreed), **who())
    assert currently(found)[0] == date(2026, 12, 31)
    issue_action(asked(agreed=preview_action(asked(), **who()).agreed), **who())
    assert currently(found)[0] == date(2027, 12, 31)


def test_a_draft_that_was_edited_since_it_was_looked_at_is_not_issued():
    found = guarantee()
    drafted = draft()
    seen = preview_draft(drafted.pk, **who())
    assert seen.differences == {"current_expiry": ["2025-12-31", "2026-12-31"]}
    edit_draft(drafted.pk, asked(new_expiry=date(2030, 1, 1)), **who())
    with pytest.raises(ChangedMeanwhile):
        issue_draft(drafted.pk, agreed=seen.agreed, **who())
    issue_draft(drafted.pk, agreed=preview_draft(drafted.pk, **who()).agreed, **who())
    assert currently(found)[0] == date(2030, 1, 1)
    with pytest.raises(NotFound):
        preview_draft(2**70, **who())


def test_one_bad_row_never_costs_the_others(django_assert_num_queries):
    good, other = guarantee(), guarantee(number="LG-2")
    released = guarantee(number="LG-3", status="released")
    nobody = GuaranteeFactory.create()
    request = bulk(good, released, nobody, 2**70, other, good)
    by = who()
    by["acting_user"].has_perm("guarantees.add_guaranteeaction")  # reads the permissions
    with django_assert_num_queries(1):
        preview = preview_many(request, **by)
    assert [found.guarantee for found in preview.possible] == [good, other]
    codes = ["guarantee_released", "supplier_unknown", "not_found"]
    assert [refused.code for refused in preview.refused] == codes
    result = issue_many(request, **who())
    assert [action.guarantee_id for action in result.issued] == [good.pk, other.pk]
    assert [refused.code for refused in result.refused] == codes
    assert currently(other)[0] == date(2026, 12, 31)
    assert GuaranteeAction.objects.count() == 2


def test_a_second_request_of_the_same_key_does_nothing_twice_and_takes_up_the_rest():
    first, second = guarantee(), guarantee(number="LG-2", expiry_date=None, current_expiry=None)
    request = bulk(first, second, idempotency_key="page-1")
    assert len(issue_many(request, **who()).issued) == 1
    Guarantee.objects.filter(pk=second.pk).update(current_expiry=date(2025, 1, 1))
    again = issue_many(request, **who())
    assert ([a.number for a in again.issued], [a.number for a in again.repeated]) == (
        ["LG-2"],
        ["LG-1"],
    )
    assert currently(first)[0] == date(2026, 12, 31)


def test_what_concerns_all_is_refused_before_anything_is_done():
    found = guarantee()
    cases: list[BulkRequest] = [
        bulk(found, action_type="reduction"),
        bulk(found, action_type="nonsense"),
        bulk(),
        bulk(*range(1, MOST_AT_ONCE + 2)),
        bulk(found, idempotency_key="k" * 200),
    ]
    for request in cases:
        for deed in (preview_many, issue_many):
            with pytest.raises(ValueRefused):
                deed(request, **who())
    with pytest.raises(PermissionRefused):
        issue_many(bulk(found), acting_user=clerk("view_guarantee"), surface="admin")
    assert not GuaranteeAction.objects.exists()


def test_a_given_day_is_refused_for_those_that_run_longer():
    short, long = guarantee(), guarantee(number="LG-2", current_expiry=date(2031, 1, 1))
    request = bulk(short, long, new_expiry=date(2030, 1, 1))
    result = issue_many(request, **who())
    assert [action.number for action in result.issued] == ["LG-1"]
    assert [refused.code for refused in result.refused] == [NotLater.code]
