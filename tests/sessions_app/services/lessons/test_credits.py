"""Giving and taking credits by hand; what bookings cost is tested with them."""

import pytest

from sessions_app.lesson_errors import Forbidden, InsufficientCredits, InvalidFields
from sessions_app.models import CreditTransaction, Profile
from sessions_app.services.lessons import adjust_credits
from sessions_app.services.lessons.credits import LARGEST_BALANCE
from tests.sessions_app import academy
from tests.sessions_app.academy import NOW, at_now
from tests.sessions_app.lesson_factories import PersonFactory

pytestmark = pytest.mark.django_db


def test_admins_give_and_take_credits_with_a_reason():
    admin, student = academy.admin(), academy.student(credit_balance=1)
    for amount in (4, -5):
        adjust_credits(student, amount, note=" Paid ", acting_user=admin, clock=at_now)
    told = CreditTransaction.objects.order_by("id")
    assert list(told.values_list("amount", "balance_after", "note", "reason", "created_at")) == [
        (4, 5, "Paid", "adjustment", NOW),
        (-5, 0, "Paid", "adjustment", NOW),
    ]
    profile = Profile.objects.get(user=student)
    assert profile.credit_balance == 0
    assert profile.history.latest("history_date").history_user == admin


def test_somebody_without_a_profile_can_be_given_credits():
    stranger = PersonFactory.create()
    adjust_credits(stranger, 3, note="Welcome", acting_user=academy.admin())
    assert Profile.objects.get(user=stranger).credit_balance == 3


def test_no_more_is_taken_than_there_is():
    student = academy.student(credit_balance=2)
    with pytest.raises(InsufficientCredits) as refused:
        adjust_credits(student, -3, note="Lost", acting_user=academy.admin())
    assert refused.value.fields == {"credits_needed": 3, "credit_balance": 2}
    assert not CreditTransaction.objects.exists()


@pytest.mark.parametrize(
    ("amount", "note", "field"),
    [
        (0, "x", "amount"),
        (1_000_001, "x", "amount"),
        (1, " ", "note"),
        (1, "\0", "note"),
        (1, "\ud800", "note"),
    ],
)
def test_an_adjustment_that_is_none_or_has_no_reason_is_refused(amount, note, field):
    with pytest.raises(InvalidFields) as refused:
        adjust_credits(academy.student(), amount, note=note, acting_user=academy.admin())
    assert [fault.field for fault in refused.value.faults] == [field]


def test_nobody_is_given_more_than_can_be_counted():
    student = academy.student(credit_balance=LARGEST_BALANCE - 5)
    with pytest.raises(InvalidFields) as refused:
        adjust_credits(student, 6, note="x", acting_user=academy.admin())
    assert [fault.field for fault in refused.value.faults] == ["amount"]
    adjust_credits(student, 5, note="x", acting_user=academy.admin())
    assert Profile.objects.get(user=student).credit_balance == LARGEST_BALANCE


def test_others_give_no_credits():
    for user in (academy.instructor(), academy.student()):
        with pytest.raises(Forbidden):
            adjust_credits(user, 5, note="For me", acting_user=user)
