"""What the database refuses of lessons, bookings and what is recorded of them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from sessions_app.models import (
    Attendance,
    Booking,
    BookingStatus,
    CreditReason,
    CreditTransaction,
    Delivery,
    InstructorQualification,
    Lesson,
    LessonProject,
    PerformanceReview,
    SemesterStatus,
    is_web_address,
)
from sessions_app.models.lessons.lesson import WEB_ADDRESS
from tests.sessions_app.factories import ProjectFactory
from tests.sessions_app.lesson_factories import (
    AttendanceFactory,
    BookingFactory,
    CohortFactory,
    FeedbackFactory,
    LessonFactory,
    PersonFactory,
    SemesterFactory,
)

pytestmark = pytest.mark.django_db


def refused(name):
    return pytest.raises(IntegrityError, match=name)


def check_constraints():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def waiter(lesson, position):
    return BookingFactory.create(
        lesson=lesson, status=BookingStatus.WAITLISTED, waitlist_position=position
    )


class TestSemester:
    def test_it_may_last_one_day_but_not_end_before_it_starts(self):
        SemesterFactory.create(start_date=date(2026, 1, 1), end_date=date(2026, 1, 1))
        with refused("semester_ends_after_start"), transaction.atomic():
            SemesterFactory.create(start_date=date(2026, 1, 2), end_date=date(2026, 1, 1))

    def test_running_ones_are_those_that_students_see(self):
        for status in SemesterStatus.values:
            SemesterFactory.create(code=status, status=status)
        running = SemesterFactory._meta.model.objects.running().values_list("code", flat=True)
        assert set(running) == {"ongoing", "ready_for_enrollment"}


class TestLesson:
    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"capacity": 0}, "lesson_has_a_seat"),
            ({"credit_cost": -1}, "lesson_credit_not_negative"),
            ({"ends_at": datetime(2026, 3, 1, 9, tzinfo=UTC)}, "lesson_ends_after_start"),
            ({"delivery": "online"}, "lesson_delivery_known"),
            ({"meeting_link": "https://meet.example.com/a"}, "lesson_link_of_virtual"),
            (
                {"delivery": Delivery.HYBRID, "meeting_link": "https://meet.example.com/a"},
                "lesson_link_of_virtual",
            ),
        ],
    )
    def test_a_rule_of_its_own_values_holds(self, values, constraint):
        with refused(constraint), transaction.atomic():
            LessonFactory.create(**values)

    @pytest.mark.parametrize(
        "link",
        [
            "",
            "javascript:alert(1)",
            "https://",
            "https:///room",
            "http://meet.example.com/a b",
            "ftp://x",
        ],
    )
    def test_a_link_has_a_scheme_of_the_web_and_a_host(self, link):
        LessonFactory.create(delivery=Delivery.VIRTUAL, meeting_link="HTTPS://meet.example.com/a?b")
        with refused("lesson_link_of_virtual"), transaction.atomic():
            LessonFactory.create(delivery=Delivery.VIRTUAL, meeting_link=link)

    def test_what_is_taken_for_a_web_address_fits_the_column(self):
        signs = [chr(code) for code in (*range(1, 0xD800), *range(0xE000, 0x10000))]
        asked = "SELECT link FROM unnest(%s::text[]) link WHERE link !~* %s"
        for pattern in ("https://a{}b.example.com/", "https://a.example.com/a{}b"):
            links = [link for link in map(pattern.format, signs) if is_web_address(link)]
            assert len(links) > 20_000
            with connection.cursor() as cursor:
                cursor.execute(asked, [links, WEB_ADDRESS])
                assert cursor.fetchall() == []

    def test_its_cohort_is_one_of_its_semester(self):
        lesson = LessonFactory.create()
        own, foreign = CohortFactory.create(semester=lesson.semester), CohortFactory.create()
        Lesson.objects.update(cohort=own)
        check_constraints()
        with refused("lesson_cohort_of_semester"), transaction.atomic():
            Lesson.objects.update(cohort=foreign)
            check_constraints()


class TestBooking:
    def test_a_student_has_one_active_booking_of_a_lesson(self):
        first = BookingFactory.create(status=BookingStatus.CANCELLED)
        again = {"lesson": first.lesson, "student": first.student}
        BookingFactory.create(**again)
        BookingFactory.create(**again, status=BookingStatus.CANCELLED)
        with refused("booking_one_active"), transaction.atomic():
            BookingFactory.create(**again, status=BookingStatus.WAITLISTED, waitlist_position=1)

    def test_waiters_have_a_position_and_nobody_else(self):
        with refused("booking_position_of_waiter"), transaction.atomic():
            BookingFactory.create(status=BookingStatus.WAITLISTED)
        with refused("booking_position_of_waiter"), transaction.atomic():
            BookingFactory.create(waitlist_position=1)
        with refused("booking_position_from_one"), transaction.atomic():
            BookingFactory.create(status=BookingStatus.WAITLISTED, waitlist_position=0)

    def test_positions_are_unique_in_a_lesson_once_the_queue_has_moved(self):
        lesson = LessonFactory.create()
        waiters = [waiter(lesson, position) for position in (1, 2, 3)]
        waiter(LessonFactory.create(), 1)
        first = waiters.pop(0)
        Booking.objects.filter(lesson=lesson).waiting().update(
            waitlist_position=F("waitlist_position") + 1
        )
        Booking.objects.filter(pk=first.pk).update(waitlist_position=1)
        check_constraints()
        assert list(Booking.objects.filter(lesson=lesson).waiting()) == [first, *waiters]
        with refused("booking_position_once"), transaction.atomic():
            waiter(lesson, 3)
            check_constraints()

    def test_only_a_cancelled_one_was_cancelled(self):
        when = datetime(2026, 2, 1, tzinfo=UTC)
        BookingFactory.create(status=BookingStatus.CANCELLED, cancelled_at=when)
        with refused("booking_cancelled_at_of_cancelled"), transaction.atomic():
            BookingFactory.create(cancelled_at=when)


class TestRecords:
    def test_a_booking_has_one_attendance(self):
        attendance = AttendanceFactory.create()
        with refused("booking_id"), transaction.atomic():
            Attendance.objects.create(booking=attendance.booking, status="late")

    @pytest.mark.parametrize("rating", ["0.99", "5.01", "-1"])
    def test_a_rating_is_from_one_to_five(self, rating):
        FeedbackFactory.create(rating=1)
        FeedbackFactory.create(rating=5)
        with refused("feedback_rating_in_range"), transaction.atomic():
            FeedbackFactory.create(rating=Decimal(rating))

    def test_a_student_rates_a_lesson_once(self):
        given = FeedbackFactory.create()
        FeedbackFactory.create(lesson=given.lesson)
        with refused("feedback_once"), transaction.atomic():
            FeedbackFactory.create(lesson=given.lesson, student=given.student)

    def test_a_review_has_a_score_of_the_same_scale_or_none(self):
        values = {"lesson": LessonFactory.create(), "student": PersonFactory.create()}
        PerformanceReview.objects.create(**values)
        with refused("performance_score_in_range"), transaction.atomic():
            PerformanceReview.objects.create(**values, score=6)

    def test_a_project_of_a_lesson_is_known_or_named(self):
        lesson, project = LessonFactory.create(), ProjectFactory.create()
        LessonProject.objects.create(lesson=lesson, project=project)
        LessonProject.objects.create(lesson=lesson, project_ref="12")
        with refused("lesson_project_named"), transaction.atomic():
            LessonProject.objects.create(lesson=lesson)
        with refused("lesson_project_once"), transaction.atomic():
            LessonProject.objects.create(lesson=lesson, project=project)
        with refused("lesson_project_ref_once"), transaction.atomic():
            LessonProject.objects.create(lesson=lesson, project_ref="12")

    def test_a_qualification_is_given_once(self):
        values = {"instructor": PersonFactory.create(), "specialization": "goalkeeping"}
        InstructorQualification.objects.create(**values)
        with refused("qualification_once"), transaction.atomic():
            InstructorQualification.objects.create(**values, is_active=False)


class TestCredits:
    @pytest.mark.parametrize(
        ("reason", "amount"),
        [(CreditReason.BOOKING, 1), (CreditReason.REFUND, -1), (CreditReason.ADJUSTMENT, 0)],
    )
    def test_the_sign_of_an_amount_fits_its_reason(self, reason, amount):
        with refused("credit_sign_fits_reason"), transaction.atomic():
            CreditTransaction.objects.create(
                user=PersonFactory.create(), reason=reason, amount=amount, balance_after=1
            )

    def test_a_booking_is_charged_once_and_leaves_no_debt(self):
        booking = BookingFactory.create()
        charge = {"user": booking.student, "booking": booking, "reason": CreditReason.BOOKING}
        CreditTransaction.objects.create(**charge, amount=-1, balance_after=0)
        with refused("credit_once_per_booking"), transaction.atomic():
            CreditTransaction.objects.create(**charge, amount=-1, balance_after=0)
        with refused("credit_balance_not_negative"), transaction.atomic():
            CreditTransaction.objects.create(
                user=booking.student, reason=CreditReason.ADJUSTMENT, amount=-1, balance_after=-1
            )
