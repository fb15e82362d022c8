"""``upgrade_lessons``: the training academy's semesters, lessons and bookings are carried over to
this system's constraints (lessons.md "Migration").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migrations_tools.definitions import DataMigration, option, register
from sessions_app.data_migrations.lessons.attendance import AttendanceStep
from sessions_app.data_migrations.lessons.bookings import BookingStep
from sessions_app.data_migrations.lessons.checks import CHECKS
from sessions_app.data_migrations.lessons.feedback import FeedbackStep
from sessions_app.data_migrations.lessons.lesson_projects import LessonProjectStep
from sessions_app.data_migrations.lessons.lessons import LessonStep
from sessions_app.data_migrations.lessons.semesters import CohortStep, SemesterStep
from sessions_app.data_migrations.lessons.values import zone_of
from sessions_app.data_migrations.lessons.waitlist import WaitlistStep
from sessions_app.models import (
    LegacyAttendance,
    LegacyBooking,
    LegacyCohort,
    LegacyFeedback,
    LegacyLesson,
    LegacyLessonProject,
    LegacySemester,
)


@dataclass(frozen=True)
class UpgradeLessonsOptions:
    source_tz: str = option(
        "UTC",
        "Time zone of the old system, for times without an offset, such as Europe/Budapest.",
        validators=[zone_of],
    )


@register
class UpgradeLessons(DataMigration):
    """Semesters, lessons, bookings and what was recorded of them are brought up to the rules of
    this system; waiting lists are numbered anew, and each old row keeps a link to what it became.
    """

    version = 1
    options = UpgradeLessonsOptions
    steps = [
        SemesterStep,
        CohortStep,
        LessonStep,
        BookingStep,
        AttendanceStep,
        FeedbackStep,
        LessonProjectStep,
        WaitlistStep,
    ]
    checks = CHECKS

    @classmethod
    def health(cls) -> dict[str, Any]:
        """Staged rows that have become nothing yet, by kind."""
        return {
            "semesters": LegacySemester.objects.filter(semester=None).count(),
            "cohorts": LegacyCohort.objects.filter(cohort=None).count(),
            "lessons": LegacyLesson.objects.filter(lesson=None).count(),
            "bookings": LegacyBooking.objects.filter(booking=None).count(),
            "attendance": LegacyAttendance.objects.filter(attendance=None).count(),
            "feedback": LegacyFeedback.objects.filter(feedback=None).count(),
            "lesson_projects": LegacyLessonProject.objects.filter(lesson_project=None).count(),
        }
