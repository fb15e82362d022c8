"""What a person decides of orphans whose evidence is not clear (agents.md "Run")."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import pytest
from django.core.management import call_command

from migrations_tools.models import Run
from migrations_tools.services import runs
from sessions_app.models import UNASSIGNED_ID
from tests.sessions_app.data_migrations.orphans import (
    NAME,
    add_events,
    carry_over,
    failed_checks,
    orphan,
    problems,
    projects,
    stored,
    take_back,
)
from tests.sessions_app.factories import ProjectFactory

pytestmark = pytest.mark.django_db(transaction=True)


def review(*words: str) -> tuple[dict[str, Any], int]:
    """Answer and exit code of ``datamigrate review last … --json``."""
    out, code = io.StringIO(), 0
    try:
        call_command("datamigrate", "review", *words, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as ended:
        code = int(ended.code or 0)
    return json.loads(out.getvalue()), code


def waiting() -> int:
    out = io.StringIO()
    call_command("datamigrate", "health", "--json", stdout=out)
    return int(json.loads(out.getvalue())["migrations"][NAME]["awaiting_review"])


def test_every_decision_is_carried_out_as_a_run() -> None:
    a, b = projects(2)
    for key in ("accept", "choose", "park", "skip"):
        orphan(key, (a, 2), (b, 1), ("gone", 1))
    run = carry_over()
    reference = str(run.pk)
    listed, _ = review(reference, "list")
    assert [item["key"] for item in listed["items"]] == ["accept", "choose", "park", "skip"]
    assert listed["items"][0]["proposal"]["project"] == str(a.pk)
    answer, code = review(reference, "accept", "accept")
    assert (answer["outcomes"]["applied"], code) == (1, 0)
    review(reference, "choose", "choose", "--project", str(b.pk))
    review(reference, "park", "park")
    review(reference, "skip", "skip")
    assert stored() == {"accept": a.pk, "choose": b.pk, "park": UNASSIGNED_ID, "skip": None}
    assert waiting() == 0
    assert failed_checks() == {}


def test_a_chosen_project_that_is_archived_is_warned_of_and_one_that_went_is_not_found() -> None:
    a, b = projects(2)
    archived, deleted = ProjectFactory.create(status="archived"), ProjectFactory.create()
    orphan("archived", (a, 1), (b, 1))
    orphan("deleted", (a, 1), (b, 1))
    reference = str(carry_over().pk)
    answer, code = review(reference, "choose", "archived", "--project", str(archived.pk))
    assert (answer["warnings"], code) == ({"PROJECT_INACTIVE": 1}, 0)
    assert answer["problems"][0]["key"] == "archived"
    review(reference, "choose", "deleted", "--project", str(deleted.pk), "--background")
    deleted.delete()
    run = runs.work_run(Run.objects.latest("created_at"))
    assert problems(run) == [("deleted", "quarantined", "PROJECT_NOT_FOUND")]
    assert stored() == {"archived": archived.pk, "deleted": None}
    assert waiting() == 1


def test_a_decision_on_old_evidence_is_a_conflict_and_a_refused_choice_changes_nothing() -> None:
    a, b = projects(2)
    orphan("s", (a, 1), (b, 1))
    run = carry_over()
    for project in ("garbage", str(uuid.uuid4()), str(UNASSIGNED_ID)):
        answer, code = review(str(run.pk), "choose", "s", "--project", project)
        assert (answer["error"]["code"], code) == ("PROJECT_NOT_FOUND", 1)
    assert waiting() == 1
    add_events("s", (a, 5))
    answer, code = review(str(run.pk), "accept", "s")
    assert (answer["outcomes"]["conflict"], code) == (1, 2)
    assert stored() == {"s": None}


def test_a_decision_is_taken_back_like_any_run() -> None:
    a, b = projects(2)
    orphan("s", (a, 1), (b, 1))
    run = carry_over()
    review(str(run.pk), "choose", "s", "--project", str(b.pk))
    assert stored() == {"s": b.pk}
    take_back(Run.objects.filter(kind="apply").latest("created_at"))
    assert stored() == {"s": None}
    assert waiting() == 1
