"""The cards of sessions on the overview: orphans, the lessons of today, full waitlists."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from migrations_tools.admin.addresses import admin_address
from migrations_tools.dashboard import Card, Figure, Item, dashboard_card
from migrations_tools.models import ReviewItem
from sessions_app.models import UNASSIGNED_ID, AgentSession, Session, SessionStatus
from sessions_app.selectors.agent_sessions import DEFINITION
from sessions_app.selectors.lessons.filters import beginning_of
from sessions_app.selectors.lessons.listing import lessons_within
from sessions_app.selectors.lessons.staff import reader_of, waited_for

MOST_LESSONS: Final = 8  # of a day that the card names
_MOST_OF_A_DAY: Final = 500


@dashboard_card(order=50, permission="sessions_app.view_agentsession")
def agent_sessions(user: User) -> Card | None:
    """Sessions without a project, and those about which a person has to decide."""
    listed = admin_address("sessions_app_agentsession_changelist")
    orphans = Session.objects.orphans().count()
    parked = AgentSession.objects.filter(project=UNASSIGNED_ID).count()
    if not orphans and not parked and not AgentSession.objects.exists():
        return None
    waiting = ReviewItem.objects.filter(run__definition=DEFINITION).waiting().count()
    return Card(
        title=_("Agent sessions"),
        figures=[
            Figure(orphans, _("orphans"), f"{listed}?belongs=orphan", "warn"),
            Figure(parked, _("parked as unassigned"), f"{listed}?belongs=parked"),
            Figure(
                waiting,
                _("wait for a decision"),
                admin_address("migrations_tools_reviewitem_changelist"),
                "warn",
            ),
        ],
        link=_("Health and alerts"),
        url=admin_address("sessions_app_agentsession_health"),
    )


@dashboard_card(order=60, permission="sessions_app.view_lesson")
def lessons_of_today(user: User) -> Card | None:
    """What the person sees of today, and where people wait for a seat."""
    viewer, today = reader_of(user), timezone.localdate()
    start = beginning_of(today)
    found = lessons_within(viewer, start, start + timedelta(days=1), most=_MOST_OF_A_DAY)
    waited = waited_for(viewer, timezone.now())
    zone = timezone.get_default_timezone()
    return Card(
        title=_("Lessons of today"),
        figures=[
            Figure(len(found), _("lessons today"), admin_address("sessions_app_lesson_calendar")),
            Figure(
                waited.lessons,
                _("coming lessons with a waitlist"),
                admin_address("sessions_app_lesson_changelist", waitlist="yes"),
                "warn",
            ),
            Figure(waited.people, _("people who wait for a seat")),
        ],
        items=[
            Item(
                text=f"{time_format(timezone.localtime(lesson.starts_at, zone))} {lesson.title}",
                url=admin_address("sessions_app_lesson_change", lesson.id),
                state=lesson.status,
                state_label=SessionStatus(lesson.status).label,
                note=f"{lesson.confirmed_bookings} / {lesson.capacity}",
            )
            for lesson in found[:MOST_LESSONS]
        ],
        link=_("Calendar"),
        url=admin_address("sessions_app_lesson_calendar"),
    )
