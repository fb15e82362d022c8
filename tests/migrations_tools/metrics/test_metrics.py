"""``/metrics``: who may read it, and what it tells of requests and runs."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from migrations_tools.metrics.runs import FIGURES, RunCollector
from migrations_tools.models import Batch, Governor, QueuedImport, Run
from migrations_tools.states import RunKind, RunState
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db


def figures(client: Client, **headers: str) -> dict[tuple[str, frozenset[Any]], float]:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def told(found: dict[Any, float], name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def test_strangers_are_told_nothing(client, settings):
    settings.CARRYOVER_METRICS_TOKEN = "s3cret"
    for authorization in ("", "Bearer ", "Bearer wrong", "Token s3cret", "Bearer ś3cret"):
        answer = client.get("/metrics", headers={"authorization": authorization})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert "carryover" not in answer.content.decode()
    client.force_login(person("nobody"))
    assert client.get("/metrics").status_code == 403
    client.force_login(person("auditor", "view_run"))
    assert client.get("/metrics").status_code == 200
    assert client.post("/metrics").status_code == 405


def test_an_empty_token_is_nobodys(client, settings):
    settings.CARRYOVER_METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 401


@pytest.fixture
def prometheus(settings: Any) -> dict[str, str]:
    settings.CARRYOVER_METRICS_TOKEN = "s3cret"
    return {"authorization": "Bearer s3cret"}


def test_requests_are_counted_by_route(client, prometheus):
    before = figures(client, **prometheus)
    client.get("/api/v1/lessons/?search=Nora")
    client.generic("BREW", "/api/v1/lessons/")
    client.get("/no/such/place")
    after = figures(client, **prometheus)

    def added(name: str, **labels: str) -> float:
        return told(after, name, **labels) - told(before, name, **labels)

    route = "api/v1/lessons/"
    assert added("carryover_requests_total", route=route, method="GET", status="401") == 1
    assert added("carryover_requests_total", route=route, method="other", status="401") == 1
    assert added("carryover_requests_total", route="none", method="GET", status="404") == 1
    assert added("carryover_request_queries_count", route=route) == 2
    assert added("carryover_request_seconds_bucket", route=route, le="10.0") == 2
    assert added("carryover_request_database_seconds_count", route=route) == 2
    assert not [key for key in after if "Nora" in str(key) or "/no/such" in str(key)]


def test_runs_queues_and_leases_are_told_from_their_rows(client, prometheus):
    actor, now = User.objects.create_user("operator"), timezone.now()
    common: dict[str, Any] = {"definition": "demo", "version": 1, "actor": actor}
    Run.objects.create(
        **common, kind=RunKind.APPLY, state=RunState.COMPLETED, verification_state="passed",
        verified_at=now - timedelta(hours=2), created_at=now - timedelta(days=1),
    )  # fmt: skip
    run = Run.objects.create(
        **common, kind=RunKind.APPLY, state=RunState.RUNNING, counted_steps=[0],
        started_at=now - timedelta(minutes=9),
    )  # fmt: skip
    counts = {"outcomes": {"applied": 7, "quarantined": 2}}
    done = {"state": "done", "counts": counts, "finished_at": now - timedelta(minutes=5)}
    for number, step in enumerate([0, 0, 1], 1):
        Batch.objects.create(run=run, number=number, step=step, **done)
    Batch.objects.create(
        run=run, number=4, step=0, state="running", lease_until=now - timedelta(minutes=1)
    )
    QueuedImport.objects.create(
        kind="lessons", file_name="secret name.csv", actor=actor, surface="api",
        created_at=now - timedelta(minutes=3),
    )  # fmt: skip
    found = figures(client, **prometheus)
    assert told(found, "carryover_database_up") == 1
    assert told(found, "carryover_runs", definition="demo", kind="apply", state="running") == 1
    assert told(found, "carryover_run_keys", definition="demo", outcome="applied") == 14
    assert told(found, "carryover_run_keys", definition="demo", outcome="quarantined") == 4
    assert told(found, "carryover_run_silence_seconds", definition="demo") == pytest.approx(
        300, 0.2
    )
    assert told(found, "carryover_expired_leases") == 1
    age = told(found, "carryover_verification_age_seconds", definition="demo")
    assert age == pytest.approx(7200, 0.01)
    assert told(found, "carryover_failed_verifications", definition="demo") == 0
    assert told(found, "carryover_queue_length", queue="imports") == 1
    assert told(found, "carryover_queue_age_seconds", queue="imports") == pytest.approx(180, 0.2)
    assert ("carryover_queue_length", frozenset({("queue", "runs")})) in found
    assert told(found, "carryover_stopped") == 0
    Governor.objects.update_or_create(defaults={"stopped": True})
    assert told(figures(client, **prometheus), "carryover_stopped") == 1
    assert "secret" not in client.get("/metrics", headers=prometheus).content.decode()


def test_a_scrape_takes_one_query_for_each_figure_whatever_there_is():
    with CaptureQueriesContext(connection) as captured:
        list(RunCollector().collect())
    asked = [query["sql"] for query in captured if "set_config" not in query["sql"]]
    assert len([sql for sql in asked if "SAVEPOINT" not in sql]) == len(FIGURES)


@pytest.mark.slow
def test_processes_of_one_server_are_told_together(tmp_path: Path):
    """Prometheus' own files, written by another process, are read with ours."""
    counted = (
        "from migrations_tools.metrics.requests import observe_request\n"
        "observe_request(route='r', method='GET', status=200, seconds=0.02, queries=3,"
        " query_seconds=0.01)\n"
    )
    read = (
        "from prometheus_client import generate_latest\n"
        "from migrations_tools.metrics.views import _requests\n"
        "print(generate_latest(_requests()).decode())\n"
    )
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    told = ""
    for program in (counted, counted, read):
        told = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{program}"],
            env=environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    assert 'carryover_requests_total{method="GET",route="r",status="200"} 2.0' in told


def test_statements_and_connections_of_the_database_are_counted(client, prometheus):
    def statements(found: dict[Any, float]) -> float:
        return told(found, "django_db_execute_total", alias="default", vendor="postgresql")

    before = figures(client, **prometheus)
    for _ in range(5):
        User.objects.exists()
    after = figures(client, **prometheus)
    # five of ours, and at least one for each figure of the scrape before
    assert statements(after) - statements(before) >= 5 + len(FIGURES)
    assert told(after, "django_db_new_connections_total", alias="default", vendor="postgresql") > 0
