"""What the pages of an agent session show beside it: evidence, and who waits for a decision."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, QuerySet

from migrations_tools.models import ReviewItem
from sessions_app.models import ActivityEvent, Project, Session

DEFINITION: Final = "assign_orphan_sessions"


@dataclass(frozen=True)
class Evidence:
    """How many events of a session name a project; ``name`` is None where there is no such one."""

    project_id: str
    name: str | None
    events: int


def evidence_of(session: Session) -> list[Evidence]:
    """Projects that the session's events name, most often named first; two queries."""
    counted = (
        ActivityEvent.objects.evidence()
        .filter(session_ref=session.session_id)
        .order_by()
        .values_list("project")
        .annotate(events=Count("pk"))
    )
    numbers = {str(key): number for key, number in counted}
    names = project_names(numbers)
    found = [Evidence(key, names.get(key), number) for key, number in numbers.items()]
    return sorted(found, key=lambda each: (-each.events, each.project_id))


def events_of(session: Session) -> QuerySet[ActivityEvent]:
    """Everything that happened in a session, newest first."""
    events = ActivityEvent.objects.filter(session_ref=session.session_id)
    return events.order_by("-occurred_at", "-id")


def waiting_review(session: Session) -> ReviewItem | None:
    """The item of the review queue that asks for this session's project."""
    items = ReviewItem.objects.filter(run__definition=DEFINITION, key=session.session_id)
    return items.waiting().order_by("-pk").first()


def project_names(ids: Iterable[str]) -> dict[str, str]:
    """Names by id as written; ids that are none are left out."""
    projects = Project.objects.filter(pk__in=list(_uuids(ids)))
    return {str(pk): name for pk, name in projects.values_list("pk", "name")}


def _uuids(texts: Iterable[str]) -> Iterator[uuid.UUID]:
    for text in texts:
        try:
            yield uuid.UUID(text)
        except ValueError:
            continue
