"""What may be refused with lessons and bookings: one tree, a code for each (lessons.md).

`http_status` tells the class: 403 not allowed, 404 hidden or not there, 409 not in this state,
422 with a list of fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError
from migrations_tools.text import storable


class LessonError(CarryoverError):
    """Base of the refusals; 409 unless a branch says otherwise."""

    code = "conflict"


class Forbidden(LessonError):
    """The person may see it, and may not do this."""

    code = "permission_denied"
    http_status = 403


class NotQualified(Forbidden):
    """No active qualification for the lesson's target."""

    code = "not_qualified"


class DidNotAttend(Forbidden):
    """Feedback is for those who were present or late."""

    code = "did_not_attend"


class NotFound(LessonError):
    """Not there, or hidden from the person: nobody can tell which."""

    code = "not_found"
    http_status = 404


class LessonHasRecords(LessonError):
    """Not deleted: ``blocking`` counts what would be orphaned."""

    code = "lesson_has_records"


class LessonNotOpen(LessonError):
    """The lesson has begun, is over, or does not take place."""

    code = "lesson_not_open"


class BookingClosed(LessonError):
    """Later than 24 hours before the start."""

    code = "booking_closed"


class CancellationClosed(LessonError):
    """Later than 12 hours before the start."""

    code = "cancellation_closed"


class AlreadyBooked(LessonError):
    code = "already_booked"


class AlreadyConfirmed(LessonError):
    code = "already_confirmed"


class AlreadyCancelled(LessonError):
    code = "already_cancelled"


class NotForStudent(LessonError):
    """Booked for somebody who is no student, not active, or does not see the lesson."""

    code = "not_for_student"


class LessonFull(LessonError):
    code = "lesson_full"


class CapacityBelowConfirmed(LessonError):
    """Fewer seats than confirmed bookings."""

    code = "capacity_below_confirmed"


class BalanceChanged(LessonError):
    """The balance is not the one that was seen; somebody was faster, or a form came twice."""

    code = "balance_changed"


class InsufficientCredits(LessonError):
    code = "insufficient_credits"


class NotConfirmed(LessonError):
    """Attendance needs a booking with a seat."""

    code = "booking_not_confirmed"


class CheckInClosed(LessonError):
    """Earlier than 15 minutes before the start, or after the end."""

    code = "check_in_closed"


class AlreadyCheckedIn(LessonError):
    code = "already_checked_in"


class FeedbackClosed(LessonError):
    """Before the end, or later than 24 hours after it."""

    code = "feedback_closed"


class FeedbackGiven(LessonError):
    code = "feedback_given"


class ReviewTooEarly(LessonError):
    """A performance review before the lesson has begun."""

    code = "review_too_early"


class ReviewGiven(LessonError):
    """The person reviewed this student in this lesson before; ``review`` can be changed."""

    code = "review_given"


class SemesterInUse(LessonError):
    """A semester or cohort that is not deleted: ``blocking`` counts what belongs to it."""

    code = "semester_in_use"


class StatusRefused(LessonError):
    """The table of transitions has no such change."""

    code = "transition_refused"


@dataclass(frozen=True)
class FieldFault:
    """What is wrong with one field; ``message`` is for a person."""

    field: str
    code: str
    message: str


def text_fault(field: str, text: str) -> FieldFault | None:
    """What is wrong with a text that no column can hold."""
    if "\0" in text:
        return FieldFault(field, "null_characters", _("A text cannot hold a NUL character."))
    if not storable(text):
        return FieldFault(field, "broken_characters", _("This text has a broken character."))
    return None


class InvalidFields(LessonError):
    """Values that cannot be used; ``fields`` lists every fault that was found."""

    code = "validation_failed"
    http_status = 422

    def __init__(self, faults: Iterable[FieldFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            " ".join(dict.fromkeys(fault.message for fault in self.faults)),
            fields=[asdict(fault) for fault in self.faults],
        )
