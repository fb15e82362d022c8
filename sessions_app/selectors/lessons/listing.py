"""Lists of lessons: four statements at most, whatever is on the page (lessons.md "List").

They are: the viewer's profile, the numbers of upcoming and past lessons, the lessons with their
relations, their statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from migrations_tools.text import storable
from sessions_app.lesson_errors import FieldFault, InvalidFields, NotFound
from sessions_app.models.lessons.lesson import LessonQuerySet
from sessions_app.selectors.lessons.filters import LessonFilters
from sessions_app.selectors.lessons.items import COLUMNS, LessonItem, make_item
from sessions_app.selectors.lessons.statistics import statistics_of
from sessions_app.selectors.lessons.viewers import (
    Clock,
    Viewer,
    system_clock,
    viewer_of,
    visible_to,
)

DEFAULT_PAGE_SIZE: Final = 50  # lessons
LARGEST_PAGE_SIZE: Final = 100  # lessons


@dataclass(frozen=True)
class LessonPage:
    """``count`` is that of all pages. A page behind the last is empty."""

    count: int
    items: list[LessonItem]


def list_lessons(
    user: User | AnonymousUser,
    *,
    filters: LessonFilters | None = None,
    page: int = 1,
    page_size: int = DEFAULT_PAGE_SIZE,
    clock: Clock = system_clock,
) -> LessonPage:
    """Page ``page``, from 1, of what ``user`` sees: upcoming lessons, nearest first, then past
    ones, latest first, ties by id. A lesson is past from its start on.

    Raises InvalidFields for a page that cannot be, Forbidden for strangers.
    """
    _refuse_impossible_page(page, page_size)
    viewer = viewer_of(user)
    lessons = (filters or LessonFilters()).apply(visible_to(viewer), viewer)
    now = clock()
    numbers = lessons.aggregate(
        count=Count("pk"), upcoming=Count("pk", filter=Q(starts_at__gte=now))
    )
    wanted = slice((page - 1) * page_size, page * page_size)
    rows = _rows(lessons, now, numbers["upcoming"], numbers["count"], wanted)
    return LessonPage(numbers["count"], _items(rows, viewer))


def get_lesson(user: User | AnonymousUser, session_id: str) -> LessonItem:
    """One lesson by its public id. Raises NotFound, for hidden ones too."""
    viewer = viewer_of(user)
    rows: list[dict[str, Any]] = []
    if storable(session_id):
        rows = list(visible_to(viewer).filter(session__session_id=session_id).values(*COLUMNS))
    if not rows:
        raise NotFound(_("There is no such lesson."), lesson=session_id)
    return _items(rows, viewer)[0]


def lessons_between(
    user: User | AnonymousUser, start: datetime, end: datetime, *, most: int
) -> list[LessonItem]:
    """What ``user`` sees of the time from ``start`` to before ``end``, lessons that reach into it
    included, by start; the first ``most`` lessons.
    """
    return lessons_within(viewer_of(user), start, end, most=most)


def lessons_within(
    viewer: Viewer, start: datetime, end: datetime, *, most: int
) -> list[LessonItem]:
    """The same for a viewer; two statements."""
    lessons = visible_to(viewer).filter(starts_at__lt=end, ends_at__gt=start)
    rows = lessons.order_by("starts_at", "id").values(*COLUMNS)[:most]
    return _items(list(rows), viewer)


def _rows(
    lessons: LessonQuerySet, now: datetime, upcoming: int, count: int, wanted: slice
) -> list[dict[str, Any]]:
    """The wanted part of upcoming and then past lessons, each read along the index by start."""
    ahead = lessons.filter(starts_at__gte=now).order_by("starts_at", "id").values(*COLUMNS)
    behind = lessons.filter(starts_at__lt=now).order_by("-starts_at", "id").values(*COLUMNS)
    parts = []
    if wanted.start < upcoming:
        parts.append(ahead[wanted.start : min(wanted.stop, upcoming)])
    if max(wanted.start, upcoming) < min(wanted.stop, count):
        parts.append(behind[max(wanted.start - upcoming, 0) : wanted.stop - upcoming])
    if not parts:
        return []
    rows = list(parts[0] if len(parts) == 1 else parts[0].union(parts[1], all=True))
    # a union promises no order: upcoming ones by start, past ones by start backwards
    rows.sort(key=lambda row: _place(row["starts_at"], row["id"], now))
    return rows


def _place(starts_at: datetime, lesson_id: int, now: datetime) -> tuple[bool, timedelta, int]:
    return starts_at < now, abs(starts_at - now), lesson_id


def _items(rows: list[dict[str, Any]], viewer: Viewer) -> list[LessonItem]:
    found = statistics_of([row["id"] for row in rows], viewer.user_id)
    return [make_item(row, found[row["id"]], viewer) for row in rows]


def _refuse_impossible_page(page: int, page_size: int) -> None:
    faults = []
    if page < 1:
        faults.append(FieldFault("page", "min_value", _("Pages are counted from 1.")))
    if not 1 <= page_size <= LARGEST_PAGE_SIZE:
        faults.append(
            FieldFault(
                "page_size",
                "out_of_range",
                _("A page has 1 to %(largest_page_size)s lessons.")
                % {"largest_page_size": LARGEST_PAGE_SIZE},
            )
        )
    if faults:
        raise InvalidFields(faults)
