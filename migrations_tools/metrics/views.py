"""``/metrics``: for Prometheus with its token, and for people who may look at runs."""

from __future__ import annotations

import os
from hmac import compare_digest
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from migrations_tools.metrics.runs import RunCollector

#: Names the folder in which the processes of one web server share their figures.
SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures as Prometheus reads them; 401 for strangers, 403 without the permission."""
    if not may_look_inside(request):
        return _refused(request)
    figures = generate_latest(_requests()) + generate_latest(_runs())
    return HttpResponse(figures, content_type=CONTENT_TYPE_LATEST)


def may_look_inside(request: HttpRequest) -> bool:
    """Whether the caller has the token of ``CARRYOVER_METRICS_TOKEN``, or may look at runs."""
    token = settings.CARRYOVER_METRICS_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token and scheme.lower() == "bearer" and compare_digest(given.encode(), token.encode()):
        return True
    return request.user.is_authenticated and request.user.has_perm("migrations_tools.view_run")


def _refused(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return HttpResponse("You may not look at these figures.\n", "text/plain", 403)
    answer = HttpResponse("These figures need a token.\n", "text/plain", 401)
    answer["WWW-Authenticate"] = "Bearer"
    return answer


def _requests() -> CollectorRegistry:
    """What this process counted, or all processes of the web server together."""
    if SHARED_FOLDER not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the package has no types
    return shared


def _runs() -> CollectorRegistry:
    runs = CollectorRegistry()
    runs.register(RunCollector())
    return runs
