"""The way in: log in, the overview, another language, and out."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

pytestmark = pytest.mark.django_db(transaction=True)


def test_somebody_logs_in_looks_around_in_two_languages_and_logs_out(browse, assert_accessible):
    User.objects.create_superuser("amal", password="open sesame")
    page = browse(path="/admin/")
    assert_accessible(page)
    page.get_by_label("Username").fill("amal")
    page.get_by_label("Password").fill("open sesame")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="العربيّة").click()
    assert page.locator("html").get_attribute("dir") == "rtl"
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("dir") == "ltr"
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Logged out")).to_be_visible()
