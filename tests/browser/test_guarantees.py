"""A clerk's day with guarantees, in a browser."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from guarantees.models import Guarantee, GuaranteeAction
from guarantees.services.entries import enter_guarantee
from tests.guarantees.factories import BankFactory, SupplierFactory
from tests.guarantees.services.acting import draft, issue
from tests.guarantees.services.entering import dictionaries, entry, who
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx

pytestmark = pytest.mark.django_db(transaction=True)


def clerk() -> User:
    user = User.objects.create_user("salma", is_staff=True, first_name="Salma")
    rights = Permission.objects.filter(content_type__app_label="guarantees")
    user.user_permissions.set(rights)
    return user


def department() -> Guarantee:
    """A few guarantees, certain and not, one of them acted on."""
    dictionaries()
    BankFactory.create(name_en="Alinma Bank", name_ar="مصرف الإنماء", short_code="INMA")
    SupplierFactory.create(name="Gulf Roads Contracting", display_name="طرق الخليج")
    first = enter_guarantee(
        entry(comment="Performance bond, phase 2", issue_date="1/1/2025"), **who()
    ).guarantees[0]
    enter_guarantee(entry(number="LG-2", supplier="Al Nour Trading"), **who())
    enter_guarantee(entry(number="LG-3", supplier="Al Nour Trading", amount="٧٥٠"), **who())
    enter_guarantee(entry(number="LG-4", supplier="طرق الخليجي", bank="who?"), **who())
    enter_guarantee(entry(number="LG-5", expiry_date=""), **who())
    enter_guarantee(entry(number="LG-6"), **who())
    issue(notes="as the site asked")
    issue("reduction", new_amount=Decimal("800.25"))
    draft("release")
    return first


def test_a_clerk_extends_decides_releases_and_prints(browse, assert_accessible):
    browse.allow.add(422)  # a form refused
    found = department()
    user = clerk()
    page = browse(user, path=reverse("admin:guarantees_guarantee_changelist"))
    page.locator("#searchbar").fill("LG-١")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="LG-1").click()
    expect(page.get_by_text("History of the number")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Extend", exact=True).click()
    expect(page.get_by_role("heading", name="Extension of LG-1")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("New expiry").fill("١/١/٢٠٣٠")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("is not later")).to_be_visible()
    page.get_by_label("New expiry").fill("٣١/١٢/٢٠٣٥")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("2035-12-31")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Issue").click()
    expect(page.get_by_text("Issued: extension of LG-1")).to_be_visible()
    assert Guarantee.objects.get(pk=found.pk).current_expiry == date(2035, 12, 31)

    page.get_by_role("link", name="Print the letter").click()
    expect(page.get_by_text("31 December 2035").first).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="العربية").click()
    expect(page.get_by_text("٣١ ديسمبر ٢٠٣٥").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename.endswith("-ar.pdf")

    page.goto(reverse("admin:guarantees_guarantee_matching"))
    assert_accessible(page)
    page.get_by_role("link", name="Decide “Al Nour Trading”").click()
    expect(page.get_by_text("Who is meant")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("2 guarantees are decided.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("2 guarantees are of Al Noor Trading Company now.")).to_be_visible()

    page.goto(reverse("admin:guarantees_guarantee_changelist"))
    for number in ("LG-2", "LG-5", "LG-6"):
        page.get_by_role("row", name=number).get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("extend_selected")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("LG-5 has no date of expiry")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Issue").click()
    expect(page.get_by_text("left as they are")).to_be_visible()
    assert_accessible(page)
    assert GuaranteeAction.objects.filter(number__in=["LG-2", "LG-6"]).count() == 2


def _has_focus(element: Locator) -> bool:
    return bool(element.evaluate("element => element === document.activeElement"))


class Keys:
    """A person without a mouse: Tab until something has the focus, then a key."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def reach(self, wanted: Locator) -> None:
        """Past the navigation, then from one to the next; what cannot be reached fails."""
        expect(wanted).to_be_visible()
        skip = self._page.get_by_role("link", name="Skip to main content")
        for _ in range(80):
            if _has_focus(wanted):
                return
            self._page.keyboard.press("Enter" if _has_focus(skip) else "Tab")
        raise AssertionError(f"{wanted} is not reached on {self._page.url}")

    def press(self, wanted: Locator, key: str = "Enter") -> None:
        self.reach(wanted)
        self._page.keyboard.press(key)

    def write(self, wanted: Locator, text: str) -> None:
        self.reach(wanted)
        self._page.keyboard.type(text)


