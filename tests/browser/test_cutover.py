"""A cutover from the first dual write to the new system, and back, with nothing lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page, expect

from migrations_tools.cutover import comparing
from migrations_tools.models import Cutover, Mismatch, Transition
from sessions_app.models import Session, SessionParticipant
from sessions_app.services.collaboration import legacy, new
from tests.browser.test_runs import address, press, state_is
from tests.sessions_app.data_migrations.collaboration import A, B, document, stage, start

pytestmark = pytest.mark.django_db(transaction=True)

NO_PERSON = {"_id": "bad-1", "session_id": "s-3", "email": 5}


@pytest.fixture
def amal() -> User:
    return User.objects.create_superuser("amal", "amal@example.com")


@pytest.fixture
def alice(browse: Any) -> Any:
    """The page of somebody who only uses what is cut over."""
    return browse(User.objects.create_user("alice", A))


class Journey:
    """The page of the cutover, and what an operator does there."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def look(self) -> None:
        self.page.goto(address("cutover_key", "collaboration"))

    def go(self, stage_: str, reason: str, percentage: str = "") -> None:
        self.look()
        press(self.page, f"Go to {stage_}")
        self.page.get_by_label("Reason").fill(reason)
        if percentage:
            self.page.get_by_label("Share of readers").fill(percentage)
        press(self.page, f"Go to {stage_}")

    def goes(self, stage_: str, reason: str = "as planned", percentage: str = "") -> None:
        self.go(stage_, reason, percentage)
        expect(self.page.get_by_text(f"It is at {stage_} now.")).to_be_visible()

    def is_told(self, why: str) -> None:
        """What is missing for the next stage, on the page of the cutover."""
        self.look()
        expect(self.page.locator("li", has_text=why).locator(".badge-bad")).to_be_visible()

    def is_refused(self, stage_: str, why: str) -> None:
        """The page tells beforehand, who tries it anyway is told again, and nothing happens."""
        before = Cutover.objects.get().stage
        self.is_told(why)
        self.go(stage_, "let us see")
        expect(self.page.locator(".messagelist")).to_contain_text(why)
        assert Cutover.objects.get().stage == before

    def invite(self, email: str, session_id: str = "s-1") -> None:
        """What people do meanwhile: both systems know it."""
        session = Session.objects.get(session_id=session_id)
        self.page.goto(reverse("admin:sessions_app_collaborationsession_change", args=[session.pk]))
        press(self.page, "Invite")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Role").select_option("viewer")
        self.page.locator("form.confirm").get_by_role("button", name="Invite").click()
        expect(self.page.get_by_text(f"{email} is invited.")).to_be_visible()
        assert legacy.find(session_id) == new.find(session_id)

    def verify_newest_run(self) -> None:
        self.look()
        self.page.locator(".facts").get_by_role("link", name="not verified").click()
        press(self.page, "Verify")
        press(self.page, "Verify")
        call_command("worker", "--once")
        state_is(self.page, "completed")


def members(page: Page) -> list[str]:
    """Who is in the session, as whoever reads it is told."""
    answer = page.request.get("/api/v1/sessions/s-1/")
    assert answer.status == 200
    return sorted(each["email"] for each in answer.json()["participants"])


def set_role(role: str) -> None:
    """By hand and past the services, in the new system only."""
    SessionParticipant.objects.filter(email=B).update(role=role)


def test_a_cutover_goes_live_when_all_holds_and_comes_back_with_everything(
    browse: Any, amal: User, alice: Page, assert_accessible: Any
) -> None:
    stage(document(e=A, a="owner", t=1), document(e=B, a="editor", t=2), NO_PERSON)
    journey = Journey(browse(amal, path=address("cutover_changelist")))
    page = journey.page

    journey.goes("dual write", "it opens")
    journey.is_refused("shadow", "No run of normalize_collaboration_sessions is completed")
    start()
    journey.is_refused("shadow", "is not verified")
    journey.verify_newest_run()
    journey.invite("dana@example.com")

    journey.goes("shadow")
    assert_accessible(page)
    assert len(members(alice)) == 3
    set_role("admin")
    assert len(members(alice)) == 3  # nobody notices
    comparing.flush("collaboration")
    assert Mismatch.objects.count() == 1
    set_role("editor")
    stage(document(e=A, a="owner", t=1, s="s-2"))
    journey.is_refused("live", "1 keys came since")
    for why in ("1 keys of run", "1 differences between the systems"):
        journey.is_told(why)

    start()
    journey.verify_newest_run()
    page.get_by_label("Parts of the run").get_by_role("link", name="Problems").click()
    press(page, "Waive")
    page.get_by_label("Reason").fill("a test row")
    press(page, "Waive")
    journey.look()
    page.locator("summary", has_text="unexplained").click()
    press(page, "Explain")
    page.get_by_label("Why this is none").fill("somebody tried the console")
    press(page, "Explain")
    expect(page.get_by_text("The difference is explained.")).to_be_visible()
    assert_accessible(page)

    journey.goes("live", percentage="50")
    journey.invite("eve@example.com")
    press_share(journey, "100")
    assert len(members(alice)) == 4
    journey.goes("ramp down")
    journey.invite("finn@example.com")
    journey.goes("shadow", "the new pages are slow")
    assert members(alice) == [
        A, B, "dana@example.com", "eve@example.com", "finn@example.com",
    ]  # fmt: skip
    told = Transition.objects.filter(action="cutover").order_by("pk")
    stages = ["dual_write", "shadow", "live", "live", "ramp_down", "shadow"]
    assert list(told.values_list("to_state", flat=True)) == stages
    assert set(told.values_list("actor__username", "surface")) == {("amal", "admin")}


def press_share(journey: Journey, percentage: str) -> None:
    journey.look()
    press(journey.page, "Change the share")
    journey.page.get_by_label("Share of readers").fill(percentage)
    journey.page.get_by_label("Reason").fill("everybody")
    press(journey.page, "Change the share")
    expect(journey.page.get_by_text("100 %", exact=True)).to_be_visible()
