"""Lessons whose relations all differ, and the loop that lists them as the old system did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Avg

from sessions_app.models import (
    Attendance,
    AttendanceStatus,
    Booking,
    BookingStatus,
    Cohort,
    Feedback,
    Lesson,
    Profile,
    Role,
    Semester,
    SemesterStatus,
    Session,
    SessionKind,
    SessionStatus,
)
from sessions_app.selectors.lessons import LessonItem, list_lessons

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STUDENTS = 10  # bookings of every lesson: 7 confirmed, 2 waiting, 1 cancelled


def make_lessons(number: int) -> User:
    """Half of them past. Answers a student who sees them all."""
    people = [User(username=f"person-{n}") for n in range(number + STUDENTS)]
    people = User.objects.bulk_create(people)
    students, teachers = people[:STUDENTS], people[STUDENTS:]
    Profile.objects.bulk_create(Profile(user=user, role=Role.STUDENT) for user in students)
    semesters = Semester.objects.bulk_create(
        Semester(code=f"S{n}", name=f"Semester {n}", status=SemesterStatus.ONGOING)
        for n in range(number)
    )
    cohorts = Cohort.objects.bulk_create(
        Cohort(semester=semester, name="Blue") for semester in semesters
    )
    sessions = Session.objects.bulk_create(
        Session(
            session_id=f"lesson-{n}",
            kind=SessionKind.LESSON,
            status=SessionStatus.SCHEDULED,
            title=f"Lesson {n}",
        )
        for n in range(number)
    )
    lessons = Lesson.objects.bulk_create(
        Lesson(
            session=session,
            semester=semesters[n],
            cohort=cohorts[n],
            instructor=teachers[n],
            starts_at=NOW + timedelta(hours=n - number // 2),
            ends_at=NOW + timedelta(hours=n - number // 2 + 1),
        )
        for n, session in enumerate(sessions)
    )
    bookings = Booking.objects.bulk_create(
        Booking(lesson=lesson, student=student, **_state(n))
        for lesson in lessons
        for n, student in enumerate(students)
    )
    Attendance.objects.bulk_create(
        Attendance(booking=booking, status=AttendanceStatus.PRESENT)
        for booking in bookings
        if booking.status == BookingStatus.CONFIRMED
    )
    Feedback.objects.bulk_create(
        Feedback(lesson=lesson, student=student, rating=4)
        for lesson in lessons
        for student in students[:5]
    )
    return students[0]


def ours(student: User, page_size: int) -> list[LessonItem]:
    return list_lessons(student, page_size=page_size, clock=lambda: NOW).items


def five_queries_each(page_size: int) -> list[dict[str, Any]]:
    """As the old system: relations by the first query, then five queries for every lesson."""
    upcoming = Lesson.objects.with_relations().filter(starts_at__gte=NOW).order_by("starts_at")
    past = Lesson.objects.with_relations().filter(starts_at__lt=NOW).order_by("-starts_at")
    return [_by_itself(lesson) for lesson in [*upcoming, *past][:page_size]]


def same(item: LessonItem, listed: dict[str, Any]) -> bool:
    """Whether both ways say the same of a lesson."""
    return all(getattr(item, name) == value for name, value in listed.items())


def _by_itself(lesson: Lesson) -> dict[str, Any]:
    bookings = Booking.objects.filter(lesson=lesson)
    return {
        "session_id": lesson.session.session_id,
        "title": lesson.session.title,
        "starts_at": lesson.starts_at,
        "booking_count": bookings.count(),
        "confirmed_bookings": bookings.confirmed().count(),
        "waitlist_count": bookings.waiting().count(),
        "attendance_count": Attendance.objects.filter(booking__lesson=lesson).count(),
        "average_rating": Feedback.objects.filter(lesson=lesson).aggregate(Avg("rating"))[
            "rating__avg"
        ],
    }


def _state(number: int) -> dict[str, Any]:
    if number < 7:
        return {"status": BookingStatus.CONFIRMED}
    if number < 9:
        return {"status": BookingStatus.WAITLISTED, "waitlist_position": number - 6}
    return {"status": BookingStatus.CANCELLED}
