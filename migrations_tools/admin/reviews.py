"""The review queue: what migrations left to persons, with its evidence, and their decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from migrations_tools.admin.filters import ConfidenceFilter, RunDefinitionFilter
from migrations_tools.admin.pages import (
    Confirmation,
    ReasonForm,
    confirmed,
    may,
    refuse_deed,
    refuse_without,
    who,
)
from migrations_tools.admin.paging import HugeTable
from migrations_tools.admin.run_page import run_address
from migrations_tools.definitions.base import Step
from migrations_tools.definitions.options import options_form
from migrations_tools.definitions.registry import get_definition
from migrations_tools.exceptions import UnknownDefinition
from migrations_tools.models import ReviewItem, Run
from migrations_tools.services.reviews import decide
from migrations_tools.states import ReviewDecision
from migrations_tools.tones import tone_of

#: Address of a decision: what is stored, words of the button, what it does.
DECISIONS: Final[dict[str, tuple[str, Any, Any]]] = {
    "accept": (ReviewDecision.ACCEPTED, lazy("Accept"), lazy("The proposal of each is applied.")),
    "choose": (
        ReviewDecision.CHOSEN,
        lazy("Choose another"),
        lazy("What you choose is applied instead of the proposal."),
    ),
    "park": (
        ReviewDecision.PARKED,
        lazy("Park"),
        lazy("Each is put where the data migration keeps what has no place yet."),
    ),
    "skip": (
        ReviewDecision.SKIPPED,
        lazy("Skip"),
        lazy("Nothing is written; they are only out of the queue."),
    ),
}
#: Items that one confirmation decides.
MOST_AT_ONCE: Final = 1_000


@admin.register(ReviewItem)
class ReviewItemAdmin(HugeTable):
    """What waits comes first; what was decided is kept with who and why."""

    list_display = [
        "key",
        "migration",
        "proposed",
        "sure",
        "decision_badge",
        "decided_by",
        "decided_at",
        "reason",
    ]
    list_filter = [RunDefinitionFilter, "decision", ConfidenceFilter]
    list_select_related = ["run", "decided_by"]
    search_fields = ["key"]
    ordering = ["-id"]
    actions = ["accept", "park", "skip"]

    @admin.display(description=lazy("data migration"))
    def migration(self, item: ReviewItem) -> str:
        return _(item.run.definition.replace("_", " ").capitalize())

    @admin.display(description=lazy("proposal"))
    def proposed(self, item: ReviewItem) -> str:
        text = ", ".join(f"{name}: {value}" for name, value in item.proposal.items())
        return text if len(text) < 120 else f"{text[:119]}…"

    @admin.display(description=lazy("confidence"), ordering="confidence")
    def sure(self, item: ReviewItem) -> str:
        return "" if item.confidence is None else f"{item.confidence:.2f}"

    @admin.display(description=lazy("decision"), ordering="decision")
    def decision_badge(self, item: ReviewItem) -> SafeString:
        return format_html(
            '<span class="badge badge-{}">{}</span>',
            tone_of(item.decision),
            item.get_decision_display(),
        )

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<uuid:run_id>/decide/<slug:name>/",
                self.admin_site.admin_view(self.decide_all_view),
                name="migrations_tools_reviewitem_decide_all",
            ),
            path(
                "<int:item_id>/decide/<slug:name>/",
                self.admin_site.admin_view(self.decide_view),
                name="migrations_tools_reviewitem_decide",
            ),
        ]
        return own + super().get_urls()

    # ------------------------------------------------------------------------------------ one item

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        refuse_without(request, "view_reviewitem")
        if not object_id.isdigit() or len(object_id) > 18:
            raise Http404
        related = ["run", "decided_by", "decision_run", "applied_by"]
        item = get_object_or_404(ReviewItem.objects.select_related(*related), pk=int(object_id))
        waits = ReviewItem.objects.filter(pk=item.pk).waiting().exists()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Review of %(key)s") % {"key": item.key[:100]},
            "opts": self.opts,
            "item": item,
            "waits": waits,
            "proposal": sorted(item.proposal.items()),
            "evidence": _laid_out(item.evidence),
            "choice": sorted((item.choice or {}).items()),
            "run_address": run_address(item.run),
            "buttons": self._buttons(item) if waits and may(request, "review") else [],
        }
        return TemplateResponse(request, "admin/migrations_tools/reviewitem/page.html", context)

    def _buttons(self, item: ReviewItem) -> list[tuple[str, Any]]:
        step = _step_of(item)
        return [
            (reverse("admin:migrations_tools_reviewitem_decide", args=[item.pk, name]), words)
            for name, (_decision, words, _sentence) in DECISIONS.items()
            if name == "skip" or _can(step, name)
        ]

    def decide_view(self, request: HttpRequest, item_id: int, name: str) -> HttpResponse:
        """Decide one item."""
        refuse_without(request, "view_reviewitem")
        item = get_object_or_404(ReviewItem.objects.select_related("run"), pk=item_id)
        address = reverse("admin:migrations_tools_reviewitem_change", args=[item.pk])
        return self._decide(request, name, {item.run: [item]}, address)

    def decide_all_view(self, request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
        """Decide everything that a run left and that still waits."""
        refuse_without(request, "view_reviewitem")
        run = get_object_or_404(Run, pk=run_id)
        waiting = list(ReviewItem.objects.filter(run=run).waiting().order_by("id"))
        address = reverse("admin:migrations_tools_reviewitem_changelist")
        if name == "choose":
            raise Http404
        return self._decide(request, name, {run: waiting}, address, everything=True)

    # ---------------------------------------------------------------------------------------- many

    @admin.action(description=lazy("Accept the proposals"), permissions=["review"])
    def accept(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> HttpResponse:
        return self._bulk(request, "accept", queryset)

    @admin.action(description=lazy("Park"), permissions=["review"])
    def park(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> HttpResponse:
        return self._bulk(request, "park", queryset)

    @admin.action(description=lazy("Skip"), permissions=["review"])
    def skip(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> HttpResponse:
        return self._bulk(request, "skip", queryset)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return may(request, "review")

    def _bulk(
        self, request: HttpRequest, name: str, queryset: QuerySet[ReviewItem]
    ) -> HttpResponse:
        address = reverse("admin:migrations_tools_reviewitem_changelist")
        items = list(queryset.select_related("run").order_by("id")[: MOST_AT_ONCE + 1])
        if len(items) > MOST_AT_ONCE:
            words = _("At most %(n)s can be decided at once; choose fewer.")
            messages.warning(request, words % {"n": f"{MOST_AT_ONCE:,}"})
            return HttpResponseRedirect(address)
        by_run: dict[Run, list[ReviewItem]] = {}
        for item in items:
            by_run.setdefault(item.run, []).append(item)
        hidden = [("action", name), *[("_selected_action", str(item.pk)) for item in items]]
        return self._decide(request, name, by_run, address, hidden=hidden)

    def _decide(
        self,
        request: HttpRequest,
        name: str,
        by_run: Mapping[Run, Sequence[ReviewItem]],
        address: str,
        *,
        hidden: Sequence[tuple[str, str]] = (),
        everything: bool = False,
    ) -> HttpResponse:
        """Confirm, then decide; each run's items are decided as one, or not at all."""
        if name not in DECISIONS:
            raise Http404
        refuse_deed(request, "review", next(iter(by_run), None))
        decision, words, sentence = DECISIONS[name]
        items = [item for own in by_run.values() for item in own]
        form, choices = _form(request, name, items)
        page = Confirmation(
            title=_("%(what)s: %(n)s keys") % {"what": words, "n": len(items)},
            sentence=_("%(n)s keys are decided. %(what)s") % {"n": len(items), "what": sentence},
            confirm_label=str(words),
            cancel_url=address,
            form=form,
            details=[_words(item) for item in items[:20]],
            hidden=hidden,
        )

        def carry_out(values: Any) -> tuple[str, str]:
            choice = {key: values[key] for key in choices if values.get(key) not in (None, "")}
            queued = []
            for run, own in by_run.items():
                found = decide(
                    run,
                    decision,
                    [] if everything else [item.key for item in own],
                    choice=choice or None,
                    reason=values["reason"],
                    **who(request),
                )
                queued += [found] if found is not None else []
            if len(queued) == 1:
                return run_address(queued[0]), _("Decided; a worker carries it out.")
            return address, _("Decided.")

        return confirmed(request, self.admin_site, page, carry_out)


