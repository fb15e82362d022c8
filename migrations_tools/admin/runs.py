"""Runs: the list, and the pages of one run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
)
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from migrations_tools.admin import run_page
from migrations_tools.admin.deed_pages import DeedPages
from migrations_tools.admin.deeds import (
    TuneForm,
    can_be_tuned,
    deeds_of,
)
from migrations_tools.admin.definition_pages import DefinitionPages
from migrations_tools.admin.file_pages import FilePages
from migrations_tools.admin.filters import DefinitionFilter
from migrations_tools.admin.pages import (
    may,
    refuse_without,
)
from migrations_tools.admin.paging import HugeTable, UncountedPaginator
from migrations_tools.admin.problem_pages import ProblemPages
from migrations_tools.models import Batch, Governor, RowChange, Run, Transition
from migrations_tools.selectors.summary import counts_of
from migrations_tools.states import BatchState
from migrations_tools.tones import tone_of

CHANGES_PER_PAGE = 50


@admin.register(Run)
class RunAdmin(DeedPages, DefinitionPages, FilePages, ProblemPages, HugeTable):
    """Runs of all data migrations, newest first."""

    change_list_template = "admin/migrations_tools/run/change_list.html"
    list_display = ["title", "kind", "state_badge", "verification", "actor", "asked_at"]
    list_filter = [DefinitionFilter, "kind", "state", "verification_state"]
    list_select_related = ["actor"]
    date_hierarchy = None
    ordering = ["-created_at", "-id"]
    search_fields = ["definition", "reason"]
    actions = ["roll_back"]

    @admin.display(description=lazy("data migration"), ordering="definition")
    def title(self, run: Run) -> str:
        return _(run.definition.replace("_", " ").capitalize())

    @admin.display(description=lazy("asked for"), ordering="created_at")
    def asked_at(self, run: Run) -> str:
        return date_format(timezone.localtime(run.created_at), "SHORT_DATETIME_FORMAT")

    @admin.display(description=lazy("state"), ordering="state")
    def state_badge(self, run: Run) -> SafeString:
        return format_html(
            '<span class="badge badge-{}">{}</span>', tone_of(run.state), run.get_state_display()
        )

    @admin.display(description=lazy("verification"), ordering="verification_state")
    def verification(self, run: Run) -> SafeString:
        return format_html(
            '<span class="badge badge-{}">{}</span>',
            tone_of(run.verification_state),
            run.get_verification_state_display(),
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        stopped = Governor.objects.filter(stopped=True).select_related("changed_by").first()
        context = {**(extra_context or {}), "stopped": stopped, "may_run": may(request, "run")}
        return super().changelist_view(request, context)

    # ---------------------------------------------------------------------------------- addresses

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, str, Callable[..., HttpResponseBase]]] = [
            ("<uuid:run_id>/live/", "live", self.live_view),
            ("<uuid:run_id>/changes/", "changes", self.changes_view),
            ("<uuid:run_id>/verification/", "verification", self.verification_view),
            ("<uuid:run_id>/transitions/", "transitions", self.transitions_view),
            *self.deed_addresses(),
            *self.file_addresses(),
            *self.definition_addresses(),
            *self.problem_addresses(),
        ]
        own = [
            path(
                address,
                self.admin_site.admin_view(view),
                name=f"migrations_tools_run_{name}",
            )
            for address, name, view in pages
        ]
        return own + super().get_urls()

    def run_or_404(self, run_id: UUID | str) -> Run:
        """The run with all that its pages name."""
        related = ["actor", "plan", "parent", "reviewed"]
        return get_object_or_404(Run.objects.select_related(*related), pk=run_id)

    def page(
        self, request: HttpRequest, run: Run, tab: str, template: str, context: dict[str, Any]
    ) -> TemplateResponse:
        """A page of one run, with the tabs that the person may see."""
        tabs = [
            (run_page.run_address(run, name), words, name == tab)
            for name, words, right in run_page.TABS
            if may(request, right)
        ]
        return TemplateResponse(
            request,
            f"admin/migrations_tools/run/{template}.html",
            {
                **self.admin_site.each_context(request),
                "title": run_page.title_of(run),
                "run": run,
                "tabs": tabs,
                "opts": self.opts,
                **context,
            },
        )

    # -------------------------------------------------------------------------------- pages of one

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        refuse_without(request, "view_run")
        try:
            run = self.run_or_404(UUID(object_id))
        except ValueError as error:
            raise Http404 from error
        context = {
            **self._live(request, run),
            **run_page.overview(run),
            "live_address": run_page.run_address(run, "live"),
            "may_see_rows": may(request, "view_rowchange"),
            "may_back_up": may(request, "purge") and run.finished_at is not None,
            "tune_form": (
                TuneForm(initial=run.tuning) if can_be_tuned(run) and may(request, "run") else None
            ),
        }
        return self.page(request, run, "change", "page", context)

    def live_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """The part of the page that is refreshed."""
        refuse_without(request, "view_run")
        run = self.run_or_404(run_id)
        context = self._live(request, run)
        return TemplateResponse(request, "admin/migrations_tools/run/live.html", context)

    def _live(self, request: HttpRequest, run: Run) -> dict[str, Any]:
        buttons = [
            (reverse("admin:migrations_tools_run_do", args=[run.pk, deed.name]), deed)
            for deed in deeds_of(run, request.user)  # type: ignore[arg-type]  # logged in
        ]
        return {**run_page.live_part(run), "buttons": buttons}

    def changes_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Rows before and after, batch by batch: the journal is ordered so."""
        refuse_without(request, "view_run", "view_rowchange")
        run = self.run_or_404(run_id)
        batches = Batch.objects.filter(run=run, state=BatchState.DONE).order_by("step", "number")
        numbered = UncountedPaginator(batches, 1).get_page(request.GET.get("batch"))
        batch = next(iter(numbered), None)
        counts = counts_of(run)["changes"]
        model = request.GET.get("model", "")
        model = model if model in counts else ""
        changes = RowChange.objects.filter(batch=batch).order_by("id")
        if model:
            changes = changes.filter(model=model)
        rows = Paginator(changes, CHANGES_PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "batch": batch,
            "batches": numbered,
            "model": model,
            "models": counts,
            "rows": rows,
            "batch_query": f"model={model}&",
            "page_query": f"model={model}&batch={numbered.number}&",
            "changes": [
                (change, run_page.differences(change.before, change.after)) for change in rows
            ],
        }
        return self.page(request, run, "changes", "changes", context)

    def verification_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        refuse_without(request, "view_run", "view_check")
        run = self.run_or_404(run_id)
        checks, former = run_page.checks_of(run)
        context = {"checks": checks, "former": former}
        return self.page(request, run, "verification", "verification", context)

    def transitions_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Who did what, when, where and why."""
        refuse_without(request, "view_run", "view_transition")
        run = self.run_or_404(run_id)
        told = Transition.objects.filter(run=run).select_related("actor").order_by("-id")
        rows = UncountedPaginator(told, 100).get_page(request.GET.get("page"))
        return self.page(request, run, "transitions", "history", {"rows": rows})
