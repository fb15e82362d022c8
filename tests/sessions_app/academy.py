"""People and a clock of the training academy, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from sessions_app.models import Booking, BookingStatus, Lesson, Profile, Role, Semester
from tests.sessions_app.lesson_factories import (
    BookingFactory,
    LessonFactory,
    LessonSessionFactory,
    PersonFactory,
    SemesterFactory,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


def at_now() -> datetime:
    return NOW


def admin(**values: Any) -> User:
    return person(Role.ADMIN, **values)


def instructor(**values: Any) -> User:
    return person(Role.INSTRUCTOR, **values)


def student(credit_balance: int = 10, specialization: str = "", **values: Any) -> User:
    return person(
        Role.STUDENT, credit_balance=credit_balance, specialization=specialization, **values
    )


def person(role: Role, *, credit_balance: int = 0, specialization: str = "", **values: Any) -> User:
    user: User = PersonFactory.create(**values)
    Profile.objects.create(
        user=user, role=role, credit_balance=credit_balance, specialization=specialization
    )
    return user


def lesson(
    title: str = "Passing", *, starts_in: timedelta = 48 * HOUR, status: str = "", **values: Any
) -> Lesson:
    """A lesson of an hour, ``starts_in`` from `NOW`, of a running semester."""
    session = {"title": title} | ({"status": status} if status else {})
    values.setdefault("starts_at", NOW + starts_in)
    values.setdefault("ends_at", values["starts_at"] + HOUR)
    made: Lesson = LessonFactory.create(session=LessonSessionFactory.create(**session), **values)
    return made


def semester(**values: Any) -> Semester:
    made: Semester = SemesterFactory.create(**values)
    return made


def confirmed(lesson: Lesson, student: User) -> Booking:
    made: Booking = BookingFactory.create(lesson=lesson, student=student)
    return made


def waiting(lesson: Lesson, student: User, position: int) -> Booking:
    made: Booking = BookingFactory.create(
        lesson=lesson,
        student=student,
        status=BookingStatus.WAITLISTED,
        waitlist_position=position,
    )
    return made
