"""A page to read and try the API, with nothing loaded from elsewhere."""

from __future__ import annotations

from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.throttling import BaseThrottle


class DocumentationView(SpectacularSwaggerSplitView):
    """``/api/docs/``: page and script are answered apart, as the Content-Security-Policy wants."""

    template_name = "migrations_tools/api_documentation.html"
    url_name = "api-schema"
    throttle_classes: tuple[type[BaseThrottle], ...] = ()
