"""Legacy imports: which file was read, and what of it was refused."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext as _


class LegacyImport(models.Model):
    """One file of one kind. ``read`` = imported + updated + unchanged + rejected."""

    kind = models.CharField(max_length=40)
    file_name = models.CharField(max_length=255)
    size = models.BigIntegerField()  # bytes
    sha256 = models.CharField(max_length=64, db_index=True)
    # the first row of a CSV file, so that its rejected lines can be read again
    heading = models.TextField(blank=True, default="")
    read = models.BigIntegerField(default=0)
    imported = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.file_name}"


class RejectedLine(models.Model):
    """A line that could not be read, kept (shortened) so that a clerk can download and mend it."""

    legacy_import = models.ForeignKey(LegacyImport, models.CASCADE, related_name="rejected_lines")
    # physical line of a text file, row number of a table; table name for databases
    table = models.CharField(max_length=100, blank=True, default="")
    line = models.BigIntegerField()
    code = models.CharField(max_length=60)
    detail = models.TextField()
    text = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return _("line %(line)s: %(code)s") % {"line": self.line, "code": self.code}
