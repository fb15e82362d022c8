"""Pages of the data migrations: the list, and one with its options as a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from migrations_tools.admin.pages import (
    Confirmation,
    confirmed,
    may,
    refuse_deed,
    refuse_without,
    who,
)
from migrations_tools.admin.paging import UncountedPaginator, is_storable
from migrations_tools.admin.run_page import run_address
from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.options import options_form
from migrations_tools.definitions.registry import get_definition
from migrations_tools.exceptions import UnknownDefinition
from migrations_tools.models import Run
from migrations_tools.selectors.definitions import definition_states, selected_by
from migrations_tools.services.policies import policies_of
from migrations_tools.services.requests import request_run
from migrations_tools.states import RunKind

#: What the buttons of the form say: kind of run, words of the button, what will happen.
KINDS: Final[dict[str, tuple[Any, Any]]] = {
    RunKind.PLAN: (
        lazy("Plan"),
        lazy("%(n)s keys wait. A worker forecasts what would become of them; nothing is kept."),
    ),
    RunKind.DRY_RUN: (
        lazy("Dry run"),
        lazy("%(n)s keys wait. A worker carries them over for trial and keeps nothing of it."),
    ),
    RunKind.APPLY: (
        lazy("Run"),
        lazy("%(n)s keys wait. A worker plans, then carries them over for real. It can be undone."),
    ),
}


class SettingsForm(forms.Form):
    """What concerns the run and not the migration."""

    limit = forms.IntegerField(
        label=lazy("At most so many keys"), required=False, min_value=1, max_value=10**9
    )
    batch_size = forms.IntegerField(
        label=lazy("Rows of a batch"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=lazy("Empty: as many as take a second."),
    )
    workers = forms.IntegerField(label=lazy("Workers"), required=False, min_value=1, max_value=64)
    reason = forms.CharField(
        label=lazy("Reason"), required=False, max_length=2_000, widget=forms.Textarea({"rows": 2})
    )


class DefinitionPages:
    """A part of the runs' admin: data migrations are no rows of a table."""

    if TYPE_CHECKING:
        admin_site: AdminSite
        opts: Any

    def definition_addresses(self) -> list[tuple[str, str, Callable[..., HttpResponseBase]]]:
        return [
            ("data-migrations/", "definitions", self.definitions_view),
            ("data-migrations/<slug:name>/", "definition", self.definition_view),
        ]

    def definitions_view(self, request: HttpRequest) -> HttpResponse:
        """Every data migration with its state."""
        refuse_without(request, "view_run")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Data migrations"),
            "opts": self.opts,
            "states": definition_states(),
        }
        return TemplateResponse(request, "admin/migrations_tools/run/definitions.html", context)

    def definition_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """One data migration: its form, and its runs. One that is gone still lists its runs."""
        refuse_without(request, "view_run")
        try:
            definition = get_definition(name)
        except UnknownDefinition as error:
            if not Run.objects.filter(definition=name).exists():
                raise Http404 from error
            return self._definition_page(request, name, None)
        options, settings = _forms(definition, request)
        if request.method == "POST":
            refuse_deed(request, "run")
            kind = request.POST.get("kind", "")
            if kind not in KINDS:
                raise Http404
            if not options.is_valid() or not settings.is_valid():
                return self._definition_page(
                    request, name, definition, options, settings, status=422
                )
            return self._confirm(request, definition, kind, options, settings)
        return self._definition_page(request, name, definition, options, settings)

    def _definition_page(
        self,
        request: HttpRequest,
        name: str,
        definition: type[DataMigration] | None,
        options: forms.Form | None = None,
        settings: forms.Form | None = None,
        *,
        status: int = 200,
    ) -> TemplateResponse:
        runs = Run.objects.filter(definition=name).select_related("actor")
        page = request.GET.get("page") if is_storable(request) else None
        states = definition_states([definition]) if definition is not None else []
        context = {
            **self.admin_site.each_context(request),
            "title": definition.title() if definition is not None else name,
            "opts": self.opts,
            "name": name,
            "definition": definition,
            "state": next(iter(states), None),
            "options": options,
            "settings": settings,
            "kinds": [(kind, words) for kind, (words, _sentence) in KINDS.items()],
            "may_run": may(request, "run"),
            "policies": policies_of(name),
            "runs": UncountedPaginator(runs, 25).get_page(page),
        }
        template = "admin/migrations_tools/run/definition.html"
        return TemplateResponse(request, template, context, status=status)

    def _confirm(
        self,
        request: HttpRequest,
        definition: type[DataMigration],
        kind: str,
        options: forms.Form,
        settings: forms.Form,
    ) -> HttpResponse:
        address = reverse("admin:migrations_tools_run_definition", args=[definition.name])
        chosen = {
            key: value for key, value in options.cleaned_data.items() if value not in (None, "")
        }
        tuning = {
            key: settings.cleaned_data[key]
            for key in ("limit", "batch_size", "workers")
            if settings.cleaned_data[key]
        }
        words, sentence = KINDS[kind]
        sent = [(key, value) for key, value in request.POST.items() if key != "confirm"]
        page = Confirmation(
            title=f"{words}: {definition.title()}",
            sentence=str(sentence) % {"n": f"{selected_by(definition, chosen):,}"},
            confirm_label=str(words),
            cancel_url=address,
            hidden=[(key, value) for key, value in sent if key != "csrfmiddlewaretoken"],
            facts=[(key.replace("_", " "), value) for key, value in {**chosen, **tuning}.items()],
            breadcrumbs=[(definition.title(), address)],
        )

        def carry_out(values: Any) -> tuple[str, str]:
            run = request_run(
                definition.name,
                kind,
                options=chosen,
                tuning=tuning,
                reason=settings.cleaned_data["reason"],
                **who(request),
            )
            if run is None:
                messages.info(request, _("There is nothing to do: no key waits."))
                return address, ""
            return run_address(run), _("A worker takes it up.")

        return confirmed(request, self.admin_site, page, carry_out)


def _forms(definition: type[DataMigration], request: HttpRequest) -> tuple[forms.Form, forms.Form]:
    data = request.POST if request.method == "POST" else None
    options = options_form(definition.options)(data, prefix="option")
    for name, field in options.fields.items():
        field.label = _(name.replace("_", " ")).capitalize()
    return options, SettingsForm(data)
