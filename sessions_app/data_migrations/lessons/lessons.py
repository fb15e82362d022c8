"""Lessons: a session of kind ``lesson`` and what belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    Insert,
    Outcome,
    Reject,
    RowSource,
    Step,
    Update,
    Warning_,
    build,
)
from sessions_app.data_migrations.lessons.links import (
    as_told,
    became,
    compare,
    linked,
    named,
    people,
)
from sessions_app.data_migrations.lessons.semesters import person_of
from sessions_app.data_migrations.lessons.values import (
    UnreadableError,
    Warnings,
    flag,
    instant,
    instant_or_none,
    short_text,
    whole_number,
    word,
    written,
    zone_of,
)
from sessions_app.legacy_imports.lessons import legacy_id
from sessions_app.models import (
    DEFAULT_CAPACITY,
    DEFAULT_CREDIT_COST,
    Cohort,
    Delivery,
    LegacyLesson,
    Lesson,
    Semester,
    Session,
    SessionKind,
    SessionStatus,
    is_web_address,
)

#: Words of ``mode`` and of ``session_type`` → how the lesson is held.
DELIVERIES: Final = {
    **{delivery.value: delivery.value for delivery in Delivery},
    "offline": Delivery.ON_SITE.value,
    "onsite": Delivery.ON_SITE.value,
    "online": Delivery.VIRTUAL.value,
}
#: Words of ``session_status`` → status; none is scheduled.
STATUSES: Final = {
    "": SessionStatus.SCHEDULED.value,
    "scheduled": SessionStatus.SCHEDULED.value,
    "in_progress": SessionStatus.ACTIVE.value,
    "active": SessionStatus.ACTIVE.value,
    "completed": SessionStatus.COMPLETED.value,
    "cancelled": SessionStatus.CANCELLED.value,
    "canceled": SessionStatus.CANCELLED.value,
}
_LONGEST_LINK: Final = 2_000  # characters


@dataclass(slots=True)
class LessonFacts:
    """``semesters`` → key, start and end; ``cohorts`` → key and semester; by legacy id."""

    zone: tzinfo
    semesters: Mapping[str, tuple[Any, ...]]
    cohorts: Mapping[str, tuple[Any, ...]]
    people: Mapping[str, int]
    taken: Collection[str]  # public ids that other sessions have
    linked: Mapping[int, Lesson]


class LessonStep(Step):
    """Each row becomes a session with its lesson."""

    source = RowSource(LegacyLesson, key="key")
    writes = [Session, Lesson, LegacyLesson]

    def load(self, rows: Sequence[Any]) -> LessonFacts:
        public = [public_id(row.key) for row in rows if row.lesson_id is None]
        taken = Session.objects.filter(session_id__in=public).order_by()
        return LessonFacts(
            zone=zone_of(self.options.source_tz),
            semesters=became(Semester, named(rows, "semester_id"), "pk", "start_date", "end_date"),
            cohorts=became(Cohort, named(rows, "group_id"), "pk", "semester_id"),
            people=people(named(rows, "instructor_id")),
            taken=set(taken.values_list("session_id", flat=True)),
            linked=linked(Lesson, rows, "lesson_id", "session"),
        )

    def transform(self, row: Any, facts: LessonFacts) -> Outcome:
        warnings: Warnings = []
        about = session_values(row, facts, warnings)
        values = lesson_values(row, facts, warnings)
        if row.lesson_id is not None:
            of_session = {f"session__{name}": value for name, value in about.items()}
            return compare(facts.linked.get(row.lesson_id), of_session | values)
        if public_id(row.key) in facts.taken:
            raise Reject(
                "session_id_taken",
                gettext_noop("There is a session “%(public_id)s” already.")
                % {"public_id": public_id(row.key)},
            )
        session = build(
            Session,
            session_id=public_id(row.key),
            kind=SessionKind.LESSON.value,
            updated_at=about["created_at"],
            metadata={},
            **about,
        )
        lesson = build(Lesson, session=session, **values)
        return Apply([Insert(session), Insert(lesson), Update(row, lesson=lesson)], warnings)


def public_id(key: str) -> str:
    """The public ``session_id`` of the lesson with this legacy id."""
    return f"lesson-{key}"


def session_values(row: Any, facts: LessonFacts, warnings: Warnings) -> dict[str, Any]:
    """What the row says of the session. Raises Reject where it has no title."""
    title = short_text(row.document, "title", warnings)
    if not title:
        raise Reject("blank_title", gettext_noop("Lesson %(key)s has no title.") % {"key": row.key})
    said = word(row.document, "session_status")
    if said not in STATUSES:
        warnings.append(
            Warning_(
                "unknown_status",
                gettext_noop("Lesson %(key)s has the status “%(said)s”: scheduled.")
                % {"key": row.key, "said": said},
            )
        )
    created_at = instant_or_none(row.document, "created_at", facts.zone, warnings)
    values = {
        "title": title,
        "description": written(row.document, "description"),
        "status": STATUSES.get(said, SessionStatus.SCHEDULED.value),
        "created_at": created_at,
    }
    return as_told(values, row, row.lesson_id)


def lesson_values(row: Any, facts: LessonFacts, warnings: Warnings) -> dict[str, Any]:
    """What the row says of the lesson. Raises Reject where a rule of its values is broken."""
    document = row.document
    semester, first_day, last_day = _semester(row, facts)
    starts_at, ends_at = (
        _time(row, "date_start", facts, warnings),
        _time(row, "date_end", facts, warnings),
    )
    if ends_at <= starts_at:
        raise Reject(
            "end_before_start",
            gettext_noop("Lesson %(key)s ends at %(ends_at)s, begins %(starts_at)s.")
            % {"key": row.key, "ends_at": ends_at, "starts_at": starts_at},
        )
    days = [time.astimezone(facts.zone).date() for time in (starts_at, ends_at)]
    if (first_day and days[0] < first_day) or (last_day and days[1] > last_day):
        warnings.append(
            Warning_(
                "outside_semester",
                gettext_noop("Lesson %(key)s is on %(days)s, not in its semester.")
                % {"key": row.key, "days": days[0]},
            )
        )
    delivery = _delivery(row, warnings)
    return {
        "semester_id": semester,
        "cohort_id": _cohort(row, facts, semester, warnings),
        "instructor_id": person_of(document, "instructor_id", facts.people, warnings),
        "delivery": delivery,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "capacity": _number(row, "capacity", 1, DEFAULT_CAPACITY, warnings),
        "credit_cost": _number(row, "credit_cost", 0, DEFAULT_CREDIT_COST, warnings),
        "location": written(document, "location"),
        "meeting_link": _link(row, delivery, warnings),
        "target_specialization": short_text(document, "target_specialization", warnings),
        "open_to_all": flag(document, "mixed_specialization", False, warnings),
        "sport_type": short_text(document, "sport_type", warnings),
        "level": short_text(document, "level", warnings),
    }


def _semester(row: Any, facts: LessonFacts) -> tuple[Any, ...]:
    key = legacy_id(row.document.get("semester_id"))
    if key is None:
        raise Reject(
            "semester_missing", gettext_noop("Lesson %(key)s names no semester.") % {"key": row.key}
        )
    if key not in facts.semesters:
        raise Reject(
            "semester_missing",
            gettext_noop("Lesson %(key)s is in semester %(semester)s: there is none.")
            % {"key": row.key, "semester": key},
        )
    return facts.semesters[key]


def _cohort(row: Any, facts: LessonFacts, semester: int, warnings: Warnings) -> int | None:
    key = legacy_id(row.document.get("group_id"))
    if key is None:
        return None
    if key not in facts.cohorts:
        warnings.append(
            Warning_("unknown_cohort", gettext_noop("There is no cohort %(key)s.") % {"key": key})
        )
        return None
    cohort, its_semester = facts.cohorts[key]
    if its_semester != semester:
        warnings.append(
            Warning_(
                "foreign_cohort",
                gettext_noop("Cohort %(key)s is of another semester.") % {"key": key},
            )
        )
        return None
    return int(cohort)


def _time(row: Any, column: str, facts: LessonFacts, warnings: Warnings) -> datetime:
    try:
        found = instant(row.document, column, facts.zone, warnings)
    except UnreadableError as error:
        raise Reject(
            "invalid_time",
            gettext_noop("Lesson %(key)s, %(column)s: %(error)s")
            % {"key": row.key, "column": column, "error": error},
        ) from None
    if found is None:
        raise Reject(
            "missing_time",
            gettext_noop("Lesson %(key)s has no %(column)s.") % {"key": row.key, "column": column},
        )
    return found


def _delivery(row: Any, warnings: Warnings) -> str:
    """``mode`` counts only where ``session_type`` is empty."""
    said = word(row.document, "session_type") or word(row.document, "mode")
    if said in DELIVERIES:
        return DELIVERIES[said]
    code, what = ("unknown_delivery", f"“{said}”") if said else ("missing_delivery", "nothing")
    warnings.append(
        Warning_(
            code,
            gettext_noop("How lesson %(key)s is held: %(what)s. It is on site.")
            % {"key": row.key, "what": what},
        )
    )
    return Delivery.ON_SITE.value


def _number(row: Any, column: str, lowest: int, default: int, warnings: Warnings) -> int:
    try:
        number = whole_number(row.document, column)
    except UnreadableError as error:
        raise Reject(
            f"invalid_{column}",
            gettext_noop("Lesson %(key)s, %(column)s: %(error)s")
            % {"key": row.key, "column": column, "error": error},
        ) from None
    if number is None:
        warnings.append(
            Warning_(
                f"missing_{column}",
                gettext_noop("Lesson %(key)s has no %(column)s; it is %(default)s.")
                % {"key": row.key, "column": column, "default": default},
            )
        )
        return default
    if number < lowest:
        raise Reject(
            f"invalid_{column}",
            gettext_noop("Lesson %(key)s has a %(column)s of %(number)s, below %(lowest)s.")
            % {"key": row.key, "column": column, "number": number, "lowest": lowest},
        )
    return number


def _link(row: Any, delivery: str, warnings: Warnings) -> str | None:
    """The link of a virtual lesson; what is no web address stays in the old row only."""
    link = written(row.document, "meeting_link")
    if not link:
        return None
    if len(link) > _LONGEST_LINK or not is_web_address(link):
        warnings.append(
            Warning_(
                "bad_link", gettext_noop("“%(link)s” is no web address.") % {"link": link[:60]}
            )
        )
        return None
    if delivery != Delivery.VIRTUAL:
        warnings.append(
            Warning_(
                "link_not_virtual",
                gettext_noop("Lesson %(key)s has a link, but is %(delivery)s.")
                % {"key": row.key, "delivery": delivery},
            )
        )
        return None
    return link
