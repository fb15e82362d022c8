"""The page that shows one record in both systems, field by field."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext as _

from migrations_tools.comparisons import comparison_of, may_see, newest_outcome

_ROWS = 20  # staged rows of one record that are linked


class ComparePage:
    """For the admin's ``get_urls``."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def urls(self) -> list[URLPattern]:
        place = "compare/<slug:definition>/<int:step>/<path:key>/"
        return [path(place, self._site.admin_view(self.page), name="import_compare")]

    def page(self, request: HttpRequest, definition: str, step: int, key: str) -> HttpResponse:
        """Both sides; only for those who may see all of what is shown."""
        found = comparison_of(definition, step, key)
        if found is None:
            raise Http404(_("There is no such record, or it cannot be compared."))
        if not may_see(cast(User, request.user), found):
            raise PermissionDenied
        context = {
            **self._site.each_context(request),
            "title": found.title,
            "comparison": found,
            "legacy": [_linked(obj) for obj in found.legacy[:_ROWS]],
            "new": [_linked(obj) for obj in found.new],
            "outcome": newest_outcome(definition, step, key),
        }
        return TemplateResponse(request, "admin/migrations_tools/imports/compare.html", context)


def _linked(obj: Model) -> tuple[str, Any]:
    """An object in words, and its page; no page where there is none."""
    meta = obj._meta
    try:
        page = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk])
    except NoReverseMatch:
        page = ""
    return f"{meta.verbose_name}: {obj}", page
