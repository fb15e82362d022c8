"""A run: one execution of a definition, from plan to rollback."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from migrations_tools.states import (
    ACTIVE_STATES,
    RUNNABLE_STATES,
    WRITING_KINDS,
    RunKind,
    RunState,
    VerificationState,
)


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> RunQuerySet:
        """Apply and rollback runs that may still write; plans and dry runs are left out."""
        return self.filter(state__in=ACTIVE_STATES, kind__in=[RunKind.APPLY, RunKind.ROLLBACK])

    def runnable(self) -> RunQuerySet:
        """What workers have to work on, the oldest first; plans and dry runs are left out."""
        runs = self.filter(state__in=RUNNABLE_STATES, kind__in=WRITING_KINDS)
        return runs.order_by("created_at", "id")

    def standing(self) -> RunQuerySet:
        """Apply runs whose writes stand, in whole or in part; rolled-back ones are left out."""
        return self.filter(kind=RunKind.APPLY).exclude(state=RunState.ROLLED_BACK)

    def made_since(self, plan: uuid.UUID) -> RunQuerySet:
        """Apply runs of the plan's definition that were made after it, or for which it was made:
        those that somebody asked for before a worker planned them.
        """
        planned = Run.objects.filter(pk=plan)
        later = Q(created_at__gt=planned.values("created_at"))
        return self.filter(
            later | Q(plan=plan), kind=RunKind.APPLY, definition__in=planned.values("definition")
        )

    def newest_writing(self) -> Run | None:
        """The run that the word ``last`` names: the newest apply or rollback run."""
        kinds = [RunKind.APPLY, RunKind.ROLLBACK]
        return self.filter(kind__in=kinds).order_by("-created_at", "-id").first()


class Run(models.Model):
    """``key_ranges`` is frozen as each step starts; counters are sums over batches."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    definition = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=RunKind)
    state = models.CharField(max_length=24, choices=RunState, default=RunState.PLANNED)
    state_reason = models.TextField(blank=True, default="")
    options = models.JSONField(default=dict)
    # batch_size, limit, target_seconds, workers, error budget: read again at every claim
    tuning = models.JSONField(default=dict)
    # step index (text) -> {"upper", "selected", "sweep", "closed"}, and "again" where a recomputed
    # step is due once more; of a rollback also "undo <step index>" -> {"order", "closed"}
    key_ranges = models.JSONField(default=dict)
    fingerprint = models.JSONField(default=dict)
    # indexes of the steps whose keys are source keys; null: made before this was kept
    counted_steps = models.JSONField(null=True, blank=True)
    # model label -> columns that make up the image of a row (derived ones are left out)
    columns = models.JSONField(default=dict)
    tables = models.JSONField(default=list)
    # plans: the forecast; dry runs: risks and recommendations; trials: that they are one; runs that
    # ended: changes of objects that several keys share ("shared")
    report = models.JSONField(default=dict)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, default="")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    plan = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    # of a run that carries out what persons decided: the run that left it to them
    reviewed = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="decision_runs"
    )
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    seal = models.BinaryField(null=True, blank=True, editable=False)
    verification_state = models.CharField(
        max_length=8, choices=VerificationState, default=VerificationState.NONE
    )
    # how far a verification at work, or interrupted, has come; see verification.progress
    verifying = models.JSONField(null=True, blank=True, editable=False)
    verified_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["definition"],
                condition=Q(
                    state__in=sorted(ACTIVE_STATES), kind__in=[RunKind.APPLY, RunKind.ROLLBACK]
                ),
                name="one_active_run_per_definition",
            ),
        ]
        indexes = [models.Index(fields=["definition", "-created_at"], name="run_by_definition")]
        permissions = [
            ("run", "Can plan and run data migrations"),
            ("approve", "Can approve runs"),
            ("review", "Can decide review items"),
            ("rollback", "Can roll back runs"),
            ("waive", "Can waive keys"),
            ("cutover", "Can change the cutover stage"),
            ("import", "Can import legacy files"),
            ("purge", "Can purge journals and erase personal data"),
        ]

    def __str__(self) -> str:
        return f"{self.definition} {self.get_kind_display()} {self.id}"
