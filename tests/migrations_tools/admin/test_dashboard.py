"""The overview: what each card tells, to whom, and in a constant number of queries."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_tools.dashboard import cards_for
from migrations_tools.models import Batch, Check, LegacyImport, QueuedImport, Run
from migrations_tools.selectors import overview
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db


def make_run(definition: str, state: str = "completed", **values: Any) -> Run:
    actor, _ = User.objects.get_or_create(username="actor")
    given = {"version": 1, "kind": "apply", "counted_steps": [0], "actor": actor} | values
    return Run.objects.create(definition=definition, state=state, **given)


def add_batch(run: Run, number: int, step: int = 0, **outcomes: int) -> None:
    size = sum(outcomes.values())
    counts = {"outcomes": outcomes}
    now = timezone.now()
    Batch.objects.create(
        run=run, step=step, number=number, size=size, counts=counts, state="done", finished_at=now
    )


def test_runs_at_work_have_progress_of_their_counted_steps_and_the_time_left():
    start = timezone.now() - datetime.timedelta(seconds=100)
    run = make_run("carry_orders", "running", started_at=start, key_ranges={"0": {"selected": 400}})
    add_batch(run, 1, applied=60, review=40)
    add_batch(run, 1, step=1, applied=500)
    make_run("other", "paused")
    make_run("third", "planned", kind="plan")
    first, second = overview.active_runs()
    assert (first.run, first.done, first.total) == (run, 100, 400)
    assert first.eta == pytest.approx(300, rel=0.05)
    assert (second.done, second.total, second.eta) == (0, None, None)


def test_what_waits_is_counted_over_the_newest_standing_runs():
    old = make_run("carry_orders")
    add_batch(old, 1, quarantined=50)
    new = make_run("carry_orders", "needs_attention")
    add_batch(new, 1, applied=5, quarantined=2)
    add_batch(new, 1, step=1, quarantined=7)
    add_batch(make_run("other", "rolled_back"), 1, quarantined=9)
    make_run("third", "awaiting_approval")
    make_run("fourth", "partially_rolled_back")
    found = overview.decisions()
    assert found.quarantined == {"carry_orders": 2}
    assert (found.approvals, found.attention, found.conflicts) == (1, 1, 1)
    assert found.reviews == {}


def test_verifications_tell_their_age_and_failed_checks():
    start = timezone.now() - datetime.timedelta(hours=1)
    run = make_run("carry_orders", verification_state="failed", started_at=start)
    for code in ("a", "b", "b"):
        Check.objects.create(
            verification=run.pk,
            definition=run.definition,
            run=run,
            code=code,
            title=code,
            ok=False,
            examined=1,
            failures=1,
        )
    assert [(last.run, last.failed_checks) for last in overview.last_verifications()] == [(run, 2)]


def test_days_without_runs_are_there_and_rollbacks_are_not_counted():
    run = make_run("carry_orders", finished_at=timezone.now())
    add_batch(run, 1, applied=5, skipped=1)
    back = make_run("carry_orders", kind="rollback", finished_at=timezone.now())
    add_batch(back, 1, applied=70)
    days = overview.outcomes_by_day(3)
    assert [sum(day.values()) for day in days.values()] == [0, 0, 6]
    assert days[timezone.localdate()]["applied"] == 5


def test_everybody_sees_the_cards_of_their_rights(client):
    make_run("carry_orders")
    titles = [str(card.title) for card in cards_for(person("viewer", "view_run"))]
    assert titles[:3] == ["At work", "Waits for a decision", "Health of the database"]
    assert "Imports" not in titles
    assert cards_for(person("nobody")) == []
    client.force_login(User.objects.create_user("staff", is_staff=True))
    page = client.get("/admin/")
    assert page.status_code == 200
    assert "Health of the database" not in page.content.decode()


def test_an_empty_house_is_told_what_to_do_first(admin_client):
    assert "Begin with a file" in admin_client.get("/admin/").content.decode()
    make_run("carry_orders")
    assert "Begin with a file" not in admin_client.get("/admin/").content.decode()


def test_the_overview_takes_the_same_number_of_queries_however_much_there_is(admin_client: Client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get("/admin/").status_code == 200
        return len(captured)

    def fill(number: int) -> None:
        run = make_run(f"done_{number}", finished_at=timezone.now(), verification_state="passed")
        add_batch(run, 1, applied=3, quarantined=1)
        add_batch(make_run(f"active_{number}", "running", started_at=timezone.now()), 1, applied=1)
        QueuedImport.objects.create(kind="a", file_name="a", stored="a", actor=run.actor)
        LegacyImport.objects.create(kind="a", file_name="a", size=1, sha256="", actor=run.actor)

    fill(1)
    queries()
    few = queries()
    for number in range(2, 9):
        fill(number)
    assert queries() == few
