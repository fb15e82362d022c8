"""What can be said of a lesson, and whether each value alone can be used (lessons.md "Create").

Surfaces hand over Python values; texts of forms and JSON are theirs to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypedDict

from django.utils.translation import gettext as _

from sessions_app.lesson_errors import FieldFault, text_fault
from sessions_app.models import Delivery, is_web_address

_LARGEST_INTEGER: Final = 2**31 - 1
_LARGEST_ID: Final = 2**63 - 1


class LessonValues(TypedDict, total=False):
    """``semester``, ``cohort`` and ``instructor`` are ids; instants are aware."""

    title: str
    description: str | None
    semester: int
    cohort: int | None
    instructor: int | None
    delivery: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    credit_cost: int
    location: str | None
    meeting_link: str | None
    target_specialization: str | None
    open_to_all: bool
    sport_type: str | None
    level: str | None


#: What a lesson has to have; null is refused.
REQUIRED: Final = (
    "title",
    "semester",
    "delivery",
    "starts_at",
    "ends_at",
    "capacity",
    "credit_cost",
    "open_to_all",
)
#: Those of them that have no default, so that a new lesson needs them.
WITHOUT_DEFAULT: Final = ("title", "semester", "starts_at", "ends_at")
#: Texts where null means nothing.
_OPTIONAL_TEXTS: Final = (
    "description",
    "location",
    "target_specialization",
    "sport_type",
    "level",
)

_Told = tuple[str, str]  # code, message


def _text(longest: int | None) -> Callable[[Any], _Told | None]:
    def check(value: Any) -> _Told | None:
        if not isinstance(value, str):
            return "invalid", _("This is no text.")
        if fault := text_fault("", value):
            return fault.code, fault.message
        if longest is not None and len(value) > longest:
            return "max_length", _("This is longer than %(longest)s characters.") % {
                "longest": longest
            }
        return None

    return check


def _title(value: Any) -> _Told | None:
    told = _text(255)(value)
    return told or (None if value.strip() else ("blank", _("A lesson has a title.")))


def _number(smallest: int, largest: int) -> Callable[[Any], _Told | None]:
    def check(value: Any) -> _Told | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return "invalid", _("This is no whole number.")
        if not smallest <= value <= largest:
            return "out_of_range", _("This is not between %(smallest)s and %(largest)s.") % {
                "smallest": smallest,
                "largest": largest,
            }
        return None

    return check


def _instant(value: Any) -> _Told | None:
    if not isinstance(value, datetime):
        return "invalid", _("This is no date with a time.")
    if value.tzinfo is None:
        return "naive", _("This time has no offset from UTC.")
    if not 1900 <= value.year < 9999:
        return "out_of_range", _("This is no year that lessons are held in.")
    return None


def _delivery(value: Any) -> _Told | None:
    known = ", ".join(Delivery.values)
    return (
        None
        if value in Delivery.values
        else ("invalid_choice", _("This is none of %(known)s.") % {"known": known})
    )


def _flag(value: Any) -> _Told | None:
    return None if isinstance(value, bool) else ("invalid", _("This is neither true nor false."))


def _link(value: Any) -> _Told | None:
    told = _text(2000)(value)
    if told or not value.strip():
        return told
    if not is_web_address(value.strip()):
        return "bad_link", _("This is no http or https address.")
    return None


_id = _number(1, _LARGEST_ID)

_CHECKS: Final[Mapping[str, Callable[[Any], _Told | None]]] = {
    "title": _title,
    "description": _text(None),
    "semester": _id,
    "cohort": _id,
    "instructor": _id,
    "delivery": _delivery,
    "starts_at": _instant,
    "ends_at": _instant,
    "capacity": _number(1, _LARGEST_INTEGER),
    "credit_cost": _number(0, _LARGEST_INTEGER),
    "location": _text(None),
    "meeting_link": _link,
    "target_specialization": _text(255),
    "open_to_all": _flag,
    "sport_type": _text(255),
    "level": _text(255),
}


def value_faults(values: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Every value that cannot be used whatever the others are; unknown names too."""
    for name, value in values.items():
        if name not in _CHECKS:
            yield FieldFault(name, "unknown", _("A lesson has no such field."))
        elif value is None:
            if name in REQUIRED:
                yield FieldFault(name, "null", _("A lesson cannot do without this."))
        elif told := _CHECKS[name](value):
            yield FieldFault(name, *told)


def missing_faults(values: Mapping[str, Any]) -> Iterator[FieldFault]:
    """What a new lesson lacks."""
    for name in WITHOUT_DEFAULT:
        if name not in values:
            yield FieldFault(name, "required", _("A lesson cannot do without this."))


def cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Usable values as they are stored: no blanks around texts, "" for none, no link as null."""
    stored = {
        name: value.strip() if isinstance(value, str) else value for name, value in values.items()
    }
    for name in _OPTIONAL_TEXTS:
        if name in stored:
            stored[name] = stored[name] or ""
    if "meeting_link" in stored:
        stored["meeting_link"] = stored["meeting_link"] or None
    return stored
