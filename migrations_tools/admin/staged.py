"""Rows of an old system as exported: to look at, and to compare with what they became."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.base import ReadOnly
from migrations_tools.templatetags.comparing import compare_link


class StagedRowAdmin(ReadOnly):
    """``migration`` and ``step`` say which keys the rows are of."""

    migration: ClassVar[str]
    step: ClassVar[int] = 0
    list_filter = ["staged_at"]
    search_fields = ["=key"]
    readonly_fields = ["in_both_systems"]

    @admin.display(description=_("in both systems"))
    def in_both_systems(self, row: Any) -> SafeString | str:
        return compare_link(self.migration, self.step, self.key_of(row)) or "–"

    def key_of(self, row: Any) -> str:
        return str(row.key)
