"""Contest sessions, their attempts, the problem bank and the staged documents."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin

from sessions_app.models import ContestResult, LegacyContestSession, Problem, ProblemAttempt


class _ReadOnly(admin.ModelAdmin[Any]):
    """Pages to look at: saving a session is the service's."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Problem)
class ProblemAdmin(SimpleHistoryAdmin):
    """The bank may be corrected; attempts that were filled from it stay as they are."""

    list_display = ["contest_id", "number", "correct_answer", "difficulty", "topics"]
    list_filter = ["contest", "year", "difficulty"]
    search_fields = ["contest_id", "contest", "external_ids"]
    readonly_fields = ["choice_answer", "answer_key", "external_ids"]
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _AttemptInline(admin.TabularInline[ProblemAttempt, ContestResult]):
    model = ProblemAttempt
    extra = 0
    can_delete = False
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

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ContestResult)
class ContestResultAdmin(_ReadOnly, SimpleHistoryAdmin):
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
class LegacyContestSessionAdmin(_ReadOnly):
    list_display = ["key", "username", "session_ref", "session", "staged_at"]
    list_select_related = ["session"]
    search_fields = ["key", "username", "session_ref"]
    exclude = ["content_hash"]
