"""What bookings cost: every change of a balance is one `CreditTransaction`, never below zero.

A booking is charged when it is made, a place in the queue too, so that whoever is first in the
queue can be given a seat without asking. It is refunded when it is cancelled in time, when the
lesson is cancelled, or when the lesson begins without a seat for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.signing import save
from migrations_tools.states import Surface
from sessions_app.lesson_errors import (
    BalanceChanged,
    FieldFault,
    Forbidden,
    InsufficientCredits,
    InvalidFields,
    text_fault,
)
from sessions_app.models import Booking, CreditReason, CreditTransaction, Profile
from sessions_app.selectors.lessons import Clock, system_clock, viewer_of
from sessions_app.services.lessons.common import refusals_on_record

LARGEST_ADJUSTMENT: Final = 1_000_000  # credits
LARGEST_BALANCE: Final = 2**31 - 1  # credits; what the column holds


def adjust_credits(
    student: User,
    amount: int,
    *,
    note: str,
    acting_user: User,
    seen_balance: int | None = None,
    surface: str = Surface.API,
    clock: Clock = system_clock,
) -> CreditTransaction:
    """Give credits, or take them (a negative ``amount``); for admins, who say why.

    Where ``seen_balance`` is given it must still be the balance: who sends the same form twice
    gives once. Raises Forbidden, InvalidFields, BalanceChanged or InsufficientCredits.
    """
    with refusals_on_record(acting_user, surface, "adjust credits"):
        if not viewer_of(acting_user).is_admin:
            raise Forbidden(_("Only admins give and take credits."))
    faults = []
    if not 0 < abs(amount) <= LARGEST_ADJUSTMENT:
        told = _("Credits are given or taken, at most %(largest_adjustment)s at once.") % {
            "largest_adjustment": LARGEST_ADJUSTMENT
        }
        faults.append(FieldFault("amount", "out_of_range", told))
    if not note.strip():
        faults.append(FieldFault("note", "blank", _("Credits are given and taken for a reason.")))
    elif fault := text_fault("note", note):
        faults.append(fault)
    if faults:
        raise InvalidFields(faults)
    with transaction.atomic():
        Profile.objects.get_or_create(user=student)
        profile = _locked([student.pk])[student.pk]
        if seen_balance not in (None, profile.credit_balance):
            raise BalanceChanged(
                _(
                    "The balance has changed meanwhile: %(credit_balance)s credits are "
                    "there. Nothing was given or taken."
                )
                % {"credit_balance": profile.credit_balance},
                credit_balance=profile.credit_balance,
            )
        if profile.credit_balance + amount < 0:
            raise _too_few(-amount, profile.credit_balance)
        if profile.credit_balance + amount > LARGEST_BALANCE:
            told = _("Nobody has more than %(largest_balance)s credits.") % {
                "largest_balance": LARGEST_BALANCE
            }
            raise InvalidFields([FieldFault("amount", "out_of_range", told)])
        return _change(
            profile, None, amount, CreditReason.ADJUSTMENT, acting_user, clock(), note.strip()
        )


def charge(booking: Booking, credit_cost: int, *, acting_user: User, now: datetime) -> None:
    """Take the credits of a booking. Raises InsufficientCredits; nothing for a free lesson."""
    if credit_cost == 0:
        return
    profile = _locked([booking.student_id]).get(booking.student_id)
    balance = profile.credit_balance if profile else 0
    if profile is None or balance < credit_cost:
        raise _too_few(credit_cost, balance)
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


def _too_few(needed: int, balance: int) -> InsufficientCredits:
    return InsufficientCredits(
        _("This takes %(needed)s credits, and %(balance)s are there.")
        % {"needed": needed, "balance": balance},
        credits_needed=needed,
        credit_balance=balance,
    )


def _locked(students: Sequence[int]) -> dict[int, Profile]:
    """Profiles by account, locked in one order, so that two refunds never wait for each other."""
    if not students:
        return {}
    rows = Profile.objects.filter(user__in=students).order_by("user_id")
    return {row.user_id: row for row in rows.select_for_update(no_key=True)}


def _change(
    profile: Profile,
    booking: Booking | None,
    amount: int,
    reason: CreditReason,
    acting_user: User,
    now: datetime,
    note: str = "",
) -> CreditTransaction:
    profile.credit_balance += amount
    save(profile, acting_user=acting_user, reason=reason, update_fields=["credit_balance"])
    return CreditTransaction.objects.create(
        user_id=profile.user_id,
        booking=booking,
        reason=reason,
        amount=amount,
        balance_after=profile.credit_balance,
        note=note,
        created_at=now,
    )
