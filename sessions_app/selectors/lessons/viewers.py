"""Whose eyes: the role of an account, and which lessons it sees (lessons.md "Visibility")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_tools.text import storable
from sessions_app.lesson_errors import Forbidden, NotFound
from sessions_app.models import RUNNING_SEMESTERS, Lesson, Profile, Role, Semester
from sessions_app.models.lessons.lesson import LessonQuerySet

#: Tells the present instant, aware; tests set it.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present instant."""
    return timezone.now()


@dataclass(frozen=True)
class Viewer:
    """A person of the academy. ``specialization`` is blank where there is none."""

    user_id: int
    role: Role
    specialization: str = ""

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def is_student(self) -> bool:
        return self.role == Role.STUDENT


def viewer_of(user: User | AnonymousUser) -> Viewer:
    """One query, none for superusers. Without a profile a person is a student.

    Raises Forbidden for strangers and inactive accounts.
    """
    if not isinstance(user, User) or not user.is_active:
        raise Forbidden(_("This account is not active."))
    if user.is_superuser:
        return Viewer(user.pk, Role.ADMIN)
    known = Profile.objects.filter(user=user).values_list("role", "specialization").first()
    role, specialization = known or (Role.STUDENT, "")
    return Viewer(user.pk, Role(role), specialization.strip())


def visible_to(viewer: Viewer) -> LessonQuerySet:
    """The lessons that a person sees; all others are hidden everywhere.

    Admins see all. Instructors see the semesters they lead, assist, or give a lesson in. Students
    see lessons of running semesters for everybody, for their own specialization, or open to all.
    """
    lessons = Lesson.objects.all()
    if viewer.is_admin:
        return lessons
    if viewer.role == Role.INSTRUCTOR:
        own = viewer.user_id
        return lessons.filter(
            Q(semester__in=Semester.objects.filter(master_instructor=own).values("pk"))
            | Q(
                semester__in=Semester.assistants.through.objects.filter(user=own).values("semester")
            )
            | Q(semester__in=Lesson.objects.filter(instructor=own).values("semester"))
        )
    for_them = Q(target_specialization="") | Q(open_to_all=True)
    if viewer.specialization:
        for_them |= Q(target_specialization=viewer.specialization)
    return lessons.filter(for_them, semester__status__in=RUNNING_SEMESTERS)


def public_id_of(reference: str) -> str:
    """The public id of the lesson that is named by it, or by the ``id`` that lists tell.

    Lessons' public ids are never digits alone. Whether the lesson is visible is asked later.
    """
    if not (reference.isascii() and reference.isdigit() and len(reference) < 20):
        return reference
    known = Lesson.objects.filter(pk=int(reference))
    return known.values_list("session__session_id", flat=True).first() or reference


def find_lesson(session_id: str, viewer: Viewer, *, lock: bool = False) -> Lesson:
    """The lesson of a public id with its relations; with ``lock`` its row is locked as writers of
    bookings do. Raises NotFound, for hidden ones too.
    """
    lessons = visible_to(viewer).with_relations()
    if lock:
        lessons = lessons.select_for_update(no_key=True, of=("self",))
    lesson = None
    if storable(session_id):
        lesson = lessons.filter(session__session_id=session_id).first()
    if lesson is None:
        raise NotFound(_("There is no such lesson."), lesson=session_id)
    return lesson


def is_staff_of(lesson: Lesson, viewer: Viewer) -> bool:
    """Whether the lesson is theirs to run: admins, the semester's master, its instructor."""
    return (
        viewer.is_admin
        or lesson.instructor_id == viewer.user_id
        or lesson.semester.master_instructor_id == viewer.user_id
    )
