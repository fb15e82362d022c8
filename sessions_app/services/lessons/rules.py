"""What a lesson must be as a whole, whichever of its values was sent (lessons.md "Create")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app.lesson_errors import (
    FieldFault,
    Forbidden,
    InvalidFields,
    NotFound,
    NotQualified,
)
from sessions_app.models import Cohort, Delivery, InstructorQualification, Role, Semester
from sessions_app.selectors.lessons import Viewer


@dataclass(frozen=True)
class Facts:
    """What the rules need of the database. ``cohort_semester`` is None for an unknown cohort."""

    semester: Semester
    cohort_semester: int | None
    instructor_teaches: bool
    actor_qualified: bool


def read_facts(result: Mapping[str, Any], viewer: Viewer) -> Facts:
    """By one query. Raises NotFound for an unknown semester."""
    teaches = Q(profile__role__in=(Role.INSTRUCTOR, Role.ADMIN)) | Q(is_superuser=True)
    people = get_user_model().objects.filter(teaches, pk=result["instructor"])
    qualified = InstructorQualification.objects.filter(
        instructor=viewer.user_id, specialization=result["target_specialization"], is_active=True
    )
    cohort = Cohort.objects.filter(pk=result["cohort"]).values("semester")
    found: Any = (  # a Semester with three more attributes
        Semester.objects.filter(pk=result["semester"])
        .annotate(
            cohort_semester=Subquery(cohort),
            instructor_teaches=Exists(people),
            actor_qualified=Exists(qualified),
        )
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such semester."), semester=result["semester"])
    return Facts(
        semester=found,
        cohort_semester=found.cohort_semester,
        instructor_teaches=found.instructor_teaches,
        actor_qualified=found.actor_qualified,
    )


def require_master(semester: Semester, viewer: Viewer) -> None:
    """Admins, and the instructor who leads the semester. Raises Forbidden."""
    if not viewer.is_admin and not leads(semester, viewer):
        raise Forbidden(_("Only the master instructor of the semester does this."))


def leads(semester: Semester, viewer: Viewer) -> bool:
    return viewer.role == Role.INSTRUCTOR and semester.master_instructor_id == viewer.user_id


def require_sound(
    result: Mapping[str, Any], facts: Facts, viewer: Viewer, *, instructor_before: int | None = None
) -> None:
    """An instructor who was there before stays, whatever the old system let in.

    Raises Forbidden, NotQualified, or InvalidFields with every fault.
    """
    require_master(facts.semester, viewer)
    target = result["target_specialization"]
    if target and not viewer.is_admin and not facts.actor_qualified:
        raise NotQualified(
            _("A lesson for “%(target)s” needs an active qualification.") % {"target": target},
            specialization=target,
        )
    faults = list(_faults(result, facts))
    if result["instructor"] not in (None, instructor_before) and not facts.instructor_teaches:
        faults.append(FieldFault("instructor", "no_instructor", _("There is no such instructor.")))
    if faults:
        raise InvalidFields(faults)


def with_place(result: Mapping[str, Any], semester: Semester) -> dict[str, Any]:
    """A lesson that is not virtual takes a missing place from its semester."""
    place = result["location"]
    if not place and result["delivery"] != Delivery.VIRTUAL:
        place = semester.venue or ", ".join(filter(None, (semester.address, semester.city)))
    return {**result, "location": place}


def _faults(result: Mapping[str, Any], facts: Facts) -> Iterator[FieldFault]:
    if result["ends_at"] <= result["starts_at"]:
        yield FieldFault("ends_at", "not_after_start", _("A lesson ends after its start."))
    for name in ("starts_at", "ends_at"):
        if not _within(facts.semester, _day(result[name])):
            yield FieldFault(name, "outside_semester", _("This is outside the semester."))
    if result["meeting_link"] and result["delivery"] != Delivery.VIRTUAL:
        yield FieldFault("meeting_link", "link_not_virtual", _("Only virtual lessons have a link."))
    if result["cohort"] is not None and facts.cohort_semester != facts.semester.pk:
        yield FieldFault("cohort", "not_of_semester", _("The semester has no such cohort."))


def _within(semester: Semester, day: date) -> bool:
    """Both days inclusive; an old semester may lack one."""
    return (semester.start_date is None or semester.start_date <= day) and (
        semester.end_date is None or day <= semester.end_date
    )


def _day(at: datetime) -> date:
    """In the installation's time zone."""
    return timezone.localdate(at, timezone.get_default_timezone())