def _form(
    request: HttpRequest, name: str, items: Sequence[ReviewItem]
) -> tuple[forms.Form, list[str]]:
    """The form of a decision, and the names of the values that are chosen by it."""
    data = request.POST if "confirm" in request.POST else None
    choices: list[str] = []
    fields: dict[str, forms.Field] = {}
    step = _step_of(items[0]) if items and name == "choose" else None
    if step is not None and step.choices is not None:
        form = options_form(step.choices)
        fields = dict(form.base_fields)
        for key, field in fields.items():
            field.label = _(key.replace("_", " ")).capitalize()
        choices = list(fields)
    return type("DecisionForm", (ReasonForm,), fields)(data), choices


def _step_of(item: ReviewItem) -> type[Step] | None:
    try:
        return get_definition(item.run.definition).steps[item.step]
    except (UnknownDefinition, IndexError):
        return None


def _can(step: type[Step] | None, name: str) -> bool:
    if step is None or step.decided is Step.decided:
        return False
    return name != "choose" or step.choices is not None


def _words(item: ReviewItem) -> str:
    proposal = ", ".join(f"{name}: {value}" for name, value in item.proposal.items())
    return f"{item.key} – {proposal}"


def _laid_out(evidence: Any) -> list[tuple[str, Any]]:
    """Evidence as pairs; numbers are shown from the largest, as shares of their sum."""
    if not isinstance(evidence, Mapping):
        return [("", evidence)]
    numbers = [value for value in evidence.values() if isinstance(value, int | float)]
    if len(numbers) == len(evidence):
        return sorted(evidence.items(), key=lambda pair: -pair[1])
    return list(evidence.items())
