"""Filters of the lists, and a search that reads numbers in any digits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guarantees.letters import with_letters
from guarantees.models import Bank, Guarantee, GuaranteeStatus, Supplier

#: Days within which an expiry is soon.
SOON: Final = 30

_EASTERN: Final = "٠١٢٣٤٥٦٧٨٩"
_TO_WESTERN: Final = str.maketrans(_EASTERN + "۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2)
_TO_EASTERN: Final = str.maketrans("0123456789", _EASTERN)


class AnyDigitsSearch(admin.ModelAdmin[Any]):
    """Finds ``LG-١٢`` by ``LG-12``, and the other way round: numbers stay as they were written."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        western = search_term.translate(_TO_WESTERN)
        spellings = dict.fromkeys((search_term, western, western.translate(_TO_EASTERN)))
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        for spelling in list(spellings)[1:]:
            more, repeats = super().get_search_results(request, queryset, spelling)
            found, may_repeat = found | more, may_repeat or repeats
        return found, may_repeat


class ExpiryFilter(admin.SimpleListFilter):
    """How long guarantees that are not released are valid still."""

    title = _("validity")
    parameter_name = "validity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("expired", _("expired")),
            ("soon", _("expires within 30 days")),
            ("quarter", _("expires within 90 days")),
            ("later", _("valid for longer")),
            ("unknown", _("no date of expiry")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = timezone.localdate()
        asked: dict[str, dict[str, Any]] = {
            "expired": {"current_expiry__lt": today},
            "soon": {"current_expiry__range": (today, today + timedelta(days=SOON))},
            "quarter": {"current_expiry__range": (today, today + timedelta(days=90))},
            "later": {"current_expiry__gt": today + timedelta(days=90)},
            "unknown": {"current_expiry__isnull": True},
        }
        chosen = self.value()
        if chosen not in asked:
            return queryset
        return queryset.filter(status=GuaranteeStatus.ACTIVE, **asked[chosen])


class _PartyFilter(admin.SimpleListFilter):
    """Those with the most guarantees, and whoever a link names; all others are found by search."""

    column: str
    model: type[Supplier] | type[Bank]
    most = 25

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        counted = (
            Guarantee.objects.filter(**{f"{self.column}__isnull": False})
            .order_by()
            .values_list(self.column)
            .annotate(guarantees=Count("pk"))
            .order_by("-guarantees", self.column)[: self.most]
        )
        pks = [pk for pk, _count in counted]
        asked = request.GET.get(self.column, "")
        if asked.isascii() and asked.isdigit() and len(asked) < 19:
            pks.append(int(asked))
        rows = self.model._default_manager.in_bulk(pks)
        named = [(str(pk), str(rows[pk])) for pk in dict.fromkeys(pks) if pk in rows]
        return [("none", _("not known yet")), *named]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "none":
            return queryset.filter(**{f"{self.column}__isnull": True})
        if chosen and chosen.isascii() and chosen.isdigit() and len(chosen) < 19:
            return queryset.filter(**{self.column: int(chosen)})
        return queryset


class SupplierFilter(_PartyFilter):
    title = _("supplier")
    parameter_name = column = "supplier"
    model = Supplier


class BankFilter(_PartyFilter):
    title = _("bank")
    parameter_name = column = "bank"
    model = Bank


class LetterFilter(admin.SimpleListFilter):
    """Actions that the bank is written about."""

    title = _("letter")
    parameter_name = "letter"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("has a letter"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return with_letters(queryset) if self.value() == "yes" else queryset
