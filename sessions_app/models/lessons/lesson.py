"""Lessons: a session of kind ``lesson`` with a time, a place and seats (lessons.md "Models")."""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history
from sessions_app.models.lessons.semester import Cohort, Semester
from sessions_app.models.project import Project
from sessions_app.models.session import Session

DEFAULT_CAPACITY: Final = 20  # seats
DEFAULT_CREDIT_COST: Final = 1  # credits

#: An http(s) address with a host and without white space; PostgreSQL and Python read it alike.
WEB_ADDRESS: Final = r"^https?://[^\s/?#]+[^\s]*$"
_web_address: Final = re.compile(WEB_ADDRESS, re.IGNORECASE)
_validate_address: Final = URLValidator(schemes=["http", "https"])


def is_web_address(text: str) -> bool:
    """Whether it is an http or https address with a host, which the column takes too: the
    validator alone lets white space of other scripts into a host.
    """
    try:
        _validate_address(text)
    except ValidationError:
        return False
    return _web_address.fullmatch(text) is not None


class Delivery(models.TextChoices):
    ON_SITE = "on_site", _("on site")
    VIRTUAL = "virtual", _("virtual")
    HYBRID = "hybrid", _("hybrid")


class LessonQuerySet(models.QuerySet["Lesson"]):
    def with_relations(self) -> LessonQuerySet:
        """With session, semester, cohort and instructor by the same query."""
        return self.select_related("session", "semester", "cohort", "instructor")


class Lesson(models.Model):
    """Title, description, status and creation are those of the session.

    ``capacity`` counts seats, ``credit_cost`` credits. ``target_specialization`` is blank where
    the lesson is for everybody. A meeting link is there for virtual lessons only. A database
    constraint beyond those below holds that the cohort is one of the semester
    (``lesson_cohort_of_semester``, a foreign key over both columns).
    """

    session = models.OneToOneField(Session, models.PROTECT, related_name="lesson")
    semester = models.ForeignKey(Semester, models.PROTECT, related_name="lessons", db_index=False)
    cohort = models.ForeignKey(
        Cohort, models.PROTECT, null=True, blank=True, related_name="lessons", db_index=False
    )
    instructor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="lessons",
        db_index=False,
    )
    delivery = models.CharField(max_length=7, choices=Delivery, default=Delivery.ON_SITE)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.IntegerField(default=DEFAULT_CAPACITY)
    credit_cost = models.IntegerField(default=DEFAULT_CREDIT_COST)
    location = models.TextField(blank=True, default="")
    meeting_link = models.TextField(null=True, blank=True)  # noqa: DJ001 - "" → null (lessons.md)
    target_specialization = models.CharField(max_length=255, blank=True, default="")
    open_to_all = models.BooleanField(default=False)
    sport_type = models.CharField(max_length=255, blank=True, default="")
    level = models.CharField(max_length=255, blank=True, default="")

    objects = LessonQuerySet.as_manager()
    history = tracked_history()

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(delivery__in=Delivery.values), name="lesson_delivery_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="lesson_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(capacity__gte=1), name="lesson_has_a_seat"),
            models.CheckConstraint(
                condition=Q(credit_cost__gte=0), name="lesson_credit_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(meeting_link__isnull=True)
                | Q(delivery=Delivery.VIRTUAL, meeting_link__iregex=WEB_ADDRESS),
                name="lesson_link_of_virtual",
            ),
        ]
        indexes = [
            # read forwards for upcoming lessons and backwards for past ones
            models.Index(fields=["starts_at", "id"], name="lesson_by_start"),
            models.Index(fields=["semester", "starts_at", "id"], name="lesson_by_semester"),
            models.Index(
                fields=["cohort", "starts_at", "id"],
                condition=Q(cohort__isnull=False),
                name="lesson_by_cohort",
            ),
            models.Index(
                fields=["instructor", "starts_at", "id"],
                condition=Q(instructor__isnull=False),
                name="lesson_by_instructor",
            ),
        ]

    def __str__(self) -> str:
        return str(self.session)


class LessonProject(models.Model):
    """A project that a lesson works on. ``project_ref`` is the id that the old system wrote;
    its projects are not carried over, so it may be all that is known.
    """

    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="lesson_projects")
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="lesson_projects"
    )
    project_ref = models.CharField(max_length=255, blank=True, default="")
    is_required = models.BooleanField(default=False)

    history = tracked_history()

    class Meta:
        ordering = ["lesson", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lesson", "project"],
                condition=Q(project__isnull=False),
                name="lesson_project_once",
            ),
            models.UniqueConstraint(
                fields=["lesson", "project_ref"],
                condition=~Q(project_ref=""),
                name="lesson_project_ref_once",
            ),
            models.CheckConstraint(
                condition=Q(project__isnull=False) | ~Q(project_ref=""),
                name="lesson_project_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lesson}: {self.project or self.project_ref}"
