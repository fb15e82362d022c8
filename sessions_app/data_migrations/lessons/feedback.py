"""Feedback: one for each person and lesson."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    Conflict,
    Insert,
    Outcome,
    Reject,
    RowSource,
    Skip,
    Step,
    Update,
    Warning_,
    build,
)
from sessions_app.data_migrations.lessons.links import (
    as_told,
    became,
    compare,
    in_order,
    linked,
    people,
)
from sessions_app.data_migrations.lessons.newest import Known, newest
from sessions_app.data_migrations.lessons.values import (
    UnreadableError,
    Warnings,
    decimal_number,
    instant_or_none,
    written,
    zone_of,
)
from sessions_app.models import (
    HIGHEST_RATING,
    LOWEST_RATING,
    Feedback,
    LegacyFeedback,
    Lesson,
)

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_HUNDREDTH: Final = Decimal("0.01")


@dataclass(slots=True)
class FeedbackFacts:
    """``counts`` and ``several`` as of `newest`, a thing being a lesson and a person."""

    zone: tzinfo
    lessons: Mapping[str, tuple[Any, ...]]
    people: Mapping[str, int]
    counts: Mapping[tuple[int, int], str]
    several: Collection[tuple[int, int]]
    standing: Collection[tuple[int, int]]
    linked: Mapping[int, Feedback]


class FeedbackStep(Step):
    """Each row becomes the feedback of its person on its lesson; of several rows the newest."""

    source = RowSource(LegacyFeedback, key="key")
    writes = [Feedback, LegacyFeedback]

    def load(self, rows: Sequence[Any]) -> FeedbackFacts:
        zone = zone_of(self.options.source_tz)
        keys = {row.lesson_key for row in rows} - {None}
        lessons, students = (
            became(Lesson, keys, "pk"),
            people({row.student_key for row in rows} - {None}),
        )
        same = LegacyFeedback.objects.filter(lesson_key__in=lessons, student_key__in=students)
        counts, several = newest(
            Known(
                key,
                (lessons[lesson][0], students[student]),
                (instant_or_none({"at": at}, "at", zone, []) or _EARLIEST, in_order(key)),
            )
            for key, lesson, student, rating, at in same.values_list(
                "key",
                "lesson_key",
                "student_key",
                KeyTextTransform("rating", "document"),
                KeyTextTransform("created_at", "document"),
            )
            if _is_rating(rating)
        )
        standing = Feedback.objects.filter(
            lesson__in=[pk for (pk,) in lessons.values()], student__in=students.values()
        )
        return FeedbackFacts(
            zone=zone,
            lessons=lessons,
            people=students,
            counts=counts,
            several=several,
            standing=set(standing.values_list("lesson_id", "student_id")),
            linked=linked(Feedback, rows, "feedback_id"),
        )

    def transform(self, row: Any, facts: FeedbackFacts) -> Outcome:
        warnings: Warnings = []
        if row.lesson_key not in facts.lessons:
            raise Reject(
                "lesson_missing",
                gettext_noop("Feedback %(key)s: there is no lesson %(lesson_key)s.")
                % {"key": row.key, "lesson_key": row.lesson_key},
            )
        if row.student_key not in facts.people:
            raise Reject(
                "student_missing",
                gettext_noop("Feedback %(key)s: there is nobody %(student_key)s.")
                % {"key": row.key, "student_key": row.student_key},
            )
        thing = facts.lessons[row.lesson_key][0], facts.people[row.student_key]
        created_at = instant_or_none(row.document, "created_at", facts.zone, warnings)
        said = {
            "lesson_id": thing[0],
            "student_id": thing[1],
            "rating": rating_of(row),
            "comment": written(row.document, "comment"),
            "created_at": created_at,
        }
        values = as_told(said, row, row.feedback_id)
        if row.feedback_id is not None:
            return compare(facts.linked.get(row.feedback_id), values)
        if facts.counts.get(thing) != row.key:
            return Skip(
                "older_feedback",
                gettext_noop("A newer row replaces feedback %(key)s.") % {"key": row.key},
            )
        if thing in facts.standing:
            return Conflict(
                "feedback_exists",
                gettext_noop("The person of feedback %(key)s has given one here already.")
                % {"key": row.key},
            )
        if thing in facts.several:
            warnings.append(
                Warning_(
                    "several_feedback",
                    gettext_noop("Of several rows the newest counts: %(key)s.") % {"key": row.key},
                )
            )
        feedback = build(Feedback, **values)
        return Apply([Insert(feedback), Update(row, feedback=feedback)], warnings)


def rating_of(row: Any) -> Decimal:
    """A rating of 1.0 to 5.0, in hundredths. Raises Reject."""
    try:
        rating = decimal_number(row.document, "rating")
    except UnreadableError as error:
        raise Reject(
            "invalid_rating",
            gettext_noop("Feedback %(key)s: %(error)s") % {"key": row.key, "error": error},
        ) from None
    if rating is None or not LOWEST_RATING <= rating <= HIGHEST_RATING:
        raise Reject(
            "invalid_rating",
            gettext_noop("Feedback %(key)s has a rating of %(rating)s, not 1.0 to 5.0.")
            % {"key": row.key, "rating": rating},
        )
    return rating.quantize(_HUNDREDTH, ROUND_HALF_EVEN)


def _is_rating(text: str | None) -> bool:
    try:
        rating = decimal_number({"rating": text}, "rating")
    except UnreadableError:
        return False
    return rating is not None and LOWEST_RATING <= rating <= HIGHEST_RATING
