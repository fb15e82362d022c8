"""The admin site of the product, and the configuration that makes it the default one.

`admin.register` everywhere registers with it. It stands outside the package ``migrations_tools
.admin``, since that package is imported while the site is being made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:  # models come after Django's start, this module before it
    from django.contrib.auth.models import User


#: Apps that people work with; the machinery comes after them.
_FIRST = ("migrations_tools", "sessions_app", "guarantees")


class CarryoverAdminSite(AdminSite):
    """Plain Django admin with a dashboard."""

    site_header = _("Carryover")
    site_title = _("Carryover")
    index_title = _("Overview")
    site_url = None
    enable_nav_sidebar = True

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The overview: cards of all apps, what to do first, and quick links."""
        from migrations_tools.admin.addresses import admin_address
        from migrations_tools.dashboard import cards_for
        from migrations_tools.selectors.overview import nothing_yet

        user = cast("User", request.user)  # strangers are sent to the login
        shown = {
            "cards": cards_for(user),
            "nothing_yet": user.has_perm("migrations_tools.view_run") and nothing_yet(),
            "import_address": admin_address("migrations_tools_legacyimport_changelist"),
        }
        return super().index(request, shown | (extra_context or {}))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What people work with first, then accounts and machinery."""
        found = super().get_app_list(request, app_label)
        return sorted(found, key=lambda app: app["app_label"] not in _FIRST)


class CarryoverAdminConfig(AdminConfig):
    default_site = "migrations_tools.admin_site.CarryoverAdminSite"
