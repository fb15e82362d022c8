"""Bookings with their waitlist, and the credits they cost (lessons.md "Booking")."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history
from sessions_app.models.lessons.lesson import Lesson


class BookingStatus(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed")  # has a seat
    WAITLISTED = "waitlisted", _("waitlisted")  # has a position
    CANCELLED = "cancelled", _("cancelled")  # final; the student may book anew


#: At most one of these per student and lesson.
ACTIVE_BOOKINGS: Final = (BookingStatus.CONFIRMED, BookingStatus.WAITLISTED)


class BookingQuerySet(models.QuerySet["Booking"]):
    def active(self) -> BookingQuerySet:
        """Confirmed and waitlisted ones; cancelled ones are left out."""
        return self.filter(status__in=ACTIVE_BOOKINGS)

    def confirmed(self) -> BookingQuerySet:
        """Those with a seat."""
        return self.filter(status=BookingStatus.CONFIRMED)

    def waiting(self) -> BookingQuerySet:
        """The waitlist, first waiter first."""
        return self.filter(status=BookingStatus.WAITLISTED).order_by("waitlist_position")


class Booking(models.Model):
    """A student's place in a lesson, or in its queue.

    ``waitlist_position`` counts from 1 within the lesson, for waitlisted bookings only. Positions
    are unique at the end of the transaction, so that a queue can move up in between.
    """

    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="bookings")
    student = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="lesson_bookings"
    )
    status = models.CharField(max_length=10, choices=BookingStatus, default=BookingStatus.CONFIRMED)
    waitlist_position = models.BigIntegerField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = BookingQuerySet.as_manager()
    history = tracked_history()

    class Meta:
        ordering = ["lesson", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lesson", "student"],
                condition=Q(status__in=ACTIVE_BOOKINGS),
                name="booking_one_active",
            ),
            models.UniqueConstraint(
                fields=["lesson", "waitlist_position"],
                deferrable=models.Deferrable.DEFERRED,
                name="booking_position_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=BookingStatus.values), name="booking_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=BookingStatus.WAITLISTED, waitlist_position__isnull=False)
                | ~Q(status=BookingStatus.WAITLISTED) & Q(waitlist_position__isnull=True),
                name="booking_position_of_waiter",
            ),
            models.CheckConstraint(
                condition=Q(waitlist_position__gte=1), name="booking_position_from_one"
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | Q(status=BookingStatus.CANCELLED),
                name="booking_cancelled_at_of_cancelled",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(student)s in %(lesson)s (%(status)s)") % {
            "student": self.student,
            "lesson": self.lesson,
            "status": self.status,
        }


class CreditReason(models.TextChoices):
    BOOKING = "booking", _("booking")  # takes credits
    REFUND = "refund", _("refund")  # gives them back
    ADJUSTMENT = "adjustment", _("adjustment")  # by staff


class CreditTransaction(models.Model):
    """One change of a person's credits. ``amount`` is signed, ``balance_after`` what the person
    then has; both in credits. A booking is charged once and refunded once.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="credit_transactions"
    )
    booking = models.ForeignKey(
        Booking, models.PROTECT, null=True, blank=True, related_name="credit_transactions"
    )
    reason = models.CharField(max_length=10, choices=CreditReason)
    amount = models.IntegerField()
    balance_after = models.IntegerField()
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["booking", "reason"],
                condition=Q(booking__isnull=False),
                name="credit_once_per_booking",
            ),
            models.CheckConstraint(
                condition=Q(reason=CreditReason.BOOKING, amount__lt=0)
                | Q(reason=CreditReason.REFUND, amount__gt=0)
                | Q(reason=CreditReason.ADJUSTMENT) & ~Q(amount=0),
                name="credit_sign_fits_reason",
            ),
            models.CheckConstraint(
                condition=Q(balance_after__gte=0), name="credit_balance_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.amount:+d}"
