"""Factories of the training academy."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from factory.declarations import SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from sessions_app.models import (
    Attendance,
    AttendanceStatus,
    Booking,
    Cohort,
    Delivery,
    Feedback,
    Lesson,
    Semester,
    SemesterStatus,
    SessionKind,
    SessionStatus,
)
from tests.sessions_app.factories import SessionFactory


class PersonFactory(DjangoModelFactory[Any]):
    class Meta:
        model = get_user_model()

    username = Sequence("person-{}".format)
    email = Sequence("person-{}@example.com".format)


class SemesterFactory(DjangoModelFactory[Semester]):
    class Meta:
        model = Semester

    code = Sequence("SEM-{}".format)
    name = SelfAttribute("code")
    start_date = date(2026, 1, 1)
    end_date = date(2026, 6, 30)
    status = SemesterStatus.ONGOING


class CohortFactory(DjangoModelFactory[Cohort]):
    class Meta:
        model = Cohort

    semester = SubFactory(SemesterFactory)
    name = Sequence("Group {}".format)


class LessonSessionFactory(SessionFactory):
    kind = SessionKind.LESSON
    status = SessionStatus.SCHEDULED
    title = "Passing under pressure"


class LessonFactory(DjangoModelFactory[Lesson]):
    class Meta:
        model = Lesson

    session = SubFactory(LessonSessionFactory)
    semester = SubFactory(SemesterFactory)
    delivery = Delivery.ON_SITE
    starts_at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    ends_at = datetime(2026, 3, 1, 10, tzinfo=UTC)


class BookingFactory(DjangoModelFactory[Booking]):
    class Meta:
        model = Booking

    lesson = SubFactory(LessonFactory)
    student = SubFactory(PersonFactory)


class AttendanceFactory(DjangoModelFactory[Attendance]):
    class Meta:
        model = Attendance

    booking = SubFactory(BookingFactory)
    status = AttendanceStatus.PRESENT


class FeedbackFactory(DjangoModelFactory[Feedback]):
    class Meta:
        model = Feedback

    lesson = SubFactory(LessonFactory)
    student = SubFactory(PersonFactory)
    rating = Decimal("4.5")
