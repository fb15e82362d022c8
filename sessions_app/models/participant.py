"""Who takes part in a session, in which role (collaboration.md R5–R7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history
from sessions_app.models.session import Session


class ParticipantRole(models.TextChoices):
    OWNER = "owner", _("owner")  # exactly one; everything
    ADMIN = "admin", _("admin")  # invites, grants and removes editors and viewers
    EDITOR = "editor", _("editor")  # views and edits
    VIEWER = "viewer", _("viewer")  # views


class ParticipantStatus(models.TextChoices):
    INVITED = "invited", _("invited")  # sees the session and can accept
    ACTIVE = "active", _("active")
    LEFT = "left", _("left")  # by themselves; can come back
    REMOVED = "removed", _("removed")  # by another; can be invited again


_P = ParticipantStatus

#: Allowed changes of status (collaboration.md "Living with both systems").
PARTICIPANT_TRANSITIONS: Final[Mapping[ParticipantStatus, frozenset[ParticipantStatus]]] = {
    _P.INVITED: frozenset({_P.ACTIVE, _P.REMOVED}),
    _P.ACTIVE: frozenset({_P.LEFT, _P.REMOVED}),
    _P.LEFT: frozenset({_P.ACTIVE}),
    _P.REMOVED: frozenset({_P.INVITED}),  # invited again, same row
}


class ParticipantQuerySet(models.QuerySet["SessionParticipant"]):
    def belonging(self) -> ParticipantQuerySet:
        """Invited and active ones; those who left or were removed are left out."""
        return self.filter(status__in=[ParticipantStatus.INVITED, ParticipantStatus.ACTIVE])

    def of_person(self, email: str) -> ParticipantQuerySet:
        """Participations of an e-mail address, whatever its case."""
        return self.filter(email=email.strip().lower())


class SessionParticipant(models.Model):
    """A person in a session, by e-mail address (lower case); ``user`` where there is an account.

    ``invited_by`` is an e-mail address. The owner is always active.
    """

    session = models.ForeignKey(Session, models.CASCADE, related_name="participants")
    email = models.CharField(max_length=320)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    display_name = models.CharField(max_length=255, blank=True, default="")
    role = models.CharField(max_length=6, choices=ParticipantRole, default=ParticipantRole.VIEWER)
    status = models.CharField(
        max_length=7, choices=ParticipantStatus, default=ParticipantStatus.INVITED
    )
    invited_by = models.CharField(max_length=320, blank=True, default="")
    invited_at = models.DateTimeField(null=True, blank=True)
    joined_at = models.DateTimeField(null=True, blank=True)

    objects = ParticipantQuerySet.as_manager()
    history = tracked_history()

    class Meta:
        ordering = ["session", "id"]
        constraints = [
            models.UniqueConstraint(fields=["session", "email"], name="participant_once"),
            models.UniqueConstraint(
                fields=["session", "user"],
                condition=Q(user__isnull=False),
                name="participant_account_once",
            ),
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(role=ParticipantRole.OWNER),
                name="participant_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower(F("email"))) & ~Q(email=""),
                name="participant_email_lower_case",
            ),
            models.CheckConstraint(
                condition=Q(role__in=ParticipantRole.values), name="participant_role_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ParticipantStatus.values), name="participant_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(role=ParticipantRole.OWNER) | Q(status=ParticipantStatus.ACTIVE),
                name="participant_owner_is_active",
            ),
        ]
        indexes = [
            models.Index(fields=["email", "status", "session"], name="participant_by_email"),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"
