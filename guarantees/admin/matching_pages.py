"""Names that wait for a decision, decisions on them, and guarantees that are there twice."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guarantees.admin.fields import PlainField
from guarantees.admin.pages import address, refused, render, require
from guarantees.admin.party_field import PartyField
from guarantees.entry_errors import DecisionRefused
from guarantees.models import Bank, Guarantee, Supplier
from guarantees.selectors.duplicates import duplicate_groups
from guarantees.selectors.open_names import OpenName, open_names, reach_of, with_suggestions
from guarantees.services.many_decisions import Choice, decide_many
from guarantees.services.matching import (
    Decided,
    DecisionPreview,
    decide_as_new,
    decide_name,
    preview_decision,
)
from migrations_tools.states import Surface
from migrations_tools.text import storable

_PER_PAGE = 50
_MODELS: dict[str, Any] = {"supplier": Supplier, "bank": Bank}
_TITLES = {
    "supplier": gettext_lazy("Suppliers to decide"),
    "bank": gettext_lazy("Banks to decide"),
}
#: Of the form: somebody from the dictionary, or somebody new.
_OTHER, _NEW = "other", "new"


@require_safe
def names(request: HttpRequest) -> HttpResponse:
    """Open names with whom they may mean; ``?party=``, ``?known=1``, ``?q=``, ``?batch=``."""
    require(request, "view_guarantee")
    party = request.GET.get("party", "supplier")
    if party not in _MODELS:
        raise Http404
    search, batch = request.GET.get("q", "").strip(), request.GET.get("batch", "")
    is_known = request.GET.get("known") == "1"
    found = open_names(
        party,
        is_known=is_known,
        batch=int(batch) if _is_id(batch) else None,
        search=search if storable(search) else "",
    )
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    asked = {"party": party, "known": "1" if is_known else "", "q": search, "batch": batch}
    return render(
        request,
        "guarantees/admin/matching.html",
        title=_TITLES[party],
        party=party,
        is_known=is_known,
        search=search,
        rows=with_suggestions(party, page.object_list),
        page=page,
        tabs=_tabs(party, is_known=is_known),
        query=urlencode({name: value for name, value in asked.items() if value}),
        may_decide=request.user.has_perm("guarantees.change_guarantee"),
    )


def _tabs(party: str, *, is_known: bool) -> list[dict[str, Any]]:
    here = address("guarantee_matching")
    tabs = [
        ("supplier", False, _("Unknown suppliers")),
        ("bank", False, _("Unknown banks")),
        ("supplier", True, _("Uncertain suppliers")),
        ("bank", True, _("Uncertain banks")),
    ]
    return [
        {
            "label": label,
            "address": f"{here}?party={name}" + ("&known=1" if known else ""),
            "is_here": (name, known) == (party, is_known),
        }
        for name, known, label in tabs
    ]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


class DecisionForm(forms.Form):
    """Who is meant: one of the suggestions, another one, or somebody new."""

    choice = forms.ChoiceField(label=gettext_lazy("Who is meant"), widget=forms.RadioSelect)
    name = PlainField(label=gettext_lazy("Name of the new one"), strip=True, max_length=500)
    reason = PlainField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 2}))
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, party: str, row: OpenName, *, may_add: bool, data: Any = None) -> None:
        chosen = row.known.pk if row.known else next((c.pk for c in row.suggestions), _OTHER)
        seen = row.known.pk if row.known else ""
        super().__init__(
            data, initial={"choice": chosen, "name": row.raw_name.strip(), "seen": seen}
        )
        self.fields[_OTHER] = PartyField(party, label=gettext_lazy("Another one"))
        self.order_fields(["choice", _OTHER])
        choices: dict[Any, Any] = {c.pk: _suggested(c.name, c.score) for c in row.suggestions}
        if row.known:
            choices[row.known.pk] = _("%(name)s (held to be meant)") % {"name": row.known}
        choices[_OTHER] = _("Another one of the dictionary")
        if may_add:
            choices[_NEW] = _("Somebody new")
        select: Any = self.fields["choice"]
        select.choices = list(choices.items())

    def clean(self) -> None:
        given = self.cleaned_data
        if given.get("choice") == _OTHER and not given.get("other") and "other" not in self.errors:
            self.add_error("other", _("Choose somebody."))
        if given.get("choice") == _NEW and not given.get("name"):
            self.add_error("name", _("Give a name."))

    def chosen(self) -> int | None:
        """The one who is meant; None for somebody new."""
        choice = self.cleaned_data["choice"]
        if choice == _NEW:
            return None
        return int(self.cleaned_data["other"].pk if choice == _OTHER else choice)

    def seen_then(self) -> int | None:
        text = self.cleaned_data["seen"]
        return int(text) if _is_id(text) else None


def _suggested(name: str, score: float) -> str:
    share = number_format(score * 100, 0)
    return _("%(name)s (%(share)s %% alike)") % {"name": name, "share": share}


@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, party: str, pk: int) -> HttpResponse:
    """One name: whom it means, a look at what that reaches, then the decision."""
    require(request, "view_guarantee", "change_guarantee")
    if party not in _MODELS:
        raise Http404
    user = cast(User, request.user)  # the admin lets nobody else in
    back = f"{address('guarantee_matching')}?party={party}"
    try:
        preview = preview_decision(party, pk, None, acting_user=user, surface=Surface.ADMIN)
        row = _row(party, preview)
        may_add = user.has_perm(f"guarantees.add_{party}")
        data = request.POST if request.method == "POST" else None
        form = DecisionForm(party, row, may_add=may_add, data=data)
        frame = _decision_frame(party, row, preview, back)
        if not form.is_bound or request.POST.get("step") == "edit" or not form.is_valid():
            status = 422 if form.is_bound and form.errors else 200
            page = "guarantees/admin/decide.html"
            return render(request, page, status=status, form=form, **frame)
        if request.POST.get("step") == "decide":
            decided = _decide(party, pk, form, user)
            _tell(request, party, decided)
            return HttpResponseRedirect(back)
        chosen = form.chosen()
        seen = preview_decision(party, pk, chosen, acting_user=user, surface=Surface.ADMIN)
    except DecisionRefused as refusal:
        return refused(request, refusal, back=back, title=_TITLES[party])
    meant = seen.chosen or _("%(name)s (new)") % {"name": form.cleaned_data["name"]}
    return render(
        request,
        "guarantees/admin/decide_confirm.html",
        **frame,
        hidden_fields=[field.as_hidden() for field in form],
        sentence=_("“%(raw)s” means %(name)s.") % {"raw": row.raw_name.strip(), "name": meant},
        details=_consequences(seen),
    )


def _row(party: str, preview: DecisionPreview) -> OpenName:
    """The name of one guarantee, as the list shows it."""
    raw, column = f"raw_{party}_name", f"{party}_id"
    group = {
        raw: preview.raw_name,
        column: preview.known,
        "batch_id": preview.guarantee.batch_id,
        "guarantees": preview.guarantees,
        "first": preview.guarantee.pk,
    }
    [row] = with_suggestions(party, [group])
    return row


def _decision_frame(
    party: str, row: OpenName, preview: DecisionPreview, back: str
) -> dict[str, Any]:
    return {
        "title": _("Whom “%(name)s” means") % {"name": row.raw_name.strip() or "–"},
        "facts": [
            (_("As written"), row.raw_name.strip() or "–"),
            (_("Batch"), row.batch),
            (_("Guarantees it decides"), preview.guarantees),
        ],
        "party": party,
        "cancel_url": back,
        "breadcrumbs": [
            (_("Guarantees"), address("guarantee_changelist")),
            (_TITLES[party], back),
        ],
    }


def _consequences(preview: DecisionPreview) -> list[str]:
    reached = ngettext(
        "%(count)d guarantee is decided.", "%(count)d guarantees are decided.", preview.guarantees
    ) % {"count": preview.guarantees}
    ready = ngettext(
        "%(count)d of them becomes ready.", "%(count)d of them become ready.", preview.ready
    ) % {"count": preview.ready}
    taught = _("The written name becomes another name: the next import knows it.")
    return [reached, ready, taught] if preview.raw_name.strip() else [reached, ready]


def _decide(party: str, pk: int, form: DecisionForm, user: User) -> Decided:
    chosen, reason = form.chosen(), form.cleaned_data["reason"]
    by: dict[str, Any] = {"acting_user": user, "surface": Surface.ADMIN, "reason": reason}
    if chosen is None:
        name = form.cleaned_data["name"]
        return decide_as_new(party, pk, name, seen=form.seen_then(), **by)
    return decide_name(party, pk, chosen, seen=form.seen_then(), **by)


def _tell(request: HttpRequest, party: str, decided: Decided) -> None:
    count = len(decided.guarantees)
    told = ngettext(
        "%(count)d guarantee is of %(name)s now.", "%(count)d guarantees are of %(name)s now.",
        count,
    ) % {"count": count, "name": getattr(decided.guarantee, party)}  # fmt: skip
    messages.success(request, told)


@require_POST
def accept(request: HttpRequest) -> HttpResponse:
    """The best suggestions of the selected names: counted first, then decided."""
    require(request, "view_guarantee", "change_guarantee")
    party = request.POST.get("party", "")
    if party not in _MODELS:
        raise Http404
    back = f"{address('guarantee_matching')}?party={party}"
    choices = [choice for text in request.POST.getlist("choice") if (choice := _choice(text))]
    if not choices:
        messages.warning(request, _("Select at least one name with a suggestion."))
        return HttpResponseRedirect(back)
    choices = choices[:_PER_PAGE]
    if "confirm" in request.POST:
        user = cast(User, request.user)
        result = decide_many(party, choices, acting_user=user, surface=Surface.ADMIN)
        for decided in result.decided:
            _tell(request, party, decided)
        for _refused, refusal in result.refused:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(back)
    reach = reach_of(party, [choice.guarantee for choice in choices])
    rows = _choice_rows(party, choices, reach)
    total = sum(reach.values())
    names_told = ngettext("%(count)d name", "%(count)d names", len(rows)) % {"count": len(rows)}
    sentence = ngettext(
        "%(names)s decided, for %(count)d guarantee.",
        "%(names)s decided, for %(count)d guarantees.",
        total,
    ) % {"names": names_told, "count": total}  # fmt: skip
    return render(
        request,
        "guarantees/admin/accept.html",
        title=_("Accept the suggestions"),
        sentence=sentence,
        rows=rows,
        hidden=[("party", party), *(("choice", text) for text in request.POST.getlist("choice"))],
        cancel_url=back,
        breadcrumbs=[(_("Guarantees"), address("guarantee_changelist")), (_TITLES[party], back)],
    )


def _choice(text: str) -> Choice | None:
    """``guarantee:chosen:seen``, as the list sends it; None for anything else."""
    parts = text.split(":")
    if len(parts) != 3 or not (_is_id(parts[0]) and _is_id(parts[1])):
        return None
    return Choice(int(parts[0]), int(parts[1]), int(parts[2]) if _is_id(parts[2]) else None)


def _choice_rows(party: str, choices: list[Choice], reach: dict[int, int]) -> list[dict[str, Any]]:
    raw_names = dict(Guarantee.objects.filter(pk__in=reach).values_list("pk", f"raw_{party}_name"))
    meant = _MODELS[party].objects.in_bulk([choice.pk for choice in choices])
    return [
        {
            "raw": raw_names[choice.guarantee],
            "meant": meant[choice.pk],
            "guarantees": reach[choice.guarantee],
        }
        for choice in choices
        if choice.guarantee in raw_names and choice.pk in meant
    ]


@require_safe
def duplicates(request: HttpRequest) -> HttpResponse:
    """Guarantees that seem to be there more than once."""
    require(request, "view_guarantee")
    page: Page[Any] = Paginator(duplicate_groups(), _PER_PAGE).get_page(request.GET.get("page"))
    groups: list[dict[str, Any]] = list(page.object_list)
    pks = [pk for group in groups for pk in group["guarantees"][:_PER_PAGE]]
    found = Guarantee.objects.select_related("bank", "supplier", "batch").in_bulk(pks)
    for group in groups:
        group["members"] = [found[pk] for pk in group["guarantees"][:_PER_PAGE] if pk in found]
    return render(
        request, "guarantees/admin/duplicates.html", title=_("Duplicates"), groups=groups, page=page
    )
