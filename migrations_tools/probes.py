"""``/health/live`` and ``/health/ready``: what watches over processes asks, and what it is told.

Strangers learn whether, and nothing of why; who may look at the metrics learns which check failed.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Final

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from health_check.views import HealthCheckView

from migrations_tools.metrics.views import may_look_inside

_OK: Final = "ok"
_FAILED: Final = "unavailable"


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, so that a restart is not tried for nothing."""
    return JsonResponse({"status": _OK})


@dataclasses.dataclass
class MigrationsApplied(HealthCheck):
    """Every schema migration of the code is applied. Once that is so, it stays so."""

    seen: ClassVar[bool] = False

    def run(self) -> None:
        if MigrationsApplied.seen:
            return
        try:
            with connection.temporary_connection():
                executor = MigrationExecutor(connection)
                waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            raise ServiceUnavailable("The database does not answer.") from error
        if waiting:
            raise ServiceUnavailable(f"{len(waiting)} schema migrations are not applied.")
        MigrationsApplied.seen = True


class Ready(HealthCheckView):
    """Whether requests can be served: database, schema, cache (Redis), storage of uploads."""

    http_method_names = ["get", "head"]
    checks = (
        "health_check.checks.Database",
        "migrations_tools.probes.MigrationsApplied",
        "health_check.checks.Cache",
        "health_check.checks.Storage",
    )

    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        results = [await check.get_result() for check in self.get_checks()]
        is_ready = not any(result.error for result in results)
        told: dict[str, Any] = {"status": _OK if is_ready else _FAILED}
        if await sync_to_async(_may_know)(request):
            told["checks"] = {
                type(result.check).__name__: _FAILED if result.error else _OK for result in results
            }
        return JsonResponse(told, status=200 if is_ready else 503)


def _may_know(request: HttpRequest) -> bool:
    try:
        return may_look_inside(request)
    except DatabaseError:  # who it is cannot be asked
        return False
