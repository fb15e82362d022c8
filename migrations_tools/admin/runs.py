"""Runs: the list, and the pages of one run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
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
from migrations_tools.admin.deeds import (
    TuneForm,
    can_be_tuned,
    deed_called,
    deeds_of,
)
from migrations_tools.admin.definition_pages import DefinitionPages
from migrations_tools.admin.filters import DefinitionFilter
from migrations_tools.admin.pages import (
    Confirmation,
    NeededReasonForm,
    ReasonForm,
    confirmed,
    may,
    refuse_deed,
    refuse_without,
    who,
)
from migrations_tools.admin.paging import HugeTable, UncountedPaginator
from migrations_tools.admin.problem_pages import ProblemPages
from migrations_tools.evidence import evidence_of, write_bundle
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Batch, Governor, RowChange, Run, Transition
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services import governor, retention, runs
from migrations_tools.services.requests import request_rollback
from migrations_tools.states import BatchState, state_sentence
from migrations_tools.tones import tone_of

CHANGES_PER_PAGE = 50


@admin.register(Run)
class RunAdmin(DefinitionPages, ProblemPages, HugeTable):
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
            ("governor/", "governor", self.governor_view),
            ("<uuid:run_id>/live/", "live", self.live_view),
            ("<uuid:run_id>/changes/", "changes", self.changes_view),
            ("<uuid:run_id>/verification/", "verification", self.verification_view),
            ("<uuid:run_id>/transitions/", "transitions", self.transitions_view),
            ("<uuid:run_id>/evidence/", "evidence", self.evidence_view),
            ("<uuid:run_id>/backup/", "backup", self.backup_view),
            ("<uuid:run_id>/tune/", "tune", self.tune_view),
            ("<uuid:run_id>/do/<slug:name>/", "do", self.do_view),
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

    # ------------------------------------------------------------------------------------- deeds

    def do_view(self, request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
        """A button: what will happen, then what happened."""
        refuse_without(request, "view_run")
        deed = deed_called(name)
        if deed is None:
            raise Http404
        run = self.run_or_404(run_id)
        address = run_page.run_address(run)
        refuse_deed(request, deed.permission, run)
        if not deed.allowed(run):
            sentence = state_sentence(run.kind, run.state)
            words = {"run": run, "state": run.get_state_display(), "sentence": sentence}
            messages.warning(request, _("The run is %(state)s by now. %(sentence)s") % words)
            return HttpResponseRedirect(address)
        data = request.POST if "confirm" in request.POST else None
        asked = data or request.GET
        chosen = asked.get("key") or asked.get("code") or ""
        page = Confirmation(
            title=f"{deed.label}: {run_page.title_of(run)}",
            sentence=deed.sentence(run),
            facts=[(_("Only"), chosen)] if chosen else [],
            confirm_label=str(deed.label),
            cancel_url=address,
            form=deed.form(data, initial=request.GET.dict()),
            warning=str(deed.warning),
            danger=deed.danger,
            breadcrumbs=[(run_page.title_of(run), address)],
        )

        def carry_out(values: Any) -> tuple[str, str]:
            after = deed.do(run, values, who(request))
            if after is None:
                messages.info(request, _("There was nothing to do."))
                return address, ""
            return run_page.run_address(after), str(deed.done)

        return confirmed(request, self.admin_site, page, carry_out)

    def tune_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Live settings of a run."""
        refuse_without(request, "view_run")
        run = self.run_or_404(run_id)
        address = run_page.run_address(run)
        refuse_deed(request, "run", run)
        if request.method == "POST":
            form = TuneForm(request.POST)
            if not form.is_valid():
                for errors in form.errors.values():
                    messages.error(request, " ".join(str(error) for error in errors))
                return HttpResponseRedirect(address)
            chosen = {name: value for name, value in form.cleaned_data.items() if value}
            if can_be_tuned(run):
                self._tune(request, run, chosen)
            else:
                messages.warning(request, state_sentence(run.kind, run.state))
        return HttpResponseRedirect(address)

    def _tune(self, request: HttpRequest, run: Run, chosen: dict[str, Any]) -> None:
        try:
            runs.tune_run(run, chosen, **who(request))
        except CarryoverError as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, _("The next batch is worked on so."))

    def evidence_view(self, request: HttpRequest, run_id: UUID) -> HttpResponseBase:
        """The signed file for auditors."""
        refuse_without(request, "view_run", "view_transition", "view_check")
        run = self.run_or_404(run_id)
        return self._download(f"evidence-{run.pk}.zip", lambda file: _bundle(run, file))

    def backup_view(self, request: HttpRequest, run_id: UUID) -> HttpResponseBase:
        """Journal, ledger and transitions as a file."""
        refuse_without(request, "view_run")
        run = self.run_or_404(run_id)
        refuse_deed(request, "purge", run)
        address = run_page.run_address(run)
        if request.method != "POST":
            return HttpResponseRedirect(address)
        try:
            retention.refuse_large(run, f"datamigrate backup {run.pk} --out FILE")
            return self._download(
                f"backup-{run.pk}.jsonl.gz",
                lambda file: retention.backup_run(run, file, **who(request)),
            )
        except CarryoverError as refused_by:
            messages.error(request, refused_by.message)
            return HttpResponseRedirect(address)

    def _download(self, name: str, write: Callable[[Path], object]) -> FileResponse:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            write(file)
            opened = file.open("rb")  # stays readable when the folder goes
        return FileResponse(opened, as_attachment=True, filename=name)

    def governor_view(self, request: HttpRequest) -> HttpResponse:
        """Stop all runs at once, or let them go on."""
        refuse_without(request, "view_run")
        refuse_deed(request, "run")
        stopped = Governor.objects.filter(stopped=True).first()
        stop = request.POST.get("stop", request.GET.get("stop", "")) == "yes"
        address = reverse("admin:migrations_tools_run_changelist")
        if stop == (stopped is not None):
            messages.info(
                request, _("All runs wait already.") if stop else _("Runs go on already.")
            )
            return HttpResponseRedirect(address)
        active = Run.objects.all().active().count()
        data = request.POST if "confirm" in request.POST else None
        page = Confirmation(
            title=_("Stop all runs") if stop else _("Let all runs go on"),
            sentence=(
                _("%(n)s runs finish the batches in hand and then wait, until you let them go on.")
                if stop
                else _("%(n)s runs go on by themselves.")
            )
            % {"n": active},
            confirm_label=_("Stop all runs") if stop else _("Let them go on"),
            cancel_url=address,
            form=(NeededReasonForm if stop else ReasonForm)(data),
            hidden=[("stop", "yes" if stop else "no")],
            danger=stop,
        )

        def carry_out(values: Any) -> tuple[str, str]:
            do = governor.stop_all_runs if stop else governor.let_runs_go
            do(reason=values["reason"], **who(request))
            return address, _("All runs wait.") if stop else _("Runs go on.")

        return confirmed(request, self.admin_site, page, carry_out)

    # ----------------------------------------------------------------------------- the list's deed

    @admin.action(description=lazy("Roll back"), permissions=["rollback"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        """Leave the rollback of the chosen runs to the workers, after a page that says what of."""
        deed = deed_called("rollback")
        if deed is None or not may(request, "rollback"):
            raise PermissionDenied
        chosen = list(queryset.order_by("-created_at", "-id"))
        able = [run for run in chosen if deed.allowed(run)]
        address = reverse("admin:migrations_tools_run_changelist")
        if not able:
            messages.warning(request, _("None of these runs can be rolled back."))
            return HttpResponseRedirect(address)
        page = Confirmation(
            title=_("Roll back %(n)s runs") % {"n": len(able)},
            sentence=_("%(n)s runs are taken back, each as follows; %(other)s are left out.")
            % {"n": len(able), "other": len(chosen) - len(able)},
            confirm_label=_("Roll back"),
            cancel_url=address,
            form=NeededReasonForm(request.POST if "confirm" in request.POST else None),
            details=[f"{run_page.title_of(run)} – {deed.sentence(run)}" for run in able],
            hidden=[
                ("action", "roll_back"),
                *[("_selected_action", str(run.pk)) for run in chosen],
            ],
            danger=True,
        )

        def carry_out(values: Any) -> tuple[str, str]:
            asked = 0
            for run in able:
                try:
                    found = request_rollback(run, reason=values["reason"], **who(request))
                except CarryoverError as refused:
                    messages.error(request, refused.message)
                else:
                    asked += found is not None
            return address, _("A worker rolls %(n)s runs back.") % {"n": asked} if asked else ""

        return confirmed(request, self.admin_site, page, carry_out)

    def has_rollback_permission(self, request: HttpRequest) -> bool:
        return may(request, "rollback")


def _bundle(run: Run, file: Path) -> object:
    return write_bundle(evidence_of(run), file)
