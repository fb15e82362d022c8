"""What the department's own pages have in common: permissions, frames, values in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guarantees.models import Bank, GuaranteeStatus, MatchStatus, Supplier
from migrations_tools.exceptions import CarryoverError

#: Fields of guarantees in words.
LABELS: Final[dict[str, Any]] = {
    "number": gettext_lazy("Number"),
    "raw_supplier_name": gettext_lazy("Supplier as written"),
    "raw_bank_name": gettext_lazy("Bank as written"),
    "supplier": gettext_lazy("Supplier"),
    "bank": gettext_lazy("Bank"),
    "contract_number": gettext_lazy("Contract or order"),
    "related_to": gettext_lazy("Related to"),
    "amount": gettext_lazy("Amount"),
    "currency": gettext_lazy("Currency"),
    "issue_date": gettext_lazy("Issue date"),
    "expiry_date": gettext_lazy("Expiry date"),
    "type": gettext_lazy("Type"),
    "comment": gettext_lazy("Comment"),
    "match_status": gettext_lazy("Match status"),
    "status": gettext_lazy("Status"),
    "current_expiry": gettext_lazy("Current expiry"),
    "current_amount": gettext_lazy("Current amount"),
}
_CHOICES: Final = {
    "match_status": dict(MatchStatus.choices),
    "status": dict(GuaranteeStatus.choices),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A value before and after, in words."""

    label: str
    before: str
    after: str


def told_differences(
    all_differences: Iterable[Mapping[str, list[Any]]],
) -> list[list[Difference]]:
    """Differences in words, those of one event after the other; two queries for all names."""
    listed = [dict(differences) for differences in all_differences]
    names = {
        "supplier": _names(Supplier, "supplier", listed),
        "bank": _names(Bank, "bank", listed),
    }
    return [
        [
            Difference(
                str(LABELS.get(_plain(name), name.replace("_", " "))),
                _told(_plain(name), before, names),
                _told(_plain(name), after, names),
            )
            for name, (before, after) in differences.items()
        ]
        for differences in listed
    ]


def _plain(name: str) -> str:
    return name.removesuffix("_id")


def _names(model: Any, name: str, listed: list[dict[str, list[Any]]]) -> dict[Any, str]:
    pks = {
        value
        for differences in listed
        for field, pair in differences.items()
        if _plain(field) == name
        for value in pair
        if isinstance(value, int)
    }
    return {pk: str(row) for pk, row in model.objects.in_bulk(pks).items()}


def _told(name: str, value: Any, names: Mapping[str, Mapping[Any, str]]) -> str:
    if value is None or value == "":
        return "–"
    if name in names:
        return names[name].get(value) or _("no. %(id)s, which is gone") % {"id": value}
    return str(_CHOICES.get(name, {}).get(value, value))


def day(value: Any) -> str:
    return "–" if value is None else date_format(value, "DATE_FORMAT")


def money(amount: Any, currency: str = "") -> str:
    if amount is None:
        return "–"
    shown = number_format(amount, 2, use_l10n=True, force_grouping=True)
    return f"{shown} {currency}".strip()


def require(request: HttpRequest, *permissions: str) -> None:
    """All of these, named without the app. Raises PermissionDenied."""
    if not all(request.user.has_perm(f"guarantees.{name}") for name in permissions):
        raise PermissionDenied


def render(
    request: HttpRequest, template: str, *, title: Any, status: int = 200, **context: Any
) -> TemplateResponse:
    """A page in the frame of the admin."""
    frame = admin.site.each_context(request)
    return TemplateResponse(request, template, frame | {"title": title} | context, status=status)


def refused(
    request: HttpRequest, refusal: CarryoverError, *, back: str, title: Any = None
) -> TemplateResponse:
    """A refusal as a page of its own, with the way back."""
    return render(
        request,
        "guarantees/admin/refused.html",
        title=title or _("This cannot be done"),
        sentence=refusal.message,
        back=back,
        status=refusal.http_status,
    )


def address(view: str, *arguments: Any) -> str:
    """The address of an admin page of this app: ``guarantee_change`` and its arguments."""
    return reverse(f"admin:guarantees_{view}", args=arguments)
