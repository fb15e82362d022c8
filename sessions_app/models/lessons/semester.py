"""Semesters, their cohorts, and what instructors may teach (lessons.md "Models")."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history


class SemesterStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    SEEKING_INSTRUCTOR = "seeking_instructor", _("seeking an instructor")
    INSTRUCTOR_ASSIGNED = "instructor_assigned", _("instructor assigned")
    READY_FOR_ENROLLMENT = "ready_for_enrollment", _("ready for enrollment")  # students see it
    ONGOING = "ongoing", _("ongoing")  # students see it
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")


#: Semesters that students see (lessons.md "Migration").
RUNNING_SEMESTERS: Final = (SemesterStatus.READY_FOR_ENROLLMENT, SemesterStatus.ONGOING)


class SemesterQuerySet(models.QuerySet["Semester"]):
    def running(self) -> SemesterQuerySet:
        """Those that students see: ongoing, or ready for enrollment."""
        return self.filter(status__in=RUNNING_SEMESTERS)


class Semester(models.Model):
    """Both days belong to the semester; null, for old rows only, means no limit on that side.

    The master instructor leads it; assistants see it. ``is_active`` is the old system's flag,
    kept for people; what students see follows ``status``.
    """

    code = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255)
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=SemesterStatus, default=SemesterStatus.DRAFT)
    is_active = models.BooleanField(default=True)
    master_instructor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="led_semesters",
    )
    assistants = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="assisted_semesters"
    )
    venue = models.CharField(max_length=255, blank=True, default="")
    city = models.CharField(max_length=255, blank=True, default="")
    address = models.TextField(blank=True, default="")

    objects = SemesterQuerySet.as_manager()
    history = tracked_history()

    class Meta:
        ordering = ["-start_date", "code"]
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="semester_code_not_blank"),
            models.CheckConstraint(
                condition=Q(status__in=SemesterStatus.values), name="semester_status_known"
            ),
            models.CheckConstraint(
                condition=Q(end_date__gte=F("start_date")), name="semester_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class Cohort(models.Model):
    """A group of students of one semester."""

    semester = models.ForeignKey(Semester, models.PROTECT, related_name="cohorts")
    name = models.CharField(max_length=255)

    history = tracked_history()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            # what the foreign key of `Lesson` to a cohort of its own semester points to
            models.UniqueConstraint(fields=["id", "semester"], name="cohort_with_semester"),
        ]

    def __str__(self) -> str:
        return self.name


class InstructorQualification(models.Model):
    """What an instructor may teach: a lesson for this target needs an active one."""

    instructor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="qualifications", db_index=False
    )
    specialization = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True)
    granted_at = models.DateTimeField(null=True, blank=True)

    history = tracked_history()

    class Meta:
        ordering = ["instructor", "specialization"]
        constraints = [
            models.UniqueConstraint(
                fields=["instructor", "specialization"], name="qualification_once"
            ),
            models.CheckConstraint(condition=~Q(specialization=""), name="qualification_not_blank"),
        ]

    def __str__(self) -> str:
        return f"{self.instructor}: {self.specialization}"
