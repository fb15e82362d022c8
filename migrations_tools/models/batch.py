"""A batch: a range of keys that one worker carries over in one transaction."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext as _

from migrations_tools.models.run import Run
from migrations_tools.states import BatchState


class Batch(models.Model):
    """Keys in (``after_key``, ``last_key``] of the step's source, or exactly ``keys``.

    A worker owns it while ``lease_until`` (database time) lies ahead. ``fencing`` rises with
    every claim; the last statement of the data transaction asks for owner and fencing number,
    so a worker that lost its lease writes nothing.
    """

    run = models.ForeignKey(Run, models.PROTECT, related_name="batches")
    step = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    # 0: the frozen range; 1–3: sweeps for late rows; 8: keys whose review a person decided;
    # 9: quarantined keys driven again
    sweep = models.PositiveSmallIntegerField(default=0)
    after_key = models.TextField(null=True, blank=True)  # noqa: DJ001 - null: from the start
    last_key = models.TextField(null=True, blank=True)  # noqa: DJ001 - null: see keys
    keys = models.JSONField(null=True, blank=True)
    # rollbacks: the batch of the parent run that this one takes back
    undoes = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="undone_by"
    )
    state = models.CharField(max_length=8, choices=BatchState, default=BatchState.OPEN)
    attempts = models.PositiveIntegerField(default=0)
    # leases that ran out one after the other, without the batch being given back
    losses = models.PositiveSmallIntegerField(default=0, db_default=0)
    # keys whose workers died with them in hand, the last one perhaps in hand now
    suspects = models.JSONField(null=True, blank=True)
    owner = models.CharField(max_length=200, blank=True, default="")
    fencing = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    backend_pid = models.IntegerField(null=True, blank=True)
    backend_start = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    size = models.PositiveIntegerField(default=0)
    # {"outcomes": {…}, "warnings": {…}, "codes": {…}, "categories": {…}, "changes": {…}}
    counts = models.JSONField(default=dict)
    seconds = models.FloatField(default=0)
    digest = models.BinaryField(null=True, blank=True, editable=False)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["run", "step", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "step", "number"], name="batch_number_unique"),
        ]
        indexes = [
            models.Index(
                fields=["run", "state"],
                name="batch_unfinished",
                condition=~models.Q(state=BatchState.DONE),
            ),
        ]

    def __str__(self) -> str:
        return _("batch %(step)s.%(number)s of %(run_id)s") % {
            "step": self.step,
            "number": self.number,
            "run_id": self.run_id,
        }
