"""Contest sessions: a session with its charts, document and attempts; progress of people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.admin.filters import ValuesFilter
from migrations_tools.admin.lists import EmptyState, WithList
from sessions_app.admin.forms import ContestWordsForm
from sessions_app.admin.operations import WithOperations
from sessions_app.admin.sessions import FileInline, SessionAdmin, StatusFilter
from sessions_app.models import ContestResult, ContestSession, Difficulty, Session
from sessions_app.selectors.contest_cohort import BINS, cohort
from sessions_app.selectors.contest_document import contest_document
from sessions_app.selectors.contest_progress import progress
from sessions_app.selectors.lessons.items import name_of

ATTEMPTS_OF_A_PAGE: Final = 25
MOST_TOPICS: Final = 15  # in a chart

#: Columns of the list that tell of a result.
_OF_RESULTS: Final = ("person", "attempted", "accuracy")
#: Accuracy in percent from which on a bar is good, and below which it is bad.
_GOOD, _BAD = 70, 40


def sections_of(request: HttpRequest, result: ContestResult) -> dict[str, Any]:
    """What pages show of a result: figures, charts, and a page of its attempts."""
    attempts = Paginator(result.attempts.order_by("position"), ATTEMPTS_OF_A_PAGE)
    metrics = result.performance_metrics
    return {
        "result": result,
        "facts": [
            (_("Person"), result.username),
            (_("Contest"), f"{result.contest} {result.year or ''}".strip()),
            (_("Mode"), result.mode),
            (_("Score"), result.score),
            (_("Attempted"), result.total_attempted),
            (_("Correct"), metrics.get("total_correct")),
            (_("Accuracy in percent"), metrics.get("accuracy_percentage")),
            (_("Seconds"), round(result.total_time_ms / 1000, 2)),
        ],
        "topics": _bars(_by_attempts(result.topic_performance)[:MOST_TOPICS]),
        "difficulties": _bars(_from_easy_to_hard(result.difficulty_performance)),
        "attempts": attempts.get_page(request.GET.get("attempts")),
        "document_address": reverse(
            "admin:sessions_app_contestsession_document", args=[result.session_id]
        ),
        "progress_address": reverse(
            "admin:sessions_app_contestsession_progress", args=[result.user_id]
        )
        if result.user_id
        else "",
    }


def _by_attempts(buckets: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(buckets.items(), key=lambda item: (-item[1]["attempted"], item[0]))


def _from_easy_to_hard(buckets: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Words that are no difficulty come last."""
    order = {name: place for place, name in enumerate(Difficulty.values)}
    return sorted(buckets.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))


def _bars(buckets: Iterable[tuple[str, Any]]) -> list[tuple[str, float, str]]:
    """Points of a chart of accuracy."""
    return [(name, bucket["accuracy"], _tone(bucket["accuracy"])) for name, bucket in buckets]


def _tone(accuracy: float) -> str:
    return "good" if accuracy >= _GOOD else "bad" if accuracy < _BAD else "warn"


