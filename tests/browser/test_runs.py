"""An operator's day with a data migration, from the plan to the last conflict, and a cutover."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from migrations_tools.models import Run
from migrations_tools.services import runs
from migrations_tools.states import RunKind, RunState
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 30_000  # milliseconds; other work may keep the machine busy


@pytest.fixture
def process_environment(process_environment: dict[str, str]) -> dict[str, str]:
    """Workers that know the shop of the tests."""
    return process_environment | {"DJANGO_SETTINGS_MODULE": "tests.settings"}


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("amal", password="open sesame")


def address(name: str, *arguments: Any) -> str:
    return reverse(f"admin:migrations_tools_{name}", args=arguments)


def press(page: Page, name: str) -> None:
    """The button or link with exactly this name."""
    content = page.locator("#content")
    button = content.get_by_role("button", name=name, exact=True)
    content.get_by_role("link", name=name, exact=True).or_(button).first.click()


def state_is(page: Page, words: str) -> None:
    live = page.get_by_label("State", exact=True)
    expect(live.locator(".badge").first).to_have_text(words, timeout=PATIENCE)


def test_plan_run_pause_resume_review_verify_and_roll_back(
    browse: Any, worker: Any, operator: User, assert_accessible: Any
) -> None:
    stage(120)
    stage(3, day=None)
    stage(2, kind="unsure")
    page = browse(operator, path=address("run_definitions"))
    press(page, "Carry orders")
    assert_accessible(page)
    with worker():
        press(page, "Plan")
        expect(page.get_by_text("125 keys wait.")).to_be_visible()
        assert_accessible(page)
        press(page, "Plan")
        state_is(page, "completed")
        assert_accessible(page)
        expect(page.get_by_role("heading", name="Forecast")).to_be_visible()
        press(page, "Run it")
        expect(page.get_by_text("125 keys will be looked at.")).to_be_visible()
    press(page, "Run it")
    run = Run.objects.get(kind=RunKind.APPLY)
    state_is(page, "planned")
    with worker():
        state_is(page, "completed")
    expect(page.get_by_text("125 of 125")).to_be_visible()
    assert_accessible(page)
    for tab in ("Problems", "Changes", "Verification", "History"):
        page.get_by_label("Parts of the run").get_by_role("link", name=tab).click()
        assert_accessible(page)

    page.goto(address("reviewitem_changelist"))
    assert_accessible(page)
    page.locator("#result_list tbody a").first.click()
    assert_accessible(page)
    press(page, "Accept")
    page.get_by_label("Reason").fill("looked at")
    press(page, "Accept")
    with worker():
        state_is(page, "completed")

        page.goto(address("run_change", run.pk))
        press(page, "Verify")
        press(page, "Verify")
        expect(page.get_by_label("State", exact=True)).to_be_visible()
        card = page.locator(".card", has=page.get_by_role("heading", name="Verification"))
        expect(card.get_by_text("passed")).to_be_visible(timeout=PATIENCE)

        Order.objects.filter(number="A0").update(total="99.00")
        press(page, "Roll back")
        expect(page.get_by_text("Of 120 keys are taken back")).to_be_visible()
        page.get_by_label("Reason").fill("a mistake")
        assert_accessible(page)
        press(page, "Roll back")
        state_is(page, "completed")
        page.goto(address("run_change", run.pk))
        state_is(page, "partially rolled back")
        press(page, "Take conflicts back too")
        page.get_by_label("Reason").fill("all of it")
        page.get_by_label("Take back what people changed since, too").check()
        press(page, "Take conflicts back too")
        state_is(page, "completed")
    assert Run.objects.get(pk=run.pk).state == RunState.ROLLED_BACK
    assert not Order.objects.filter(number="A0").exists()


def test_a_run_at_work_is_watched_paused_and_resumed(
    browse: Any, worker: Any, operator: User, assert_accessible: Any
) -> None:
    stage(400)
    run = runs.start_run("carry_orders", tuning={"batch_size": 1}, **actor())
    assert run is not None
    page = browse(operator, path=address("run_change", run.pk))
    state_is(page, "queued")
    with worker():
        state_is(page, "running")
        press(page, "Pause")
        page.get_by_label("Reason").fill("lunch")
        press(page, "Pause")
        state_is(page, "paused")
        expect(page.get_by_text("lunch")).to_be_visible()
        assert_accessible(page)
        runs.tune_run(run, {"batch_size": 100}, **actor())
        press(page, "Resume")
        press(page, "Resume")
        state_is(page, "completed")
    assert Order.objects.count() == 400


def test_a_cutover_goes_on_and_back(browse: Any, operator: User, assert_accessible: Any) -> None:
    page = browse(operator, path=address("cutover_changelist"))
    assert_accessible(page)
    press(page, "Collaboration sessions")
    assert_accessible(page)
    press(page, "Go to dual write")
    page.get_by_label("Reason").fill("it opens")
    assert_accessible(page)
    press(page, "Go to dual write")
    expect(page.get_by_text("It is at dual write now.")).to_be_visible()
    expect(page.get_by_text("No run of normalize_collaboration_sessions")).to_be_visible()
    press(page, "Go to off")
    page.get_by_label("Reason").fill("not yet")
    press(page, "Go to off")
    expect(page.get_by_text("It is at off now.")).to_be_visible()
