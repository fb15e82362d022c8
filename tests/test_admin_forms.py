"""Every form of the admin: plain fields, nothing inline, and saved by services."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Group
from django.urls import reverse

from migrations_tools.admin.asking import AskingAdmin
from tests.test_admin_lists import OURS, make_one_of_each

pytestmark = pytest.mark.django_db

#: What no page may have: scripts and styles in the page itself, and widgets that need them.
FORBIDDEN: Final = {
    "an inline style": re.compile(r"<style|\sstyle="),
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)"),
    "an inline handler": re.compile(r"\son[a-z]+="),
    "an autocomplete widget": re.compile(r"admin-autocomplete|select2"),
}


def pages() -> list[ModelAdmin[Any]]:
    return list(admin.site._registry.values())


def test_no_form_needs_an_inline_script_or_style(admin_client):
    make_one_of_each(1)
    Group.objects.get_or_create(name="Clerk")
    faults, looked_at = [], 0
    for page in pages():
        obj = page.model._default_manager.first()
        views = [("add", [])] if obj is None else [("add", []), ("change", [obj.pk])]
        for view, arguments in views:
            name = f"admin:{page.opts.app_label}_{page.opts.model_name}_{view}"
            answer = admin_client.get(reverse(name, args=arguments))
            if answer.status_code != 200:
                assert answer.status_code in (302, 403, 404), name
                continue
            looked_at += 1
            text = answer.content.decode()
            faults += [f"{name}: {what}" for what, found in FORBIDDEN.items() if found.search(text)]
    assert faults == []
    assert looked_at > 60


def test_every_form_of_ours_is_saved_by_a_service(admin_client, rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    around = [
        str(page)
        for page in pages()
        if page.opts.app_label in OURS
        and not isinstance(page, AskingAdmin)
        and (
            page.has_add_permission(request)
            or page.has_change_permission(request)
            or page.has_delete_permission(request)
        )
    ]
    # adding one of these is a wizard
    assert around == ["migrations_tools.LegacyImportAdmin", "guarantees.ImportBatchAdmin"]
