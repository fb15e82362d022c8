"""Cutovers: the stage of each key as a picture, what the next one needs, and what differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from migrations_tools.admin.base import ReadOnly
from migrations_tools.admin.pages import (
    Confirmation,
    NeededReasonForm,
    confirmed,
    may,
    refuse_deed,
    refuse_without,
    who,
)
from migrations_tools.admin.paging import UncountedPaginator
from migrations_tools.cutover.keys import CutoverKey, UnknownCutover, all_cutovers, get_cutover
from migrations_tools.cutover.moving import spent_budget
from migrations_tools.cutover.stages import STAGE_SENTENCES, STAGE_TRANSITIONS, Side, Stage
from migrations_tools.definitions.registry import get_definition
from migrations_tools.models import Cutover, Mismatch, Transition, Waiver
from migrations_tools.selectors.completion import newest_completed
from migrations_tools.selectors.cutover import cutover_status
from migrations_tools.selectors.readiness import needs_of
from migrations_tools.services.cutover import (
    MOST_MILLISECONDS,
    change_rules,
    change_stage,
    explain_mismatch,
)

_STAGES = list(Stage.values)

#: What the two sides are called on the page.
SIDE_NAMES: Final = {
    Side.LEGACY.value: lazy("the old system"),
    Side.NEW.value: lazy("the new system"),
}


class StageForm(NeededReasonForm):
    read_percentage = forms.IntegerField(
        label=lazy("Share of readers of the new system, in percent"),
        required=False,
        min_value=0,
        max_value=100,
    )


class RulesForm(NeededReasonForm):
    """Budgets and fields that may differ."""

    mismatch_budget = forms.FloatField(
        label=lazy("Share of comparisons that may differ (0 to 1)"), min_value=0, max_value=1
    )
    latency_budget_ms = forms.FloatField(
        label=lazy("Milliseconds that a new read may take on average"),
        min_value=0.001,
        max_value=MOST_MILLISECONDS,
    )
    ignored = forms.CharField(
        label=lazy("Fields that may differ"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=lazy("One a line: “field”, or “operation field” for one operation only."),
    )

    def clean_ignored(self) -> list[dict[str, str]]:
        rules = []
        for line in self.cleaned_data["ignored"].splitlines():
            words = line.split()
            if len(words) > 2:
                raise ValidationError(_("“%(line)s” has more than two words.") % {"line": line})
            if words:
                operation = words[0] if len(words) == 2 else "*"
                rules.append({"operation": operation, "field": words[-1]})
        return rules


class ExplainForm(forms.Form):
    explanation = forms.CharField(
        label=lazy("Why this is none to worry about"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@admin.register(Cutover)
class CutoverAdmin(ReadOnly):
    """Keys are registered by apps; the row of one that nobody began is not there yet."""

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("key/<slug:name>/", "key", self.key_view),
            ("key/<slug:name>/move/<slug:stage>/", "move", self.move_view),
            ("key/<slug:name>/rules/", "rules", self.rules_view),
            ("mismatch/<int:mismatch_id>/explain/", "explain", self.explain_view),
        ]
        own = [
            path(
                address,
                self.admin_site.admin_view(view),
                name=f"migrations_tools_cutover_{name}",
            )
            for address, name, view in pages
        ]
        return own + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All keys with their stages."""
        refuse_without(request, "view_cutover")
        begun = {cutover.key: cutover for cutover in Cutover.objects.all()}
        rows = [
            (key, begun.get(key.name) or Cutover(key=key.name), _address(key))
            for key in all_cutovers()
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Cutovers"),
            "opts": self.opts,
            "rows": [(key, cutover, address, _steps(cutover)) for key, cutover, address in rows],
        }
        return TemplateResponse(request, "admin/migrations_tools/cutover/list.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        refuse_without(request, "view_cutover")
        if not object_id.isdigit() or len(object_id) > 18:
            raise Http404
        cutover = get_object_or_404(Cutover, pk=int(object_id))
        return HttpResponseRedirect(_address(_key(cutover.key)))

    def key_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """One key: where it stands, where it can go, and what shadow reads found."""
        refuse_without(request, "view_cutover")
        key = _key(name)
        cutover, status = _current(key), cutover_status(key)
        differences = (
            Mismatch.objects.filter(cutover__key=key.name)
            .select_related("explained_by")
            .order_by("-last_seen", "-id")
        )
        told = Transition.objects.filter(details__cutover=key.name).select_related("actor")
        run = newest_completed(get_definition(key.definition))
        behind = _STAGES[: _STAGES.index(cutover.stage)]
        waived = Waiver.objects.filter(definition=key.definition).select_related("actor")
        if not may(request, "view_mismatch"):  # rows of both systems, with people's data
            differences = differences.none()
        page = UncountedPaginator(differences, 20).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": _(key.title),
            "opts": self.opts,
            "key": key,
            "cutover": cutover,
            "status": status,
            "steps": _steps(cutover),
            "sentence": _(STAGE_SENTENCES[cutover.stage]),
            "writes": [SIDE_NAMES[side] for side in status["writes"]],
            "reads": SIDE_NAMES[status["reads"]],
            "forced": key.forced_to_legacy(),
            "spent": spent_budget(cutover),
            "ways": [
                {
                    "stage": stage,
                    "label": Stage(stage).label,
                    "back": stage in behind,
                    "needs": list(needs_of(key, cutover, stage)),
                    "address": reverse(
                        "admin:migrations_tools_cutover_move", args=[key.name, stage]
                    ),
                }
                for stage in sorted(
                    STAGE_TRANSITIONS[cutover.stage],
                    key=lambda name: (name in behind, _STAGES.index(name)),
                )
            ],
            "share_address": reverse(
                "admin:migrations_tools_cutover_move", args=[key.name, cutover.stage]
            ),
            "run": run,
            "differences": page,
            "waived": waived.order_by("-id")[:20],
            "transitions": told.order_by("-id")[:50],
            "may_cut_over": may(request, "cutover"),
            "may_see_differences": may(request, "view_mismatch"),
        }
        return TemplateResponse(request, "admin/migrations_tools/cutover/page.html", context)

    def move_view(self, request: HttpRequest, name: str, stage: str) -> HttpResponse:
        """To another stage, or – at the same – to another share of readers."""
        refuse_without(request, "view_cutover")
        key = _key(name)
        if stage not in _STAGES:
            raise Http404
        refuse_deed(request, "cutover")
        cutover = _current(key)
        same = stage == cutover.stage
        label = Stage(stage).label
        data = request.POST if "confirm" in request.POST else None
        needs = [need for need in needs_of(key, cutover, stage) if not need.holds]
        page = Confirmation(
            title=_("%(key)s: to %(stage)s") % {"key": _(key.title), "stage": label},
            sentence=_(STAGE_SENTENCES[stage]),
            confirm_label=_("Change the share") if same else _("Go to %(s)s") % {"s": label},
            cancel_url=_address(key),
            form=StageForm(data, initial={"read_percentage": cutover.read_percentage}),
            details=[need.refusal for need in needs],
            warning=_("There is no way back from here.") if stage == Stage.COMPLETE else "",
            danger=stage == Stage.COMPLETE,
            hidden=[("from", cutover.stage)],
            breadcrumbs=[(_(key.title), _address(key))],
        )

        def carry_out(values: Any) -> tuple[str, str]:
            if request.POST.get("from", cutover.stage) != cutover.stage:
                now = Stage(cutover.stage).label
                messages.warning(
                    request,
                    _("Somebody was faster: it is at %(stage)s by now.") % {"stage": now},
                )
                return _address(key), ""
            change_stage(
                key.name,
                stage,
                reason=values["reason"],
                read_percentage=values["read_percentage"],
                **who(request),
            )
            return _address(key), _("It is at %(stage)s now.") % {"stage": label}

        return confirmed(request, self.admin_site, page, carry_out)

    def rules_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Budgets of shadow reads, and fields that may differ."""
        refuse_without(request, "view_cutover")
        refuse_deed(request, "cutover")
        key = _key(name)
        cutover = _current(key)
        ignored = [
            rule["field"]
            if rule.get("operation", "*") == "*"
            else f"{rule['operation']} {rule['field']}"
            for rule in cutover.ignored
        ]
        initial = {
            "mismatch_budget": cutover.mismatch_budget,
            "latency_budget_ms": cutover.latency_budget_ms,
            "ignored": "\n".join(ignored),
        }
        page = Confirmation(
            title=_("Rules of %(key)s") % {"key": _(key.title)},
            sentence=_(
                "Over a budget, the cutover steps back from shadow to dual write by itself."
            ),
            confirm_label=_("Save"),
            cancel_url=_address(key),
            form=RulesForm(request.POST if "confirm" in request.POST else None, initial=initial),
            breadcrumbs=[(_(key.title), _address(key))],
        )

        def carry_out(values: Any) -> tuple[str, str]:
            change_rules(key.name, **values, **who(request))
            return _address(key), _("The rules hold from now on.")

        return confirmed(request, self.admin_site, page, carry_out)

    def explain_view(self, request: HttpRequest, mismatch_id: int) -> HttpResponse:
        """Say why a difference is none to worry about."""
        refuse_without(request, "view_cutover")
        refuse_deed(request, "cutover")
        found = get_object_or_404(Mismatch.objects.select_related("cutover"), pk=mismatch_id)
        key = _key(found.cutover.key)
        page = Confirmation(
            title=_("Explain a difference"),
            sentence=_("This difference was found %(n)s times; explained, it counts no more.")
            % {"n": f"{found.times:,}"},
            confirm_label=_("Explain"),
            cancel_url=_address(key),
            form=ExplainForm(
                request.POST if "confirm" in request.POST else None,
                initial={"explanation": found.explanation},
            ),
            facts=[(_("operation"), found.operation), (_("subject"), found.subject)],
            breadcrumbs=[(_(key.title), _address(key))],
        )

        def carry_out(values: Any) -> tuple[str, str]:
            explain_mismatch(found, explanation=values["explanation"], **who(request))
            return _address(key), _("The difference is explained.")

        return confirmed(request, self.admin_site, page, carry_out)


def _key(name: str) -> CutoverKey:
    try:
        return get_cutover(name)
    except UnknownCutover as error:
        raise Http404 from error


def _current(key: CutoverKey) -> Cutover:
    return Cutover.objects.filter(key=key.name).first() or Cutover(key=key.name)


def _address(key: CutoverKey) -> str:
    return reverse("admin:migrations_tools_cutover_key", args=[key.name])


def _steps(cutover: Cutover) -> list[dict[str, Any]]:
    """The stages in order: those behind, the present one, those ahead."""
    place = _STAGES.index(cutover.stage)
    return [
        {"label": stage.label, "done": number < place, "current": number == place}
        for number, stage in enumerate(Stage)
    ]
