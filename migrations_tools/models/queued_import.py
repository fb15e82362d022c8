"""Files that were uploaded, and imports that wait for a worker."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from migrations_tools.models.legacy_import import LegacyImport
from migrations_tools.states import Surface


class QueuedImport(models.Model):
    """One file that a worker imports. It lies in ``uploads`` until it is done, refused or dropped.

    Whoever works on it holds a lock on the row and commits the import with the new state; so it is
    done once, and a killed worker leaves it queued.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded")  # waits for its owner, who looks at a preview
        QUEUED = "queued", _("queued")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")  # nothing of the file was imported
        DROPPED = "dropped", _("dropped")  # by its owner, or never confirmed

    kind = models.CharField(max_length=40)
    table = models.CharField(max_length=100, blank=True, default="")
    file_name = models.CharField(max_length=255)
    stored = models.CharField(max_length=64)  # folder below ``uploads`` that holds the file
    size = models.BigIntegerField(default=0)  # bytes
    sha256 = models.CharField(max_length=64, blank=True, default="")
    # what the kind asks beside the file, such as the sheet of a workbook
    options = models.JSONField(blank=True, default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)  # that met an unexpected error
    code = models.CharField(max_length=60, blank=True, default="")
    error = models.TextField(blank=True, default="")
    # what a kind that makes no legacy import tells of its work, such as the batch it made
    result = models.JSONField(blank=True, default=dict)
    surface = models.CharField(max_length=8, choices=Surface)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    legacy_import = models.OneToOneField(
        LegacyImport, models.PROTECT, null=True, blank=True, related_name="queued"
    )
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state="queued"), name="import_waiting"),
            models.Index(
                fields=["created_at"], condition=models.Q(state="uploaded"), name="upload_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.file_name} ({self.get_state_display()})"


class ImportProgress(models.Model):
    """How far a worker is with a queued import. Written beside the import's own transaction, so
    that others see it before the import is there; a row of its own, because the other is locked.
    """

    queued_import = models.OneToOneField(
        QueuedImport, models.CASCADE, primary_key=True, related_name="progress"
    )
    table = models.CharField(max_length=100, blank=True, default="")
    rows = models.BigIntegerField(default=0)  # read of the table
    share = models.FloatField(default=0.0)  # read of the table, 0–1
    started_at = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.rows} rows"
