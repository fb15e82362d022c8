"""Semesters and cohorts that a person sees (lessons.md "Visibility")."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from sessions_app.lesson_errors import NotFound
from sessions_app.models import Cohort, Lesson, Role, Semester
from sessions_app.models.lessons.semester import SemesterQuerySet
from sessions_app.selectors.lessons.viewers import Viewer, viewer_of


def visible_semesters(viewer: Viewer) -> SemesterQuerySet:
    """Admins see all, instructors those that they lead, assist, or give a lesson in, students
    those that run. With master, assistants and cohorts in two more queries.
    """
    semesters = Semester.objects.select_related("master_instructor").prefetch_related(
        "assistants", "cohorts"
    )
    if viewer.is_admin:
        return semesters
    if viewer.role != Role.INSTRUCTOR:
        return semesters.running()
    own = viewer.user_id
    assisted = Semester.assistants.through.objects.filter(user=own, semester=OuterRef("pk"))
    given = Lesson.objects.filter(instructor=own, semester=OuterRef("pk"))
    return semesters.filter(Q(master_instructor=own) | Exists(assisted) | Exists(given))


def find_semester(user: User | AnonymousUser, semester_id: int) -> Semester:
    """One of them. Raises NotFound, for hidden ones too."""
    found = visible_semesters(viewer_of(user)).filter(pk=semester_id).first()
    if found is None:
        raise NotFound(_("There is no such semester."), semester=semester_id)
    return found


def visible_cohorts(viewer: Viewer) -> QuerySet[Cohort]:
    """Those of visible semesters, each with its semester."""
    cohorts = Cohort.objects.select_related("semester")
    if viewer.is_admin:
        return cohorts
    semesters = visible_semesters(viewer).order_by().values("pk")
    return cohorts.filter(semester__in=semesters)


def find_cohort(user: User | AnonymousUser, cohort_id: int) -> Cohort:
    """One of them. Raises NotFound, for hidden ones too."""
    found = visible_cohorts(viewer_of(user)).filter(pk=cohort_id).first()
    if found is None:
        raise NotFound(_("There is no such cohort."), cohort=cohort_id)
    return found
