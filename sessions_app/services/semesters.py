"""Making, changing and deleting semesters and cohorts (lessons.md "Models")."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError
from migrations_tools.services.actors import record_refusal
from migrations_tools.signing import delete, history_reason, save
from sessions_app.lesson_errors import (
    FieldFault,
    Forbidden,
    InvalidFields,
    NotFound,
    SemesterInUse,
)
from sessions_app.models import Cohort, Role, Semester
from sessions_app.selectors.lessons import Viewer, viewer_of
from sessions_app.selectors.lessons.semesters import find_semester, visible_semesters
from sessions_app.services.lessons.rules import leads

Row = TypeVar("Row", Semester, Cohort)

#: What can be said of a semester, in the order of forms; people are ids.
FIELDS: Final = (
    "code",
    "name",
    "start_date",
    "end_date",
    "status",
    "is_active",
    "master_instructor",
    "assistants",
    "venue",
    "city",
    "address",
)


class CodeTaken(CarryoverError):
    """Another semester has the code."""

    code = "semester_code_taken"


def create_semester(
    values: Mapping[str, Any], *, acting_user: User, surface: str, reason: str = ""
) -> Semester:
    """A semester of these values, see `FIELDS`; for admins.

    Raises Forbidden, InvalidFields or CodeTaken.
    """
    _require_admin(acting_user, surface, "make a semester")
    missing = [
        FieldFault(name, "required", _("A semester cannot do without this."))
        for name in ("code", "name", "start_date", "end_date")
        if values.get(name) is None
    ]
    if missing:
        raise InvalidFields(missing)
    semester = Semester()
    with transaction.atomic():
        _write(semester, values, acting_user, history_reason("create", surface, reason))
    return semester


def update_semester(
    semester_id: int,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    expected: Callable[[Semester], None] = lambda semester: None,
) -> Semester:
    """Change what ``values`` names; for admins. ``expected`` looks at the locked semester, and
    raises where it is not what the person means to change.

    Raises NotFound, Forbidden, InvalidFields or CodeTaken.
    """
    find_semester(acting_user, semester_id)
    viewer = _require_admin(acting_user, surface, "change a semester")
    with transaction.atomic():
        semester = visible_semesters(viewer).filter(pk=semester_id)
        held = semester.select_for_update(no_key=True, of=("self",)).first()
        if held is None:
            raise NotFound(_("There is no such semester."), semester=semester_id)
        expected(held)
        _write(held, values, acting_user, history_reason("change", surface, reason))
    return held


def create_cohort(
    semester_id: int, name: str, *, acting_user: User, surface: str, reason: str = ""
) -> Cohort:
    """A group of a semester; for its master and admins.

    Raises NotFound (semester), Forbidden or InvalidFields.
    """
    semester = find_semester(acting_user, semester_id)
    _require_leading(semester, acting_user, surface)
    cohort = Cohort(semester=semester)
    _name(cohort, name)
    save(cohort, acting_user=acting_user, reason=history_reason("create", surface, reason))
    return cohort


def rename_cohort(
    cohort: Cohort,
    name: str,
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    expected: Callable[[Cohort], None] = lambda cohort: None,
) -> Cohort:
    """Call a cohort something else, as `create_cohort`; ``expected`` as of `update_semester`."""
    _require_leading(cohort.semester, acting_user, surface)
    with transaction.atomic():
        rows = Cohort.objects.select_related("semester").filter(pk=cohort.pk)
        held = rows.select_for_update(no_key=True, of=("self",)).first()
        if held is None:
            raise NotFound(_("There is no such cohort."), cohort=cohort.pk)
        expected(held)
        before = held.name
        _name(held, name)
        if held.name != before:
            reason = history_reason("change", surface, reason)
            save(held, acting_user=acting_user, reason=reason)
    return held


def delete_semester(
    semester_id: int,
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    expected: Callable[[Semester], None] = lambda semester: None,
) -> None:
    """Delete a semester without cohorts and lessons; for admins. Its history stays.

    ``expected`` as of `update_semester`. Raises NotFound, Forbidden or SemesterInUse.
    """
    find_semester(acting_user, semester_id)
    _require_admin(acting_user, surface, "delete a semester")
    with transaction.atomic():
        held = _lock_to_delete(Semester, semester_id)
        if held is None:
            raise NotFound(_("There is no such semester."), semester=semester_id)
        expected(held)
        _refuse_in_use({"cohorts": held.cohorts.count(), "lessons": held.lessons.count()})
        delete(held, acting_user=acting_user, reason=history_reason("delete", surface, reason))


def delete_cohort(
    cohort: Cohort,
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    expected: Callable[[Cohort], None] = lambda cohort: None,
) -> None:
    """Delete a cohort without lessons, as `delete_semester`; for its semester's master and admins.

    Raises NotFound, Forbidden or SemesterInUse.
    """
    _require_leading(cohort.semester, acting_user, surface)
    with transaction.atomic():
        held = _lock_to_delete(Cohort, cohort.pk)
        if held is None:
            raise NotFound(_("There is no such cohort."), cohort=cohort.pk)
        expected(held)
        _refuse_in_use({"lessons": held.lessons.count()})
        delete(held, acting_user=acting_user, reason=history_reason("delete", surface, reason))


def _lock_to_delete(model: type[Row], pk: int) -> Row | None:
    """The row, locked also against rows that would newly refer to it."""
    return model._default_manager.select_for_update().filter(pk=pk).first()


def _refuse_in_use(counts: Mapping[str, int]) -> None:
    blocking = {name: count for name, count in counts.items() if count}
    if blocking:
        told = ", ".join(f"{count} {name}" for name, count in blocking.items())
        raise SemesterInUse(
            _("This cannot be deleted: %(told)s.") % {"told": told}, blocking=blocking
        )


def _require_admin(acting_user: User, surface: str, deed: str) -> Viewer:
    viewer = viewer_of(acting_user)
    if not viewer.is_admin:
        record_refusal(acting_user, surface=surface, deed=deed)
        raise Forbidden(_("Only admins do this."))
    return viewer


def _require_leading(semester: Semester, acting_user: User, surface: str) -> None:
    viewer = viewer_of(acting_user)
    if not viewer.is_admin and not leads(semester, viewer):
        record_refusal(acting_user, surface=surface, deed="change the cohorts of a semester")
        raise Forbidden(_("Only the master instructor of the semester does this."))


def _write(semester: Semester, values: Mapping[str, Any], acting_user: User, reason: str) -> None:
    """Set and save what differs; the rules hold for what results."""
    unknown = [
        FieldFault(name, "unknown", _("A semester has no such field."))
        for name in sorted(values.keys() - set(FIELDS))
    ]
    if unknown:
        raise InvalidFields(unknown)
    given = {**values}
    assistants: Collection[int] | None = given.pop("assistants", None)
    if "master_instructor" in given:
        given["master_instructor_id"] = given.pop("master_instructor")
    before_master = semester.master_instructor_id
    changed = {name: value for name, value in given.items() if getattr(semester, name) != value}
    for name, value in changed.items():
        setattr(semester, name, value)
    faults = [
        *_faults_of_fields(semester),
        *_faults_of_people(semester, before_master, assistants),
    ]
    if faults:
        raise InvalidFields(faults)
    if changed or semester._state.adding:
        _save(semester, acting_user, reason)
    if assistants is not None:
        semester.assistants.set(assistants)
    _forget_what_was_read(semester)


def _faults_of_fields(semester: Semester) -> Iterator[FieldFault]:
    try:
        semester.clean_fields(exclude=["master_instructor"])
    except ValidationError as error:
        for name, found in error.error_dict.items():
            for each in found:
                yield FieldFault(name, each.code or "invalid", " ".join(each.messages))
    if semester.code and not semester.code.strip():
        yield FieldFault("code", "blank", _("A semester has a code."))
    if semester.start_date and semester.end_date and semester.end_date < semester.start_date:
        yield FieldFault("end_date", "before_start", _("A semester ends after its start."))


def _faults_of_people(
    semester: Semester, before_master: int | None, assistants: Collection[int] | None
) -> Iterator[FieldFault]:
    """A master who was there before stays, whatever the old system let in."""
    master = semester.master_instructor_id
    if master not in (None, before_master) and not _teaching([master or 0]):
        yield FieldFault("master_instructor", "no_instructor", _("There is no such instructor."))
    if assistants and _teaching(assistants) != set(assistants):
        yield FieldFault("assistants", "no_instructor", _("One of them is no instructor."))


def _teaching(people: Collection[int]) -> set[int]:
    teaches = Q(profile__role__in=(Role.INSTRUCTOR, Role.ADMIN)) | Q(is_superuser=True)
    found = User.objects.filter(teaches, pk__in=people, is_active=True)
    return set(found.values_list("pk", flat=True))


def _save(semester: Semester, acting_user: User, reason: str) -> None:
    try:
        with transaction.atomic():
            save(semester, acting_user=acting_user, reason=reason)
    except IntegrityError as error:
        others = Semester.objects.exclude(pk=semester.pk)
        if not others.filter(code=semester.code).exists():
            raise
        raise CodeTaken(
            _("There is a semester “%(code)s” already.") % {"code": semester.code}
        ) from error


def _forget_what_was_read(semester: Semester) -> None:
    semester._prefetched_objects_cache = {}  # type: ignore[attr-defined]  # Django's own


def _name(cohort: Cohort, name: str) -> None:
    cohort.name = name.strip()
    try:
        cohort.clean_fields(exclude=["semester"])
    except ValidationError as error:
        raise InvalidFields(
            FieldFault(field, each.code or "invalid", " ".join(each.messages))
            for field, found in error.error_dict.items()
            for each in found
        ) from error
