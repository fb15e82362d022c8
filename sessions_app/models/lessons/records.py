"""What is recorded of a lesson: attendance, feedback, reviews (lessons.md "Models")."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history
from sessions_app.models.lessons.booking import Booking
from sessions_app.models.lessons.lesson import Lesson

LOWEST_RATING: Final = Decimal(1)
HIGHEST_RATING: Final = Decimal(5)


class AttendanceStatus(models.TextChoices):
    PRESENT = "present", _("present")  # may give feedback
    ABSENT = "absent", _("absent")
    LATE = "late", _("late")  # may give feedback
    EXCUSED = "excused", _("excused")


class Attendance(models.Model):
    """Whether the student of a booking came; one per booking."""

    booking = models.OneToOneField(Booking, models.PROTECT, related_name="attendance")
    status = models.CharField(max_length=7, choices=AttendanceStatus)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    history = tracked_history()

    class Meta:
        verbose_name_plural = "attendance"
        ordering = ["booking"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=AttendanceStatus.values), name="attendance_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.booking}: {self.status}"


class Feedback(models.Model):
    """A student's rating of a lesson, 1.0–5.0; one per student and lesson."""

    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="feedback", db_index=False)
    student = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="lesson_feedback"
    )
    rating = models.DecimalField(max_digits=3, decimal_places=2)
    comment = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        verbose_name_plural = "feedback"
        ordering = ["lesson", "id"]
        constraints = [
            models.UniqueConstraint(fields=["lesson", "student"], name="feedback_once"),
            models.CheckConstraint(
                condition=Q(rating__gte=LOWEST_RATING, rating__lte=HIGHEST_RATING),
                name="feedback_rating_in_range",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(student)s on %(lesson)s: %(rating)s") % {
            "student": self.student,
            "lesson": self.lesson,
            "rating": self.rating,
        }


class PerformanceReview(models.Model):
    """What an instructor says of a student in a lesson. ``score`` is on the scale of ratings."""

    lesson = models.ForeignKey(
        Lesson, models.PROTECT, related_name="performance_reviews", db_index=False
    )
    student = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="performance_reviews"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    score = models.DecimalField(max_digits=3, decimal_places=2, null=True, blank=True)
    comment = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        ordering = ["lesson", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(score__gte=LOWEST_RATING, score__lte=HIGHEST_RATING),
                name="performance_score_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["lesson", "student"], name="performance_of_lesson"),
        ]

    def __str__(self) -> str:
        return gettext("%(student)s in %(lesson)s") % {
            "student": self.student,
            "lesson": self.lesson,
        }
