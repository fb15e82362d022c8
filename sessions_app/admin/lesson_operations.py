"""What those who run a lesson do with it and its bookings, by the services of lessons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.states import Surface
from sessions_app.admin.fields import PersonField
from sessions_app.admin.operations import Deed, Operation, OperationForm
from sessions_app.lesson_errors import NotFound
from sessions_app.models import (
    HIGHEST_RATING,
    LOWEST_RATING,
    AttendanceStatus,
    Booking,
    Lesson,
    SessionKind,
    SessionStatus,
)
from sessions_app.models.session import may_change
from sessions_app.selectors.lessons.items import name_of
from sessions_app.selectors.lessons.opinions import own_review
from sessions_app.services import lessons

_LARGEST_ID: Final = 2**63 - 1


class BookForm(OperationForm):
    student = PersonField(label=gettext_lazy("Student"), required=True)


class BookingForm(OperationForm):
    """The booking is chosen on the lesson's page; it must be one of this lesson."""

    booking = forms.IntegerField(min_value=1, max_value=_LARGEST_ID, widget=forms.HiddenInput)


class AttendanceForm(BookingForm):
    status = forms.TypedChoiceField(
        label=gettext_lazy("The student was"),
        choices=AttendanceStatus.choices,
        coerce=AttendanceStatus,
    )


class ReviewForm(BookingForm):
    score = forms.DecimalField(
        label=gettext_lazy("Score"),
        help_text=gettext_lazy("1 to 5, two decimals."),
        required=False,
        min_value=LOWEST_RATING,
        max_value=HIGHEST_RATING,
        max_digits=3,
        decimal_places=2,
    )
    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


def _booking(deed: Deed) -> Booking:
    """Raises NotFound for bookings of other lessons."""
    found = _find(deed)
    if found is None:
        raise NotFound(_("This lesson has no such booking."))
    return found


def _find(deed: Deed) -> Booking | None:
    given = str(deed.values.get("booking", ""))
    if not given.isdecimal() or int(given) > _LARGEST_ID:
        return None
    bookings = Booking.objects.filter(lesson=deed.obj, pk=int(given))
    return bookings.select_related("student").first()


def _name(person: User) -> str:
    return name_of(person.first_name, person.last_name, person.username)


def _of(deed: Deed) -> dict[str, str]:
    """Words of a sentence about a booking."""
    found = _find(deed)
    return {
        "student": _("A student") if found is None else _name(found.student),
        "lesson": str(deed.obj),
    }


def _by(deed: Deed) -> dict[str, Any]:
    return {"acting_user": deed.user, "surface": Surface.ADMIN}


def _session_id(deed: Deed) -> str:
    lesson: Lesson = deed.obj
    return lesson.session.session_id


def _book(deed: Deed) -> str:
    student = deed.values["student"]
    booking = lessons.book_lesson(_session_id(deed), student=student, **_by(deed))
    told = {"student": _name(student), "position": booking.waitlist_position}
    if booking.waitlist_position is None:
        return _("%(student)s has a seat.") % told
    return _("%(student)s waits for a seat at place %(position)s.") % told


def _cancel_booking(deed: Deed) -> str:
    lessons.cancel_booking(_booking(deed).pk, **_by(deed))
    return _("The booking is cancelled.")


def _confirm(deed: Deed) -> str:
    lessons.confirm_booking(_booking(deed).pk, **_by(deed))
    return _("The booking has a seat.")


def _check_in(deed: Deed) -> str:
    student = _booking(deed).student
    lessons.check_in(_session_id(deed), student=student, **_by(deed))
    return _("%(student)s is checked in.") % {"student": _name(student)}


def _attend(deed: Deed) -> str:
    student, status = _booking(deed).student, deed.values["status"]
    lessons.record_attendance(_session_id(deed), student.pk, status, **_by(deed))
    return _("Recorded: %(student)s was %(status)s.") % {
        "student": _name(student),
        "status": status.label,
    }


