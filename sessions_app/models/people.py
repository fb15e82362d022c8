"""People: what the product knows of an account, and who they were in a legacy system."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history


class Role(models.TextChoices):
    """Roles of the training academy (lessons.md). A Django superuser counts as admin."""

    ADMIN = "admin", _("admin")
    INSTRUCTOR = "instructor", _("instructor")
    STUDENT = "student", _("student")


class Profile(models.Model):
    """``credit_balance`` is in credits and never negative."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="profile")
    role = models.CharField(max_length=10, choices=Role, default=Role.STUDENT)
    specialization = models.CharField(max_length=255, blank=True, default="")
    credit_balance = models.IntegerField(default=0)
    # the project that the person works in at the moment (agents.md "The session service")
    current_project = models.ForeignKey(
        "sessions_app.Project", models.SET_NULL, null=True, blank=True, related_name="+"
    )

    history = tracked_history()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="profile_role_known"),
            models.CheckConstraint(
                condition=Q(credit_balance__gte=0), name="profile_credit_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class LegacyIdentity(models.Model):
    """Who a person of a legacy file became: (kind, legacy id) → account (SPEC §3 "Imports").

    ``username`` is the name that the person had there; the account's may have a suffix.
    ``was_active`` is what the file says, null where it does not; ``created_at`` is when the
    person became known here.
    """

    kind = models.CharField(max_length=50)
    legacy_id = models.CharField(max_length=255, db_collation="C")
    username = models.CharField(max_length=255, blank=True, default="", db_collation="C")
    was_active = models.BooleanField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="legacy_identities"
    )

    class Meta:
        verbose_name_plural = "legacy identities"
        constraints = [
            models.UniqueConstraint(fields=["kind", "legacy_id"], name="legacy_identity_once"),
        ]
        indexes = [models.Index(fields=["kind", "username"], name="legacy_identity_by_username")]

    def __str__(self) -> str:
        return f"{self.kind} {self.legacy_id}"
