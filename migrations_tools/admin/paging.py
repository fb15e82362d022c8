"""Lists of tables that may have millions of rows, and addresses that nobody clicked together."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from migrations_tools.admin.base import ReadOnly

#: Rows that are counted and can be paged through; filters lead to the others.
MOST_LISTED: Final = 10_000
#: Signs of one value in an address.
LONGEST_VALUE: Final = 500


class UncountedPaginator(Paginator[Any]):
    """Pages without counting a huge table: at most so many rows are looked for."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return min(MOST_LISTED, rows.order_by()[:MOST_LISTED].count())
        return min(MOST_LISTED, len(rows))


class HugeTable(ReadOnly):
    """A list to look at whose table grows with every row that is carried over."""

    paginator = UncountedPaginator
    list_per_page = 50
    list_max_show_all = 50
    show_facets = admin.ShowFacets.NEVER  # they count every choice of every filter

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not is_storable(request):
            messages.warning(request, _("This filter cannot be used; everything is listed."))
            return HttpResponseRedirect(request.path)
        return super().changelist_view(request, extra_context)


def is_storable(request: HttpRequest) -> bool:
    """Whether no value of the address is longer than any that is stored, or has a NUL in it."""
    return all(
        len(value) <= LONGEST_VALUE and "\x00" not in value
        for values in request.GET.lists()
        for value in values[1]
    )