def _review(deed: Deed) -> str:
    student = _booking(deed).student
    said = {name: deed.values[name] for name in ("score", "comment")}
    own = own_review(deed.obj, student.pk, deed.user)
    if own is None:
        lessons.review_performance(_session_id(deed), student.pk, **said, **_by(deed))
    else:
        lessons.change_review(_session_id(deed), own.pk, said, **_by(deed))
    return _("The review of %(student)s is written.") % {"student": _name(student)}


def _to(status: SessionStatus) -> Callable[[Deed], str]:
    def carry_out(deed: Deed) -> str:
        lesson = lessons.change_lesson_status(_session_id(deed), status, **_by(deed))
        return _("The lesson is %(status)s.") % {"status": lesson.session.get_status_display()}

    return carry_out


def _can_become(status: SessionStatus) -> Callable[[Deed], bool]:
    return lambda deed: may_change(SessionKind.LESSON, deed.obj.session.status, status)


def _is_scheduled(deed: Deed) -> bool:
    return bool(deed.obj.session.status == SessionStatus.SCHEDULED)


OPERATIONS: Final = (
    Operation(
        name="book",
        label=gettext_lazy("Book for a student"),
        form=BookForm,
        offered=_is_scheduled,
        sentence=lambda deed: (
            _(
                "The student gets a seat, or the last place of the waitlist, and pays %(cost)s "
                "credits."
            )
            % {"cost": deed.obj.credit_cost}
        ),
        carry_out=_book,
    ),
    Operation(
        name="start",
        label=gettext_lazy("Start"),
        form=OperationForm,
        offered=_can_become(SessionStatus.ACTIVE),
        sentence=lambda deed: _(
            "The lesson begins. Who still waits for a seat is cancelled and refunded."
        ),
        carry_out=_to(SessionStatus.ACTIVE),
    ),
    Operation(
        name="finish",
        label=gettext_lazy("End"),
        form=OperationForm,
        offered=_can_become(SessionStatus.COMPLETED),
        sentence=lambda deed: _("The lesson is over."),
        carry_out=_to(SessionStatus.COMPLETED),
    ),
    Operation(
        name="call-off",
        label=gettext_lazy("Call off"),
        form=OperationForm,
        offered=_can_become(SessionStatus.CANCELLED),
        dangerous=True,
        sentence=lambda deed: (
            _(
                "The lesson does not take place. Its %(bookings)s bookings are cancelled and "
                "refunded. This cannot be undone."
            )
            % {"bookings": deed.obj.bookings.active().count()}
        ),
        carry_out=_to(SessionStatus.CANCELLED),
    ),
    Operation(
        name="confirm",
        label=gettext_lazy("Give a seat"),
        form=BookingForm,
        on_page=False,
        sentence=lambda deed: (
            _("%(student)s gets a seat of “%(lesson)s” out of turn; the others move up.")
            % _of(deed)
        ),
        carry_out=_confirm,
    ),
    Operation(
        name="check-in",
        label=gettext_lazy("Check in"),
        form=BookingForm,
        on_page=False,
        sentence=lambda deed: _("%(student)s is here: “%(lesson)s”.") % _of(deed),
        carry_out=_check_in,
    ),
    Operation(
        name="attendance",
        label=gettext_lazy("Attendance"),
        form=AttendanceForm,
        on_page=False,
        sentence=lambda deed: (
            _("Recorded for %(student)s: “%(lesson)s”. Recorded again, the last word counts.")
            % _of(deed)
        ),
        carry_out=_attend,
    ),
    Operation(
        name="review",
        label=gettext_lazy("Review"),
        form=ReviewForm,
        on_page=False,
        sentence=lambda deed: (
            _(
                "How %(student)s did in “%(lesson)s”: a score, a comment, or both. Written again, "
                "the last word counts."
            )
            % _of(deed)
        ),
        carry_out=_review,
    ),
    Operation(
        name="cancel",
        label=gettext_lazy("Cancel the booking"),
        form=BookingForm,
        on_page=False,
        dangerous=True,
        sentence=lambda deed: (
            _("%(student)s leaves “%(lesson)s” and is refunded; the first who waits gets the seat.")
            % _of(deed)
        ),
        carry_out=_cancel_booking,
    ),
)
