"""Making a lesson: three statements, the person's profile included (lessons.md "Create")."""

from __future__ import annotations

import uuid
from typing import Any, Final, cast

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext as _

from migrations_tools.engine.history import INSERTED, history_model
from migrations_tools.engine.sql import (
    column_list,
    column_type,
    quoted,
    table_of,
    written_fields,
)
from migrations_tools.states import Surface
from sessions_app.lesson_errors import Forbidden, InvalidFields
from sessions_app.models import (
    DEFAULT_CAPACITY,
    DEFAULT_CREDIT_COST,
    Delivery,
    Lesson,
    Session,
    SessionKind,
    SessionStatus,
)
from sessions_app.selectors.lessons import Clock, system_clock, viewer_of
from sessions_app.services.lessons.common import refusals_on_record
from sessions_app.services.lessons.rules import read_facts, require_sound, with_place
from sessions_app.services.lessons.values import (
    LessonValues,
    cleaned,
    missing_faults,
    value_faults,
)

_DEFAULTS: Final[LessonValues] = {
    "description": "",
    "cohort": None,
    "delivery": Delivery.ON_SITE,
    "capacity": DEFAULT_CAPACITY,
    "credit_cost": DEFAULT_CREDIT_COST,
    "location": "",
    "meeting_link": None,
    "target_specialization": "",
    "open_to_all": False,
    "sport_type": "",
    "level": "",
}
_CREATED: Final = "created"


def create_lesson(
    values: LessonValues,
    *,
    acting_user: User,
    surface: str = Surface.API,
    clock: Clock = system_clock,
) -> Lesson:
    """A scheduled lesson. Without ``instructor`` the semester's master gives it.

    Raises Forbidden, NotQualified, NotFound (semester) or InvalidFields.
    """
    with refusals_on_record(acting_user, surface, "schedule a lesson"):
        return _create(values, acting_user, clock)


def _create(values: LessonValues, acting_user: User, clock: Clock) -> Lesson:
    viewer = viewer_of(acting_user)
    if viewer.is_student:
        raise Forbidden(_("Students do not schedule lessons."))
    faults = [*value_faults(values), *missing_faults(values)]
    if faults:
        raise InvalidFields(faults)
    result = {"instructor": None, **_DEFAULTS, **cleaned(values)}
    facts = read_facts(result, viewer)
    require_sound(result, facts, viewer)
    if "instructor" not in values:
        result["instructor"] = facts.semester.master_instructor_id
    result = with_place(result, facts.semester)
    now = clock()
    session = Session(
        session_id=f"lesson-{uuid.uuid4()}",
        kind=SessionKind.LESSON,
        status=SessionStatus.SCHEDULED,
        title=result.pop("title"),
        description=result.pop("description"),
        created_at=now,
        updated_at=now,
    )
    result["semester"] = facts.semester
    lesson = Lesson(
        cohort_id=result.pop("cohort"), instructor_id=result.pop("instructor"), **result
    )
    _insert(session, lesson, acting_user)
    return lesson


def _insert(session: Session, lesson: Lesson, acting_user: User) -> None:
    """Both rows and their history by one statement, which is all or nothing by itself."""
    own, own_places, own_values = _columns(session, without=("id",))
    its, its_places, its_values = _columns(lesson, without=("id", "session_id"))
    sql = f"""
        WITH new_session AS (
            INSERT INTO {table_of(Session)} ({column_list(own)})
            VALUES ({own_places}) RETURNING *
        ), new_lesson AS (
            INSERT INTO {table_of(Lesson)} (session_id, {column_list(its)})
            SELECT new_session.id, {its_places} FROM new_session RETURNING *
        ), told AS (
            SELECT now() AS at, %s::text AS why, '{INSERTED}' AS what, %s::bigint AS who
        ), of_session AS (
            {_history_of(Session, "new_session")}
        ), of_lesson AS (
            {_history_of(Lesson, "new_lesson")}
        )
        SELECT session_id, id FROM new_lesson
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [*own_values, *its_values, _CREATED, acting_user.pk])
        session.pk, lesson.pk = cursor.fetchone()
    lesson.session = session
    for obj in (session, lesson):
        obj._state.adding, obj._state.db = False, connection.alias


def _columns(obj: Model, without: tuple[str, ...]) -> tuple[list[str], str, list[Any]]:
    """Names, typed places and values of a row's columns."""
    fields = [field for field in written_fields(type(obj)) if field.column not in without]
    values = [field.get_db_prep_save(getattr(obj, field.attname), connection) for field in fields]
    places = ", ".join(f"%s::{column_type(field)}" for field in fields)
    return [str(field.column) for field in fields], places, values


def _history_of(model: type[Model], made: str) -> str:
    history = cast("type[Model]", history_model(model))  # sessions and lessons are tracked
    tracked = [field.column for field in history.tracked_fields]  # type: ignore[attr-defined]
    read = ", ".join(f"{made}.{quoted(column)}" for column in tracked)
    return (
        f"INSERT INTO {table_of(history)} ({column_list(tracked)}, history_date, "
        "history_change_reason, history_type, history_user_id) "
        f"SELECT {read}, told.at, told.why, told.what, told.who FROM {made}, told"
    )
