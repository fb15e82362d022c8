"""What bookings cost: every change of a balance is one `CreditTransaction`, never below zero.

A booking is charged when it is made, a place in the queue too, so that whoever is first in the
queue can be given a seat without asking. It is refunded when it is cancelled in time, when the
lesson is cancelled, or when the lesson begins without a seat for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User

from sessions_app.lesson_errors import InsufficientCredits
from sessions_app.models import Booking, CreditReason, CreditTransaction, Profile
from sessions_app.services.lessons.common import save


def charge(booking: Booking, credit_cost: int, *, acting_user: User, now: datetime) -> None:
    """Take the credits of a booking. Raises InsufficientCredits; nothing for a free lesson."""
    if credit_cost == 0:
        return
    profile = _locked([booking.student_id]).get(booking.student_id)
    balance = profile.credit_balance if profile else 0
    if profile is None or balance < credit_cost:
        raise InsufficientCredits(
            f"This lesson costs {credit_cost}, and {balance} credits are there.",
            credit_cost=credit_cost,
            credit_balance=balance,
        )
    _change(profile, booking, -credit_cost, CreditReason.BOOKING, acting_user, now)


def refund(bookings: Sequence[Booking], *, acting_user: User, now: datetime) -> None:
    """Give back what was charged for these bookings and not yet given back.

    Bookings of the old system were charged there: nothing is known, nothing is given back.
    """
    told = CreditTransaction.objects.filter(booking__in=bookings)
    paid = dict(
        told.filter(reason=CreditReason.BOOKING)
        .exclude(booking__in=told.filter(reason=CreditReason.REFUND).values("booking"))
        .values_list("booking", "amount")
    )
    due = [booking for booking in bookings if booking.pk in paid]
    profiles = _locked([booking.student_id for booking in due])
    for booking in due:
        _change(
            profiles[booking.student_id],
            booking,
            -paid[booking.pk],
            CreditReason.REFUND,
            acting_user,
            now,
        )


def _locked(students: Sequence[int]) -> dict[int, Profile]:
    """Profiles by account, locked in one order, so that two refunds never wait for each other."""
    if not students:
        return {}
    rows = Profile.objects.filter(user__in=students).order_by("user_id")
    return {row.user_id: row for row in rows.select_for_update(no_key=True)}


def _change(
    profile: Profile,
    booking: Booking,
    amount: int,
    reason: CreditReason,
    acting_user: User,
    now: datetime,
) -> None:
    profile.credit_balance += amount
    save(profile, acting_user=acting_user, reason=reason, update_fields=["credit_balance"])
    CreditTransaction.objects.create(
        user_id=profile.user_id,
        booking=booking,
        reason=reason,
        amount=amount,
        balance_after=profile.credit_balance,
        created_at=now,
    )
