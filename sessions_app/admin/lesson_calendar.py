"""Lessons by days: a week or a month, drawn by the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, get_format

from sessions_app.selectors.lessons import LessonItem, Viewer
from sessions_app.selectors.lessons.filters import beginning_of
from sessions_app.selectors.lessons.listing import lessons_within

MOST_LESSONS: Final = 1_000  # of a page
_EARLIEST, _LATEST = date(1900, 1, 1), date(9000, 1, 1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """``is_inside`` is False for days of other months at the edges of a month."""

    date: date
    is_today: bool
    is_inside: bool
    lessons: list[LessonItem]


def calendar_page(viewer: Viewer, *, by_month: bool, day: str) -> dict[str, Any]:
    """What the page shows of the week or month of ``day`` (ISO; today, where it is none)."""
    today = timezone.localdate()
    chosen = _day(day, today)
    first, last = _month(chosen) if by_month else _week(chosen)
    found = lessons_within(
        viewer, beginning_of(first), beginning_of(last + _DAY), most=MOST_LESSONS
    )
    named = "month" if by_month else "week"
    return {
        "days": list(_days(first, last, today, chosen if by_month else None, found)),
        "weekdays": [WEEKDAYS[(first + offset * _DAY).weekday()] for offset in range(7)],
        "by_month": by_month,
        "heading": date_format(chosen, "YEAR_MONTH_FORMAT")
        if by_month
        else f"{date_format(first)} – {date_format(last)}",
        "before": _query(named, (chosen.replace(day=1) if by_month else first) - _DAY),
        "after": _query(
            named, (chosen.replace(day=28) + 4 * _DAY).replace(day=1) if by_month else last + _DAY
        ),
        "now": _query(named, today),
        "other": _query("week" if by_month else "month", chosen),
        "is_cut": len(found) == MOST_LESSONS,
    }


def _query(view: str, day: date) -> str:
    return "?" + urlencode({"view": view, "day": day.isoformat()})


def _day(text: str, today: date) -> date:
    try:
        given = date.fromisoformat(text)
    except ValueError:
        return today
    return min(max(given, _EARLIEST), _LATEST)


def _week(day: date) -> tuple[date, date]:
    """From the first day of the week, as the person's language has it."""
    first_of_week: int = get_format("FIRST_DAY_OF_WEEK")  # 0 is Sunday
    first = day - ((day.isoweekday() - first_of_week) % 7) * _DAY
    return first, first + 6 * _DAY


def _month(day: date) -> tuple[date, date]:
    """Whole weeks that hold the month."""
    first = day.replace(day=1)
    last = (day.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
    return _week(first)[0], _week(last)[1]


def _days(
    first: date, last: date, today: date, month_of: date | None, lessons: list[LessonItem]
) -> Iterator[Day]:
    """Each lesson stands on the day of its start, one that began before on the first."""
    by_day: dict[date, list[LessonItem]] = {}
    for lesson in lessons:
        began = timezone.localdate(lesson.starts_at, timezone.get_default_timezone())
        by_day.setdefault(max(began, first), []).append(lesson)
    for offset in range((last - first).days + 1):
        day = first + offset * _DAY
        inside = month_of is None or (day.year, day.month) == (month_of.year, month_of.month)
        yield Day(day, day == today, inside, by_day.get(day, []))
