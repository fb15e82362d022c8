"""Liveness and readiness: what processes are asked, and what strangers are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migrations_tools.probes import MigrationsApplied
from tests.migrations_tools.people import person


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(MigrationsApplied, "seen", False)


def test_a_live_process_asks_nobody_else(client):
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-cache" in answer["Cache-Control"]


def test_probes_are_answered_without_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health/live").status_code == 200
    assert client.get("/admin/").status_code == 301


@pytest.mark.django_db
def test_a_ready_process_tells_its_checks_to_those_who_may_know(client):
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    client.force_login(person("auditor", "view_run"))
    assert client.get("/health/ready").json() == {
        "status": "ok",
        "checks": {"Database": "ok", "MigrationsApplied": "ok", "Cache": "ok", "Storage": "ok"},
    }


@pytest.mark.django_db
def test_once_applied_migrations_are_not_looked_for_again(client):
    client.get("/health/ready")
    assert MigrationsApplied.seen
    with CaptureQueriesContext(connection) as captured:
        client.get("/health/ready")
    assert not [query for query in captured if "django_migrations" in query["sql"]]


@pytest.mark.django_db
def test_a_process_that_cannot_serve_says_so_and_nothing_of_why(client, settings, tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    settings.MEDIA_ROOT = file
    settings.CARRYOVER_METRICS_TOKEN = "s3cret"
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    told = client.get("/health/ready", headers={"authorization": "Bearer s3cret"})
    assert told.json()["checks"]["Storage"] == "unavailable"
    assert str(tmp_path) not in told.content.decode()


@pytest.mark.django_db
def test_an_unapplied_migration_is_waited_for(client, monkeypatch):
    monkeypatch.setattr(
        "migrations_tools.probes.MigrationExecutor.migration_plan", lambda self, targets: [object()]
    )
    assert client.get("/health/ready").status_code == 503
    assert not MigrationsApplied.seen
