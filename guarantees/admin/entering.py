"""Guarantees typed in or pasted: a form, a look at what becomes of it, then it is saved.

Nothing is saved that was not looked at; what looks like a guarantee that is there already – also
the same form sent twice – is saved only where the person says that it is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from guarantees.admin.judged_rows import shown_rows
from guarantees.admin.workbooks import refuse_without_add
from guarantees.services.entries import (
    LONGEST_TEXT,
    Entered,
    enter_guarantee,
    paste_guarantees,
    preview_entry,
    preview_pasted,
)
from guarantees.services.import_reports import JudgedRow
from migrations_tools.admin.pages import who
from migrations_tools.exceptions import CarryoverError, PermissionRefused

_DUPLICATE = "duplicate"


class EntryForm(forms.Form):
    """A guarantee as it is typed; what the values mean the service says."""

    number = forms.CharField(label=gettext_lazy("Guarantee number"), max_length=1_000)
    supplier = forms.CharField(label=gettext_lazy("Supplier"), max_length=1_000)
    bank = forms.CharField(label=gettext_lazy("Bank"), max_length=1_000)
    amount = forms.CharField(label=gettext_lazy("Amount"), max_length=100)
    currency = forms.CharField(
        label=gettext_lazy("Currency"), max_length=100, required=False, initial="SAR"
    )
    related_to = forms.ChoiceField(
        label=gettext_lazy("Belongs to"),
        choices=[
            ("contract", gettext_lazy("a contract")),
            ("purchase_order", gettext_lazy("a purchase order")),
        ],
    )
    contract = forms.CharField(label=gettext_lazy("Its number"), max_length=1_000)
    issue_date = forms.CharField(label=gettext_lazy("Issue date"), max_length=100, required=False)
    expiry_date = forms.CharField(label=gettext_lazy("Expiry date"), max_length=100, required=False)
    type = forms.CharField(label=gettext_lazy("Type"), max_length=1_000, required=False)
    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class PasteForm(forms.Form):
    """The text."""

    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=gettext_lazy(
            "Rows with their headings, as they are copied from Excel; or lines such as "
            "“Guarantee number: …”."
        ),
    )


class EntryPages:
    """The pages, for the ``get_urls`` of batches."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def urls(self) -> list[URLPattern]:
        wrap = self._site.admin_view
        return [
            path("enter/", wrap(self.enter), name="guarantees_enter"),
            path("paste/", wrap(self.paste), name="guarantees_paste"),
        ]

    def enter(self, request: HttpRequest) -> HttpResponse:
        form = EntryForm(request.POST if request.method == "POST" else None)
        return self._page(
            request,
            form,
            title=_("Enter a guarantee"),
            look=lambda values: [preview_entry(values, **who(request))],
            save=lambda values: enter_guarantee(values, **who(request)),
        )

    def paste(self, request: HttpRequest) -> HttpResponse:
        form = PasteForm(request.POST if request.method == "POST" else None)
        return self._page(
            request,
            form,
            title=_("Paste guarantees"),
            look=lambda values: preview_pasted(values["text"], **who(request)),
            save=lambda values: paste_guarantees(values["text"], **who(request)),
        )

    def _page(
        self,
        request: HttpRequest,
        form: forms.Form,
        *,
        title: str,
        look: Callable[[dict[str, Any]], Sequence[JudgedRow]],
        save: Callable[[dict[str, Any]], Entered],
    ) -> HttpResponse:
        refuse_without_add(request)
        rows: Sequence[JudgedRow] = []
        if form.is_bound and form.is_valid():
            values = form.cleaned_data
            try:
                rows = look(values)
                if "save" in request.POST and _may_be_saved(rows, request):
                    return _saved(request, save(values))
            except PermissionRefused as refusal:
                raise PermissionDenied(refusal.message) from refusal
            except CarryoverError as refusal:
                form.add_error(None, refusal.message)
        context = {
            "title": title,
            "form": form,
            "rows": shown_rows(rows),
            "is_good": bool(rows) and all(row.judged.entry is not None for row in rows),
            "has_duplicates": any(map(_is_duplicate, rows)),
        }
        every = self._site.each_context(request)
        return TemplateResponse(
            request, "admin/guarantees/importbatch/enter.html", {**every, **context}
        )


def _may_be_saved(rows: Sequence[JudgedRow], request: HttpRequest) -> bool:
    """Whether all is good, and duplicates are meant. Else the page is shown again, with why."""
    is_good = all(row.judged.entry is not None for row in rows)
    return is_good and (request.POST.get("again") == "yes" or not any(map(_is_duplicate, rows)))


def _is_duplicate(row: JudgedRow) -> bool:
    return any(warning.code == _DUPLICATE for warning in row.judged.warnings)


def _saved(request: HttpRequest, entered: Entered) -> HttpResponse:
    count = len(entered.guarantees)
    told = ngettext("%(n)s guarantee was saved.", "%(n)s guarantees were saved.", count)
    messages.success(request, told % {"n": count})
    address = reverse("admin:guarantees_importbatch_change", args=[entered.batch.pk])
    return HttpResponseRedirect(
        address if request.user.has_perm("guarantees.view_importbatch") else request.path
    )
