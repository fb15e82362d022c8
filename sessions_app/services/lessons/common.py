"""Locking a lesson, refusals on record, ratings, the history of what one statement changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext as _

from migrations_tools.engine.history import CHANGED, write_history
from migrations_tools.services.actors import record_refusal
from sessions_app.lesson_errors import FieldFault, Forbidden, InvalidFields, NotFound
from sessions_app.models import HIGHEST_RATING, LOWEST_RATING, Lesson
from sessions_app.selectors.lessons import Viewer, find_lesson


@contextmanager
def refusals_on_record(acting_user: User, surface: str, deed: str) -> Iterator[None]:
    """Keep what a person was not allowed to do. Goes around the transaction, which is undone."""
    try:
        yield
    except Forbidden as refusal:
        record_refusal(acting_user, surface=surface, deed=deed, code=refusal.code)
        raise


def lock_lesson(session_id: str, viewer: Viewer, *, to_delete: bool = False) -> Lesson:
    """The visible lesson, its row locked until the transaction ends; relations as they are then.

    Whoever changes bookings of a lesson holds this lock, so bookings of one lesson come one after
    the other. To delete it, the lock also keeps rows from newly referring to it. Raises NotFound.
    """
    return lock_known_lesson(find_lesson(session_id, viewer), viewer, to_delete=to_delete)


def lock_known_lesson(lesson: Lesson, viewer: Viewer, *, to_delete: bool = False) -> Lesson:
    """As `lock_lesson`, of a lesson that was found."""
    rows = Lesson.objects.filter(pk=lesson.pk).select_for_update(no_key=not to_delete)
    if rows.values_list("pk").first() is None:
        raise NotFound(_("There is no such lesson."), lesson=lesson.session.session_id)
    # read again: its session, or whether it is visible, may have changed before the lock
    return find_lesson(lesson.session.session_id, viewer)


def write_changes(
    model: type[Model], pks: Iterable[int], *, acting_user: User, reason: str
) -> None:
    """History rows, by one statement, of rows that a set-based update has changed."""
    named = ",".join(str(int(pk)) for pk in pks)
    if not named:
        return
    given = f"(SELECT unnest('{{{named}}}'::bigint[]) AS pk) AS given"
    with connection.cursor() as cursor:
        write_history(cursor, model, given, CHANGED, reason, acting_user.pk)


def on_scale(field: str, given: Decimal | int | str) -> Decimal:
    """A rating or a score, 1–5 with up to two decimals. Raises InvalidFields for ``field``."""
    fault: FieldFault | None = None
    try:
        value = Decimal("NaN") if isinstance(given, bool) else Decimal(given)
    except (InvalidOperation, TypeError, ValueError):
        value = Decimal("NaN")
    if not value.is_finite():
        fault = FieldFault(field, "invalid", _("This is no number."))
    elif not LOWEST_RATING <= value <= HIGHEST_RATING:
        message = _("A %(field)s is from 1 to 5.") % {"field": _(field)}
        fault = FieldFault(field, "out_of_range", message)
    elif value != round(value, 2):
        message = _("A %(field)s has at most two decimals.") % {"field": _(field)}
        fault = FieldFault(field, "too_precise", message)
    if fault:
        raise InvalidFields([fault])
    return value
