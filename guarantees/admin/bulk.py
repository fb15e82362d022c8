"""The same action on the guarantees that somebody has selected in the list."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from guarantees.action_errors import ActionRefused
from guarantees.admin.fields import DayField, PlainField
from guarantees.admin.pages import address, refused, render, require
from guarantees.letters import has_letter
from guarantees.models import ActionType, Guarantee
from guarantees.services.actions import BulkRequest, issue_many, preview_many
from guarantees.services.actions.many import MOST_AT_ONCE
from migrations_tools.states import Surface

#: Letters that an address can name.
_MOST_NAMED = 150


class BulkForm(forms.Form):
    """What is said of all; ``key`` is of this page: sent twice, it acts once."""

    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    new_expiry = DayField(
        label=gettext_lazy("New expiry"),
        required=False,
        help_text=gettext_lazy("Left blank: one calendar year later, each by itself."),
    )
    notes = PlainField(label=gettext_lazy("Notes"), widget=forms.Textarea(attrs={"rows": 2}))
    reason = PlainField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, action_type: str, data: Any = None) -> None:
        super().__init__(data, initial={"key": uuid4().hex})
        if action_type != ActionType.EXTENSION:
            del self.fields["new_expiry"]


_TITLES = {
    ActionType.EXTENSION: gettext_lazy("Extend the selected guarantees"),
    ActionType.RELEASE: gettext_lazy("Release the selected guarantees"),
}


def act_on_selected(
    request: HttpRequest, queryset: QuerySet[Guarantee], action_type: ActionType
) -> HttpResponse:
    """A page that counts and asks; once confirmed, a page that tells what was done."""
    require(request, "view_guarantee", "add_guaranteeaction")
    pks = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    form = BulkForm(action_type, request.POST if "confirm" in request.POST else None)
    values: dict[str, Any] = {}
    if form.is_valid():
        values = {**form.cleaned_data}
        values["idempotency_key"] = values.pop("key")
    asked = BulkRequest(action_type=action_type, guarantee_ids=pks, **values)
    user = cast(User, request.user)  # the admin lets nobody else in
    try:
        if form.is_valid():
            result = issue_many(asked, acting_user=user, surface=Surface.ADMIN)
            return _result_page(request, action_type, result)
        preview = preview_many(asked, acting_user=user, surface=Surface.ADMIN)
    except ActionRefused as refusal:
        back = address("guarantee_changelist")
        return refused(request, refusal, back=back, title=_TITLES[action_type])
    return _confirmation(request, action_type, form, preview)


def _frame(action_type: ActionType) -> dict[str, Any]:
    back = address("guarantee_changelist")
    return {
        "title": _TITLES[action_type],
        "cancel_url": back,
        "breadcrumbs": [(_("Guarantees"), back)],
    }


def _confirmation(
    request: HttpRequest, action_type: ActionType, form: BulkForm, preview: Any
) -> HttpResponse:
    possible, refusals = preview.possible, preview.refused
    pks = [found.guarantee.pk for found in possible] + [found.pk for found in refusals]
    sentence = ngettext(
        "%(count)d guarantee would be changed.", "%(count)d guarantees would be changed.",
        len(possible),
    ) % {"count": len(possible)}  # fmt: skip
    if refusals:
        sentence += " " + ngettext(
            "%(count)d cannot be, and stays as it is.",
            "%(count)d cannot be, and stay as they are.",
            len(refusals),
        ) % {"count": len(refusals)}  # fmt: skip
    return render(
        request,
        "guarantees/admin/bulk_confirm.html",
        **_frame(action_type),
        form=form,
        status=422 if form.errors else 200,
        sentence=sentence,
        hidden=[
            ("action", request.POST.get("action", "")),
            *((ACTION_CHECKBOX_NAME, pk) for pk in pks),
        ],
        possible=possible,
        refusals=refusals,
        is_possible=bool(possible),
        confirm_label=_("Issue"),
        warning=_("Issued actions can be neither changed nor deleted."),
    )


def _result_page(request: HttpRequest, action_type: ActionType, result: Any) -> HttpResponse:
    done = [*result.issued, *result.repeated]
    return render(
        request,
        "guarantees/admin/bulk_result.html",
        **_frame(action_type),
        issued=result.issued,
        repeated=result.repeated,
        refusals=result.refused,
        letters=[action.pk for action in done if has_letter(action)][:_MOST_NAMED],
    )
