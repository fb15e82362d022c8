"""Contest sessions, their attempts, the problem bank and the staged documents."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.base import HistoryAdmin, NoDeletion, ReadOnly, ReadOnlyInline
from migrations_tools.admin.imports.comparing import compare_link
from sessions_app.models import ContestResult, LegacyContestSession, Problem, ProblemAttempt


@admin.register(Problem)
class ProblemAdmin(NoDeletion, HistoryAdmin):
    """The bank may be corrected; attempts that were filled from it stay as they are."""

    list_display = ["contest_id", "number", "correct_answer", "difficulty", "topics"]
    list_filter = ["contest", "year", "difficulty"]
    search_fields = ["contest_id", "contest", "external_ids"]
    readonly_fields = ["choice_answer", "answer_key", "external_ids"]


class _AttemptInline(ReadOnlyInline):
    model = ProblemAttempt
    fields = readonly_fields = (
        "position",
        "problem_number",
        "problem_ref",
        "is_correct",
        "selected_answer",
        "correct_answer",
        "time_spent_ms",
        "difficulty",
        "topics",
    )


@admin.register(ContestResult)
class ContestResultAdmin(ReadOnly, HistoryAdmin):
    list_display = [
        "session",
        "username",
        "contest",
        "year",
        "mode",
        "score",
        "total_attempted",
        "total_time_ms",
    ]
    list_filter = ["year", "mode", "shuffle"]
    list_select_related = ["session"]
    search_fields = ["username", "contest", "session__session_id"]
    inlines = [_AttemptInline]


@admin.register(LegacyContestSession)
class LegacyContestSessionAdmin(ReadOnly):
    list_display = ["key", "username", "session_ref", "session", "staged_at", "in_both_systems"]
    list_filter = [("session", admin.EmptyFieldListFilter), "staged_at"]
    readonly_fields = ["in_both_systems"]
    list_select_related = ["session"]
    search_fields = ["key", "username", "session_ref"]
    exclude = ["content_hash"]

    @admin.display(description=_("in both systems"))
    def in_both_systems(self, row: LegacyContestSession) -> SafeString | str:
        return compare_link("enrich_contest_sessions", 0, row.key)
