"""Requests by route: how many, how long, and what they asked of the database
(lessons.md "Figures"). The routes are the contract; names of views are not.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Histogram

#: Seconds; 0.05 and 0.1 are the limits of lessons.md.
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Statements; 10 is the limit of lessons.md.
_STATEMENTS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 15, 25, 50, 100)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE: Final = "none"  # of static files, and of addresses of nothing

requests_total = Counter(
    "carryover_requests", "Requests by route, method and status.", ["route", "method", "status"]
)
request_seconds = Histogram(
    "carryover_request_seconds", "Seconds of a request.", ["route"], buckets=_SECONDS
)
request_queries = Histogram(
    "carryover_request_queries", "Statements of a request.", ["route"], buckets=_STATEMENTS
)
request_database_seconds = Histogram(
    "carryover_request_database_seconds",
    "Seconds of a request that the database took.",
    ["route"],
    buckets=_SECONDS,
)


def observe_request(
    *,
    route: str | None,
    method: str | None,
    status: int,
    seconds: float,
    queries: int,
    query_seconds: float,
) -> None:
    """Count one answered request. Strangers invent methods: those are counted as ``other``."""
    named = route or _NO_ROUTE
    told = method if method in _METHODS else "other"
    requests_total.labels(named, told, str(status)).inc()
    request_seconds.labels(named).observe(seconds)
    request_queries.labels(named).observe(queries)
    request_database_seconds.labels(named).observe(query_seconds)