@admin.register(ContestSession)
class ContestSessionAdmin(WithList, WithOperations, SessionAdmin):
    form = ContestWordsForm
    change_form_template = "sessions_app/admin/contest.html"
    tools = [(gettext_lazy("Progress of everybody"), "sessions_app_contestsession_cohort")]
    empty_state = EmptyState(
        title=gettext_lazy("No contest session is here yet"),
        text=gettext_lazy(
            "Import problems, people and sessions of the contest trainer, and run their migration."
        ),
        link=gettext_lazy("Import a file"),
    )
    list_display = [
        "session_id",
        "person",
        "contest",
        "status",
        "attempted",
        "accuracy",
        "created_at",
        "ended_at",
    ]
    list_filter = [
        StatusFilter,
        ("contest_result__mode", ValuesFilter),
        "contest_result__year",
        "created_at",
    ]
    list_select_related = ["contest_result"]
    search_fields = [*SessionAdmin.search_fields, "contest_result__username"]
    inlines = [FileInline]

    def get_list_display(self, request: HttpRequest) -> Any:
        """Who did how well is for those who may see results."""
        columns = super().get_list_display(request)
        if _may_see_results(request):
            return columns
        return [name for name in columns if name not in _OF_RESULTS]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        fields = [str(name) for name in super().get_search_fields(request)]
        return fields if _may_see_results(request) else list(SessionAdmin.search_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        sessions: QuerySet[Session] = super().get_queryset(request)
        return sessions.select_related("contest_result")

    @admin.display(description=gettext_lazy("person"), ordering="contest_result__username")
    def person(self, session: Session) -> str:
        result = _result(session)
        return "–" if result is None else result.username

    @admin.display(description=gettext_lazy("contest"), ordering="contest_result__contest")
    def contest(self, session: Session) -> str:
        result = _result(session)
        return "–" if result is None else f"{result.contest} {result.year or ''}".strip()

    @admin.display(description=gettext_lazy("attempted"))
    def attempted(self, session: Session) -> Any:
        return _metric(session, "total_attempted")

    @admin.display(description=gettext_lazy("accuracy in percent"))
    def accuracy(self, session: Session) -> Any:
        return _metric(session, "accuracy_percentage")

    def sections(self, request: HttpRequest, obj: Session) -> dict[str, Any]:
        result = _result(obj)
        may_see = _may_see_results(request)
        shown = {} if result is None or not may_see else sections_of(request, result)
        return shown | {"may_see_results": may_see}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        name = "sessions_app_contestsession_{}".format
        return [
            path("progress/", view(self.cohort_view), name=name("cohort")),
            path("progress/<int:user_id>/", view(self.progress_view), name=name("progress")),
            path("<int:pk>/document/", view(self.document_view), name=name("document")),
            *super().get_urls(),
        ]

    def document_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The document of 19 fields; with ``?format=json`` as a file."""
        self._require_view(request)
        sessions = self.get_queryset(request).filter(contest_result__isnull=False)
        session = get_object_or_404(sessions.prefetch_related("contest_result__attempts"), pk=pk)
        document = contest_document(session)
        if request.GET.get("format") == "json":
            answer = JsonResponse(document, json_dumps_params={"indent": 2, "ensure_ascii": False})
            answer["Content-Disposition"] = 'attachment; filename="contest-session.json"'
            return answer
        fields = [(name, _shown(value), isinstance(value, dict | list))
                  for name, value in document.items()]  # fmt: skip
        return self._special_page(
            request, "contest_document", title=_("Document: %(session)s") % {"session": session},
            fields=fields, session=session,
        )  # fmt: skip

    def progress_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """How one person does, over all sessions."""
        self._require_view(request)
        person = User.objects.filter(pk=user_id).first()
        if person is None or not ContestResult.objects.filter(user=person).exists():
            raise Http404
        found = progress(person)
        name = name_of(person.first_name, person.last_name, person.username)
        return self._special_page(
            request,
            "contest_progress",
            title=_("Progress: %(person)s") % {"person": name},
            progress=found,
            trend=[
                (timezone.localdate(session["at"]).isoformat(), session["accuracy"])
                for session in found["trend"]["sessions"]
            ],
            topics=[
                (topic["name"], topic["accuracy"], _tone(topic["accuracy"]))
                for topic in found["topics"][:MOST_TOPICS]
            ],
            difficulties=[
                (each["name"], each["accuracy"], _tone(each["accuracy"]))
                for each in found["difficulties"]
            ],
        )

    def cohort_view(self, request: HttpRequest) -> HttpResponse:
        """How everybody does."""
        self._require_view(request)
        found = cohort()
        width = 100 // BINS
        return self._special_page(
            request,
            "contest_cohort",
            title=_("Progress of everybody"),
            cohort=found,
            distribution=[
                (f"{place * width}–{(place + 1) * width}", people)
                for place, people in enumerate(found["distribution"])
            ],
            topics=[
                (topic["name"], topic["accuracy"], _tone(topic["accuracy"]))
                for topic in found["topics"][:MOST_TOPICS]
            ],
        )

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request) or not _may_see_results(request):
            raise PermissionDenied

    def _special_page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "list_address": reverse("admin:sessions_app_contestsession_changelist"),
            **context,
        }
        return TemplateResponse(request, f"sessions_app/admin/{template}.html", context)


def _may_see_results(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("sessions_app.view_contestresult"))


def _result(session: Session) -> ContestResult | None:
    """The session's result; one that was made by hand has none."""
    return getattr(session, "contest_result", None)


def _metric(session: Session, name: str) -> Any:
    result = _result(session)
    return "–" if result is None else result.performance_metrics.get(name, "–")


def _shown(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
