"""Pages of what is done with runs: the buttons of one, the list's rollback, and the stop of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from migrations_tools.admin.deeds import TuneForm, can_be_tuned, deed_called
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
from migrations_tools.admin.run_page import run_address, title_of
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Governor, Run
from migrations_tools.services import governor, runs
from migrations_tools.services.requests import request_rollback
from migrations_tools.states import state_sentence


class DeedPages:
    """A part of the runs' admin."""

    if TYPE_CHECKING:
        admin_site: AdminSite
        run_or_404: Callable[[UUID | str], Run]

    def deed_addresses(self) -> list[tuple[str, str, Callable[..., HttpResponseBase]]]:
        return [
            ("governor/", "governor", self.governor_view),
            ("<uuid:run_id>/tune/", "tune", self.tune_view),
            ("<uuid:run_id>/do/<slug:name>/", "do", self.do_view),
        ]

    def do_view(self, request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
        """A button: what will happen, then what happened."""
        refuse_without(request, "view_run")
        deed = deed_called(name)
        if deed is None:
            raise Http404
        run = self.run_or_404(run_id)
        address = run_address(run)
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
            title=f"{deed.label}: {title_of(run)}",
            sentence=deed.sentence(run),
            facts=[(_("Only"), chosen)] if chosen else [],
            confirm_label=str(deed.label),
            cancel_url=address,
            form=deed.form(data, initial=request.GET.dict()),
            warning=str(deed.warning),
            danger=deed.danger,
            breadcrumbs=[(title_of(run), address)],
        )

        def carry_out(values: Any) -> tuple[str, str]:
            after = deed.do(run, values, who(request))
            if after is None:
                messages.info(request, _("There was nothing to do."))
                return address, ""
            return run_address(after), str(deed.done)

        return confirmed(request, self.admin_site, page, carry_out)

    def tune_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Live settings of a run."""
        refuse_without(request, "view_run")
        run = self.run_or_404(run_id)
        address = run_address(run)
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
            details=[f"{title_of(run)} – {deed.sentence(run)}" for run in able],
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
