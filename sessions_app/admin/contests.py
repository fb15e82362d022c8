"""Contest sessions, their attempts, the problem bank and the staged documents."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin, NoDeletion, ReadOnly
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.filters import ValuesFilter
from migrations_tools.admin.staged import StagedRowAdmin
from sessions_app.admin.contest_pages import sections_of
from sessions_app.admin.forms import ProblemForm
from sessions_app.admin.operations import WithOperations
from sessions_app.models import ContestResult, LegacyContestSession, Problem, ProblemAttempt


@admin.register(Problem)
class ProblemAdmin(AskingAdmin, ExportMixin, NoDeletion, HistoryAdmin):
    """The bank may be corrected; attempts that were filled from it stay as they are."""

    form = ProblemForm
    list_display = [
        "contest_id",
        "number",
        "correct_answer",
        "difficulty",
        "topics",
        "attempts",
        "solved",
    ]
    list_filter = [("contest", ValuesFilter), "year", "difficulty"]
    search_fields = ["contest_id", "contest", "external_ids"]
    readonly_fields = ["choice_answer", "answer_key", "external_ids"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Problem]:
        problems: QuerySet[Problem] = super().get_queryset(request)
        found = ProblemAttempt.objects.filter(problem=OuterRef("pk")).order_by().values("problem")
        number, correct = Count("pk"), Count("pk", filter=Q(is_correct=True))
        return problems.annotate(
            attempt_count=Coalesce(Subquery(found.annotate(n=number).values("n")), 0),
            solved_count=Coalesce(Subquery(found.annotate(n=correct).values("n")), 0),
        )

    @admin.display(description=_("attempts"), ordering="attempt_count")
    def attempts(self, problem: Problem) -> int:
        return problem.attempt_count  # type: ignore[attr-defined, no-any-return]  # annotated

    @admin.display(description=_("solved"), ordering="solved_count")
    def solved(self, problem: Problem) -> int:
        return problem.solved_count  # type: ignore[attr-defined, no-any-return]  # likewise


@admin.register(ContestResult)
class ContestResultAdmin(WithOperations, ExportMixin, ReadOnly, HistoryAdmin):
    change_form_template = "sessions_app/admin/contest.html"
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
    list_filter = ["year", ("mode", ValuesFilter), "shuffle"]
    list_select_related = ["session"]
    search_fields = ["username", "contest", "session__session_id"]

    def sections(self, request: HttpRequest, obj: ContestResult) -> dict[str, Any]:
        return sections_of(request, obj)


@admin.register(LegacyContestSession)
class LegacyContestSessionAdmin(StagedRowAdmin):
    migration = "enrich_contest_sessions"
    list_display = ["key", "username", "session_ref", "session", "staged_at", "in_both_systems"]
    list_filter = [("session", admin.EmptyFieldListFilter), "staged_at"]
    list_select_related = ["session"]
    search_fields = ["key", "username", "session_ref"]
    exclude = ["content_hash"]
