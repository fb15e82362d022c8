"""What the engine wrote down, to look at: batches, ledger, journal, transitions and the rest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.filters import DefinitionFilter, RunDefinitionFilter, StateFilter
from migrations_tools.admin.paging import HugeTable
from migrations_tools.admin.run_page import run_address
from migrations_tools.models import (
    Batch,
    Check,
    DualWritten,
    LedgerEntry,
    Notice,
    RetentionRecord,
    RowChange,
    Transition,
    Waiver,
)
from migrations_tools.told import told
from migrations_tools.tones import tone_of
from migrations_tools.words import action_words, state_words


class OfRun(HugeTable):
    """Rows that belong to a run, which is linked."""

    @admin.display(description=_("run"))
    def run_link(self, row: Any) -> SafeString | str:
        if row.run_id is None:
            return ""
        return format_html('<a href="{}">{}</a>', run_address(str(row.run_id)), row.run_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The id of a run finds what belongs to it."""
        try:
            return queryset.filter(run=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)


@admin.register(Batch)
class BatchAdmin(OfRun):
    list_display = ["place", "run_link", "state", "size", "seconds", "attempts", "owner", "error"]
    list_filter = ["state", RunDefinitionFilter]
    list_select_related = ["run"]
    ordering = ["-id"]
    search_fields = ["owner"]

    @admin.display(description=_("batch"))
    def place(self, batch: Batch) -> str:
        return f"{batch.step}.{batch.number}"


@admin.register(LedgerEntry)
class LedgerEntryAdmin(OfRun):
    """Searched by the whole key: it is what the index knows."""

    list_display = [
        "key",
        "run_link",
        "outcome_badge",
        "code",
        "detail_told",
        "confidence",
        "attempt",
    ]
    list_filter = ["outcome", RunDefinitionFilter]
    list_select_related = ["run"]
    ordering = ["-id"]
    search_fields = ["key__exact"]

    @admin.display(description=_("detail"), ordering="detail")
    def detail_told(self, entry: LedgerEntry) -> str:
        return told(entry.detail)

    @admin.display(description=_("outcome"))
    def outcome_badge(self, entry: LedgerEntry) -> SafeString:
        return format_html(
            '<span class="badge badge-{}">{}</span>',
            tone_of(entry.outcome),
            entry.get_outcome_display(),
        )


@admin.register(RowChange)
class RowChangeAdmin(OfRun):
    """Searched by the primary key of the row that was written."""

    list_display = ["model", "pk_text", "operation", "key", "run_link"]
    list_filter = ["operation", RunDefinitionFilter]
    list_select_related = ["run"]
    ordering = ["-id"]
    search_fields = ["pk_text__exact"]


@admin.register(Transition)
class TransitionAdmin(OfRun):
    list_display = [
        "at",
        "done",
        "run_link",
        "came_from",
        "became",
        "actor",
        "surface",
        "reason",
    ]
    list_filter = ["surface", RunDefinitionFilter, StateFilter]
    list_select_related = ["run", "actor"]
    ordering = ["-id"]
    search_fields = ["action__exact", "actor__username__exact"]

    @admin.display(description=_("action"))
    def done(self, told: Transition) -> str:
        return action_words(told.action)

    @admin.display(description=_("from state"))
    def came_from(self, told: Transition) -> str:
        return state_words(told.from_state) or "–"

    @admin.display(description=_("to state"))
    def became(self, told: Transition) -> str:
        return state_words(told.to_state) or "–"


@admin.register(Check)
class CheckAdmin(OfRun):
    list_display = [
        "at",
        "code",
        "title_told",
        "passed",
        "examined",
        "failures",
        "edited_since",
        "run_link",
    ]
    list_filter = ["ok", DefinitionFilter]
    list_select_related = ["run"]
    ordering = ["-id"]
    search_fields = ["code__exact"]

    @admin.display(description=_("title"), ordering="title")
    def title_told(self, check: Check) -> str:
        return told(check.title)

    @admin.display(description=_("passed"), boolean=True)
    def passed(self, check: Check) -> bool:
        return check.ok


@admin.register(Waiver)
class WaiverAdmin(HugeTable):
    list_display = ["key", "definition", "step", "reason", "actor", "at"]
    list_filter = [DefinitionFilter]
    list_select_related = ["actor"]
    ordering = ["-id"]
    search_fields = ["key__exact"]


@admin.register(Notice)
class NoticeAdmin(HugeTable):
    """What people were told, or are to be told."""

    list_display = ["title", "kind", "created_at", "sent_at", "attempts", "given_up"]
    list_filter = ["kind", "given_up"]
    list_select_related = ["transition"]
    ordering = ["-id"]


@admin.register(RetentionRecord)
class RetentionRecordAdmin(OfRun):
    list_display = ["at", "kind", "run_link", "rows", "actor", "reason"]
    list_filter = ["kind"]
    list_select_related = ["run", "actor"]
    ordering = ["-id"]


@admin.register(DualWritten)
class DualWrittenAdmin(HugeTable):
    list_display = ["key", "definition", "step", "written_at"]
    list_filter = [DefinitionFilter]
    ordering = ["-id"]
    search_fields = ["key__exact"]
