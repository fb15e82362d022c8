"""Sessions: one table for every kind, with one literal table of transitions for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history
from sessions_app.models.project import Project


class SessionKind(models.TextChoices):
    COLLABORATION = "collaboration", _("collaboration")
    AGENT = "agent", _("agent")
    CONTEST = "contest", _("contest")
    LESSON = "lesson", _("lesson")


class SessionStatus(models.TextChoices):
    SCHEDULED = "scheduled", _("scheduled")  # lessons: has a time, not begun
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")  # contests: the clock stands
    INACTIVE = "inactive", _("inactive")  # agents: timed out, can be recovered
    COMPLETED = "completed", _("completed")
    ABANDONED = "abandoned", _("abandoned")  # left without an end
    CANCELLED = "cancelled", _("cancelled")  # lessons: does not take place
    ARCHIVED = "archived", _("archived")  # collaboration: put away, can come back
    DELETED = "deleted", _("deleted")  # collaboration: hidden from everybody


Transitions = Mapping[SessionStatus, frozenset[SessionStatus]]

_S = SessionStatus

#: Allowed changes of status by kind (SPEC §11 "Session transitions"). A status without a way on
#: is final; the first one is that of a new session.
SESSION_TRANSITIONS: Final[Mapping[SessionKind, Transitions]] = {
    SessionKind.COLLABORATION: {
        _S.ACTIVE: frozenset({_S.ARCHIVED, _S.DELETED}),
        _S.ARCHIVED: frozenset({_S.ACTIVE, _S.DELETED}),
        _S.DELETED: frozenset(),
    },
    SessionKind.AGENT: {
        _S.ACTIVE: frozenset({_S.INACTIVE, _S.COMPLETED, _S.ABANDONED}),
        _S.INACTIVE: frozenset({_S.ACTIVE}),  # recovered
        _S.COMPLETED: frozenset(),
        _S.ABANDONED: frozenset(),
    },
    SessionKind.CONTEST: {
        _S.ACTIVE: frozenset({_S.PAUSED, _S.COMPLETED, _S.ABANDONED}),
        _S.PAUSED: frozenset({_S.ACTIVE, _S.COMPLETED, _S.ABANDONED}),
        _S.COMPLETED: frozenset(),
        _S.ABANDONED: frozenset(),
    },
    SessionKind.LESSON: {
        _S.SCHEDULED: frozenset({_S.ACTIVE, _S.CANCELLED}),
        _S.ACTIVE: frozenset({_S.COMPLETED}),
        _S.COMPLETED: frozenset(),
        _S.CANCELLED: frozenset(),
    },
}


def may_change(kind: str, from_status: str, to_status: str) -> bool:
    """Whether a session of ``kind`` may go from one status to the other."""
    allowed = SESSION_TRANSITIONS[SessionKind(kind)].get(SessionStatus(from_status), frozenset())
    return to_status in allowed


def _status_fits_kind() -> Q:
    fits = Q()
    for kind, transitions in SESSION_TRANSITIONS.items():
        fits |= Q(kind=kind, status__in=sorted(transitions))
    return fits


class SessionQuerySet(models.QuerySet["Session"]):
    def orphans(self) -> SessionQuerySet:
        """Agent sessions without a project, ended or not; parked ones have the sentinel."""
        return self.filter(kind=SessionKind.AGENT, project__isnull=True)

    def present(self) -> SessionQuerySet:
        """All but deleted ones."""
        return self.exclude(status=SessionStatus.DELETED)

    def of_person(self, email: str) -> SessionQuerySet:
        """Sessions that a person is in or invited to, newest activity first.

        Deleted ones are left out, and those that the person left or was removed from.
        """
        from sessions_app.models.participant import SessionParticipant  # which imports this module

        belonging = SessionParticipant.objects.of_person(email).belonging()
        return (
            self.present()
            .filter(pk__in=belonging.values("session_id"))
            .order_by("-last_activity_at", "-pk")
        )

    def with_participants(self) -> SessionQuerySet:
        """Each with all its participants, in one more query.

        Their usual order would join their sessions once more, to sort by what is known already.
        """
        from sessions_app.models.participant import SessionParticipant  # which imports this module

        in_order = SessionParticipant.objects.order_by("pk")
        return self.prefetch_related(models.Prefetch("participants", in_order))


class SessionManager(models.Manager["Session"]):
    """All sessions; of a proxy (`kinds`) those of its ``KIND``."""

    def get_queryset(self) -> models.QuerySet[Session]:
        sessions = super().get_queryset()
        kind = getattr(self.model, "KIND", None)
        return sessions if kind is None else sessions.filter(kind=kind)


class Session(models.Model):
    """``session_id`` is the public id, unique over all kinds and compared bytewise; ``id`` is
    internal. ``user`` is the account that works in an agent session.

    Status changes go through the services, which obey `SESSION_TRANSITIONS`.
    """

    session_id = models.CharField(max_length=255, unique=True, db_collation="C")
    kind = models.CharField(max_length=13, choices=SessionKind)
    title = models.CharField(max_length=255, blank=True, default="")
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=9, choices=SessionStatus, default=SessionStatus.ACTIVE)
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="sessions"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    objects = SessionManager.from_queryset(SessionQuerySet)()
    history = tracked_history()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(session_id=""), name="session_id_not_blank"),
            models.CheckConstraint(condition=_status_fits_kind(), name="session_status_fits_kind"),
        ]
        indexes = [
            models.Index(
                fields=["session_id"],
                condition=Q(kind=SessionKind.AGENT, project__isnull=True),
                name="session_orphans",
            ),
            models.Index(fields=["kind", "status", "last_activity_at"], name="session_by_activity"),
        ]

    def __str__(self) -> str:
        return self.title or self.session_id
