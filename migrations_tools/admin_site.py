"""The admin site of the product, and the configuration that makes it the default one.

`admin.register` everywhere registers with it. It stands outside the package ``migrations_tools
.admin``, since that package is imported while the site is being made.
"""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class CarryoverAdminSite(AdminSite):
    """Plain Django admin with a dashboard."""

    site_header = _("Carryover")
    site_title = _("Carryover")
    index_title = _("Overview")
    site_url = None
    enable_nav_sidebar = True


class CarryoverAdminConfig(AdminConfig):
    default_site = "migrations_tools.admin_site.CarryoverAdminSite"
