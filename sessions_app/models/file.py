"""Files that people put into a session (collaboration.md R10)."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.db.models.functions import MD5

from migrations_tools.history_tracking import tracked_history
from sessions_app.models.session import Session


class SessionFile(models.Model):
    """One file by name and path. ``path`` is where the old system kept it, or a marker such as
    ``mongodb://<session id>``; ``uploaded_by`` is an e-mail address.
    """

    session = models.ForeignKey(Session, models.CASCADE, related_name="files", db_index=False)
    name = models.TextField(blank=True, default="")
    path = models.TextField(blank=True, default="")
    uploaded_by = models.CharField(max_length=320, blank=True, default="")
    uploaded_at = models.DateTimeField(null=True, blank=True)

    history = tracked_history()

    class Meta:
        ordering = ["session", "id"]
        constraints = [
            # MD5: names and paths of any length
            models.UniqueConstraint(
                F("session"), MD5("name"), MD5("path"), name="session_file_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.path
