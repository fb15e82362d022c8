"""The way in, the overview, lists and histories: in every look, on a phone and by keyboard."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from tests.guarantees import test_admin as guarantees
from tests.guarantees.factories import SupplierFactory
from tests.migrations_tools import rows as engine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def amal(transactional_db: None) -> User:
    return User.objects.create_superuser("amal", password="open sesame")


def test_somebody_logs_in_looks_around_in_two_languages_and_logs_out(
    browse, amal, assert_accessible
):
    page = browse(path="/admin/")
    assert_accessible(page)
    page.get_by_label("Username").fill("amal")
    page.get_by_label("Password").fill("open sesame")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_text("Begin with a file of the old system")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="العربيّة").click()
    assert page.locator("html").get_attribute("dir") == "rtl"
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("dir") == "ltr"
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Logged out")).to_be_visible()


def test_the_overview_is_usable_in_every_look(amal, looks, assert_accessible):
    for number in (1, 2):
        engine.make_one_of_each(number)
    assert len(looks(amal, "/admin/", name="overview", check=assert_accessible)) == 5


def test_a_list_is_cards_on_a_phone_and_a_history_shows_differences(
    browse, amal, assert_accessible
):
    guarantees.make_one_of_each(1)
    supplier = SupplierFactory.create(name="Before")
    supplier.name = "After"
    supplier.save()
    phone = browse(amal, path=reverse("admin:guarantees_supplier_changelist"), phone=True)
    heading = "getComputedStyle(document.querySelector('td.field-id'), '::before').content"
    assert phone.evaluate(heading) == '"ID: "'
    assert phone.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert_accessible(phone)
    history = reverse("admin:guarantees_supplier_history", args=[supplier.pk])
    page = browse(amal, path=history, language="ar")
    expect(page.locator("del", has_text="Before")).to_be_visible()
    assert_accessible(page)
    assert_accessible(browse(amal, path=history, phone=True, scheme="dark"))


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(browse, amal):
    page = browse(amal, path="/admin/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content-start")).to_be_focused()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_pages_of_errors_and_the_closed_login_are_readable(
    browse, amal, assert_accessible, settings
):
    settings.AXES_FAILURE_LIMIT = 2
    browse.allow = {403, 404, 429}
    nobody = User.objects.create_user("nobody", is_staff=True)
    for user, path in [(amal, "/admin/nowhere/"), (nobody, "/admin/guarantees/supplier/")]:
        assert_accessible(browse(user, path=path))
    page = browse(path="/admin/")
    for _ in range(2):
        page.get_by_label("Username").fill("amal")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("come back in 15 min")).to_be_visible()
    assert_accessible(page)


def test_plain_pages_of_the_admin_have_no_fault_that_axe_knows(browse, amal, assert_accessible):
    guarantees.make_one_of_each(1)
    supplier = SupplierFactory.create()
    pages: list[tuple[str, list[object]]] = [
        ("guarantees_guarantee_changelist", []),
        ("guarantees_supplier_add", []),
        ("guarantees_supplier_change", [supplier.pk]),
        ("guarantees_supplier_delete", [supplier.pk]),
        ("password_change", []),
        ("app_list", ["guarantees"]),
    ]
    for name, arguments in pages:
        page = browse(amal, path=reverse(f"admin:{name}", args=arguments))
        assert_accessible(page)
        page.close()
