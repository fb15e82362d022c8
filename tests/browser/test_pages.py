"""Every page of guarantees and of sessions that the admin makes: lists, forms, histories, deletion.

Pages of our own have journeys beside this; each is looked at there in every way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse

from tests.browser.conftest import PHONE, WIDE
from tests.test_admin_lists import make_one_of_each

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def pages_of(app: str, user: User) -> Iterator[str]:
    """Addresses of the pages that somebody may open, of one row of each model."""
    request = RequestFactory().get("/")
    request.user = user
    for page in admin.site._registry.values():
        if page.opts.app_label != app:
            continue
        obj = page.model._default_manager.first()
        views: list[tuple[str, list[Any]]] = [("changelist", [])]
        if obj is not None:
            views += [("change", [obj.pk]), ("history", [obj.pk])]
        if page.has_add_permission(request) and type(page).add_view is ModelAdmin.add_view:
            views.append(("add", []))
        if obj is not None and page.has_delete_permission(request, obj):
            views.append(("delete", [obj.pk]))
        for view, arguments in views:
            name = f"admin:{app}_{page.opts.model_name}_{view}"
            try:
                yield reverse(name, args=arguments)
            except NoReverseMatch:  # no history is kept of staged rows
                continue


@pytest.mark.parametrize("app", ["guarantees", "sessions_app"])
def test_every_page_is_accessible_and_fits(browse, assert_accessible, app):
    amal = User.objects.create_superuser("amal")
    for number in (1, 2):
        make_one_of_each(number)
    page = browse(amal)
    addresses, faults = list(pages_of(app, amal)), []
    assert len(addresses) > 40
    for address in addresses:
        page.goto(address)
        try:
            assert_accessible(page)
        except AssertionError as fault:
            faults.append(str(fault))
        page.set_viewport_size(PHONE)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        page.set_viewport_size(WIDE)
        if wide > 0:
            faults.append(f"{address} is {wide} pixels too wide on a phone")
    assert not faults, "\n".join(faults)
