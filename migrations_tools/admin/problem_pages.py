"""Pages of what did not simply go through: by code, key by key, as a file, and waived."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib.admin import AdminSite
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.translation import gettext as _

from migrations_tools.admin.deeds import deed_called
from migrations_tools.admin.pages import (
    Confirmation,
    NeededReasonForm,
    confirmed,
    may,
    refuse_deed,
    refuse_without,
    who,
)
from migrations_tools.admin.paging import UncountedPaginator, is_storable
from migrations_tools.admin.run_page import run_address, title_of
from migrations_tools.models import Run
from migrations_tools.selectors.problems import (
    HEADINGS,
    UNCLEAN,
    problem_entries,
    problem_rows,
    problems_by_code,
)
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services.cutover import waive_key
from migrations_tools.states import Outcome, RunKind
from migrations_tools.tables_out import csv_lines

PROBLEMS_PER_PAGE = 50


class WaiveForm(NeededReasonForm):
    key = forms.CharField(widget=forms.HiddenInput, max_length=2_000)


class ProblemPages:
    """A part of the runs' admin."""

    if TYPE_CHECKING:
        admin_site: AdminSite
        run_or_404: Callable[[UUID | str], Run]
        page: Callable[..., HttpResponse]

    def problem_addresses(self) -> list[tuple[str, str, Callable[..., HttpResponseBase]]]:
        return [
            ("<uuid:run_id>/problems/", "problems", self.problems_view),
            ("<uuid:run_id>/problems.csv", "problems_csv", self.problems_csv_view),
            ("<uuid:run_id>/waive/", "waive", self.waive_view),
        ]

    def problems_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Codes with their numbers, and the keys of the chosen one."""
        refuse_without(request, "view_run", "view_ledgerentry")
        run = self.run_or_404(run_id)
        if not is_storable(request):
            return HttpResponseRedirect(request.path)
        outcome, code = _chosen(request)
        retry = deed_called("retry")
        may_retry = retry is not None and may(request, retry.permission) and retry.allowed(run)
        rows = UncountedPaginator(problem_entries(run, outcome, code), PROBLEMS_PER_PAGE)
        context = {
            "codes": problems_by_code(run),
            "warnings": counts_of(run)["warnings"],
            "rows": rows.get_page(request.GET.get("page")),
            "outcome": outcome,
            "code": code,
            "pages_query": urlencode({"outcome": outcome, "code": code}) + "&",
            "may_retry": may_retry,
            "may_force": self._may_force(request, run),
            "may_waive": may(request, "waive") and run.kind == RunKind.APPLY,
            "unclean": [str(found) for found in UNCLEAN],
            "conflict": str(Outcome.CONFLICT),
            "quarantined": str(Outcome.QUARANTINED),
        }
        return self.page(request, run, "problems", "problems", context)

    def _may_force(self, request: HttpRequest, run: Run) -> bool:
        """Whether conflicts of this rollback can be taken back one by one."""
        force = deed_called("force")
        if force is None or run.parent is None or run.kind != RunKind.ROLLBACK:
            return False
        return may(request, force.permission) and force.allowed(run.parent)

    def problems_csv_view(self, request: HttpRequest, run_id: UUID) -> HttpResponseBase:
        """The same keys as a file that no spreadsheet takes for formulas."""
        refuse_without(request, "view_run", "view_ledgerentry")
        run = self.run_or_404(run_id)
        if not is_storable(request):
            return HttpResponseRedirect(request.path)
        outcome, code = _chosen(request)
        lines = csv_lines(HEADINGS, problem_rows(run, outcome, code))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="problems-{run.pk}.csv"'
        return answer

    def waive_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Decide that a key is never carried over."""
        refuse_without(request, "view_run")
        run = self.run_or_404(run_id)
        refuse_deed(request, "waive", run)
        address = run_address(run, "problems")
        key = request.POST.get("key", request.GET.get("key", ""))
        data = request.POST if "confirm" in request.POST else None
        page = Confirmation(
            title=_("Waive key %(key)s") % {"key": key[:100]},
            sentence=_(
                "This one key counts as settled, though nothing of it is carried over: it no "
                "longer stands in the way of a cutover."
            ),
            confirm_label=_("Waive"),
            cancel_url=address,
            form=WaiveForm(data, initial={"key": key}),
            warning=_("This stays for good."),
            danger=True,
            breadcrumbs=[(title_of(run), run_address(run))],
        )

        def carry_out(values: Any) -> tuple[str, str]:
            waive_key(run, values["key"], reason=values["reason"], **who(request))
            return address, _("Key %(key)s is waived.") % {"key": values["key"]}

        return confirmed(request, self.admin_site, page, carry_out)


def _chosen(request: HttpRequest) -> tuple[str, str]:
    outcome = request.GET.get("outcome", "")
    return (outcome if outcome in Outcome.values else ""), request.GET.get("code", "")[:60]
