"""Staged documents and rows of the legacy systems, verbatim."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext as _

from migrations_tools.models import StagedRow


class LegacyCollaborationRow(StagedRow):
    """One document of ``sessionmanagements``: a membership fact (collaboration.md).

    ``line`` is the text as exported; ``document`` the same as JSON, so that a missing key and null
    stay different. ``session_key`` is the canonical session id that rows are grouped by, or
    ``row:<_id>`` where there is none (R1).
    """

    key = models.CharField(max_length=255, unique=True, db_collation="C")
    line = models.TextField()
    document = models.JSONField()
    session_key = models.TextField(db_collation="C", db_index=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return _("legacy collaboration row %(key)s") % {"key": self.key}