def test_a_whole_day_works_without_the_mouse(browse, tmp_path):
    dictionaries()
    path = xlsx(tmp_path / "May.xlsx", HEADINGS, ROW, ("LG-2", "Al Nour Trading", *ROW[2:]))
    page = browse(clerk(), path=reverse("admin:guarantees_guarantee_changelist"))
    keys, content = Keys(page), page.locator("#content")
    keys.press(content.get_by_role("link", name="Import a workbook"))
    keys.reach(page.get_by_label("File"))
    page.get_by_label("File").set_input_files(path)  # the dialogue is the browser's own
    keys.press(page.get_by_role("button", name="Upload and look at it"))
    keys.press(page.get_by_role("button", name="Import 2 guarantees"))
    expect(page.get_by_role("link", name="The batch and its guarantees")).to_be_visible()

    page.goto(reverse("admin:guarantees_guarantee_changelist"))
    keys.press(content.get_by_role("link", name="Names to decide"))
    keys.press(content.get_by_role("link", name="Decide “Al Nour Trading”"))
    keys.press(page.get_by_role("button", name="Preview"))
    keys.press(page.get_by_role("button", name="Decide"))
    expect(page.get_by_text("1 guarantee is of Al Noor Trading Company now.")).to_be_visible()

    page.goto(reverse("admin:guarantees_guarantee_changelist"))
    keys.press(content.get_by_role("link", name="LG-2"))
    keys.press(content.get_by_role("link", name="Extend", exact=True))
    keys.write(page.get_by_label("New expiry"), "31/12/2035")
    keys.press(page.get_by_role("button", name="Preview"))
    keys.press(page.get_by_role("button", name="Issue"))
    expect(page.get_by_text("Issued: extension of LG-2")).to_be_visible()
    keys.press(page.get_by_role("link", name="Print the letter"))
    expect(page.get_by_text("31 December 2035").first).to_be_visible()
    page.go_back()
    keys.press(content.get_by_role("link", name="Release", exact=True))
    keys.press(page.get_by_role("button", name="Preview"))
    keys.press(page.get_by_role("button", name="Issue"))
    expect(page.get_by_text("Issued: release of LG-2")).to_be_visible()
    expect(page.get_by_text("History of the number: 4 events")).to_be_visible()
    keys.press(content.locator("#number-history summary"))
    found = Guarantee.objects.get(number="LG-2")
    assert (found.status, found.current_expiry) == ("released", date(2035, 12, 31))


def pages() -> dict[str, str]:
    found = Guarantee.objects.get(number="LG-1")
    unknown = Guarantee.objects.get(number="LG-4")
    drafted = GuaranteeAction.objects.get(status="draft")
    issued = GuaranteeAction.objects.filter(status="issued").earliest("pk")
    assert drafted.session is not None

    def at(name: str, *arguments: Any) -> str:
        return reverse(f"admin:guarantees_{name}", args=arguments)

    letter = f"{at('guaranteeaction_letters')}?action={issued.pk}"
    return {
        "guarantee": at("guarantee_change", found.pk),
        "modify": at("guarantee_act", found.pk, "modification"),
        "draft": at("guaranteeaction_change", drafted.pk),
        "session": at("actionsession_change", drafted.session.pk),
        "names": at("guarantee_matching"),
        "decide": at("guarantee_decide", "supplier", unknown.pk),
        "letter": letter,
    }


@pytest.mark.slow
def test_every_page_of_the_department_is_good_in_every_way_it_is_looked_at(
    looks, assert_accessible
):
    department()
    user = clerk()
    for name, path in pages().items():
        looks(user, path, name=name, check=assert_accessible)
