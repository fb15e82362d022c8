"""What a list of lessons can be narrowed down by (lessons.md "List")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app.lesson_errors import FieldFault, InvalidFields, text_fault
from sessions_app.models import Booking
from sessions_app.models.lessons.lesson import LessonQuerySet
from sessions_app.selectors.lessons.viewers import Viewer


@dataclass(frozen=True, kw_only=True)
class LessonFilters:
    """None, or "", filters nothing. Ids are those of the rows; both days are inclusive, and days
    of the installation's time zone; a lesson is in the range if it starts in it. ``search`` looks
    for each of its words in title, description and place. ``mine`` keeps the lessons that the
    viewer gives or has an active booking of.
    """

    semester: int | None = None
    cohort: int | None = None
    instructor: int | None = None
    delivery: str = ""
    status: str = ""
    date_from: date | None = None
    date_to: date | None = None
    specialization: str = ""
    search: str = ""
    mine: bool = False

    def apply(self, lessons: LessonQuerySet, viewer: Viewer) -> LessonQuerySet:
        """Raises InvalidFields for what no database can be asked."""
        self._refuse_unusable()
        exact = {
            "semester": self.semester,
            "cohort": self.cohort,
            "instructor": self.instructor,
            "delivery": self.delivery,
            "session__status": self.status,
            "target_specialization": self.specialization,
        }
        lessons = lessons.filter(
            **{name: wanted for name, wanted in exact.items() if wanted not in (None, "")}
        )
        if self.date_from is not None:
            lessons = lessons.filter(starts_at__gte=beginning_of(self.date_from))
        if self.date_to is not None and self.date_to < date.max:
            following = self.date_to + timedelta(days=1)
            lessons = lessons.filter(starts_at__lt=beginning_of(following))
        for word in self.search.split():
            lessons = lessons.filter(
                Q(session__title__icontains=word)
                | Q(session__description__icontains=word)
                | Q(location__icontains=word)
            )
        if self.mine:
            own = Booking.objects.active().filter(lesson=OuterRef("pk"), student=viewer.user_id)
            lessons = lessons.filter(Q(instructor=viewer.user_id) | Exists(own))
        return lessons

    def _refuse_unusable(self) -> None:
        texts = {"search": self.search, "specialization": self.specialization}
        faults = [fault for name, text in texts.items() if (fault := text_fault(name, text))]
        if self.date_from and self.date_to and self.date_to < self.date_from:
            faults.append(
                FieldFault("date_to", "before_date_from", _("The last day is before the first."))
            )
        if faults:
            raise InvalidFields(faults)


def beginning_of(day: date) -> datetime:
    """The first instant of a day in the installation's time zone."""
    return datetime.combine(day, time.min, timezone.get_default_timezone())
