"""Every list and history of the admin: a constant number of queries, exports included."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin

from migrations_tools.admin.exporting import ExportMixin
from tests.guarantees import test_admin as guarantees
from tests.guarantees.factories import SupplierFactory
from tests.migrations_tools import rows as engine
from tests.sessions_app import test_admin as sessions
from tests.sessions_app import test_contest_admin as contests
from tests.sessions_app import test_lesson_admin as lessons

pytestmark = pytest.mark.django_db

OURS = {"migrations_tools", "sessions_app", "guarantees"}


def make_one_of_each(number: int) -> None:
    guarantees.make_one_of_each(number)
    sessions.make_one_of_each(1_000_000 + number)  # beside the people that factories number
    contests.make_one_of_each(number)
    lessons.make_one_of_each()
    engine.make_one_of_each(number)


def our_pages() -> list[admin.ModelAdmin[Any]]:
    found = [page for page in admin.site._registry.values() if page.opts.app_label in OURS]
    assert len(found) >= 30
    return found


def address(page: admin.ModelAdmin[Any], view: str = "changelist", *arguments: object) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_{view}", args=arguments)


def queries(ask: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
        if answer.streaming:
            b"".join(answer.streaming_content)
    assert answer.status_code == 200, answer.request["PATH_INFO"]
    return len(captured)


def export(client: Client, page: admin.ModelAdmin[Any], action: str = "export_csv") -> Any:
    chosen = page.model._default_manager.values_list("pk", flat=True)
    given = {"action": action, "_selected_action": list(chosen)}
    return client.post(address(page), given)


@pytest.mark.slow
def test_lists_and_exports_take_the_same_number_of_queries_whatever_their_length(admin_client):
    def counted() -> dict[str, int]:
        found = {address(p): queries(partial(admin_client.get, address(p))) for p in our_pages()}
        for page in our_pages():
            if isinstance(page, ExportMixin) and page.model._default_manager.exists():
                found[f"export {page}"] = queries(partial(export, admin_client, page))
        return found

    make_one_of_each(1)
    make_one_of_each(2)
    counted()  # fills caches of content types
    few = counted()
    for number in range(3, 9):
        make_one_of_each(number)
    many = counted()
    assert {name: (n, many[name]) for name, n in few.items() if many[name] != n} == {}


def test_histories_take_the_same_number_of_queries_whatever_their_length(admin_client):
    make_one_of_each(1)
    for page in our_pages():
        if not isinstance(page, SimpleHistoryAdmin):
            continue
        obj = page.model._default_manager.first()
        assert obj is not None, page
        where = address(page, "history", obj.pk)
        admin_client.get(where)
        few = queries(partial(admin_client.get, where))
        oldest = obj.history.last()
        for _ in range(4):
            oldest.pk = None
            oldest.save()
        assert queries(partial(admin_client.get, where)) == few, where


def test_a_history_tells_field_by_field_what_was_before(admin_client):
    supplier = SupplierFactory.create(name="Old <b>")
    supplier.name = "New"
    supplier.save()
    reason = "run 0b9ce3a4-6a6c-4f25-9a24-8f1d7f0a8a51"
    supplier.history.filter(pk=supplier.history.latest().pk).update(history_change_reason=reason)
    where = reverse("admin:guarantees_supplier_history", args=[supplier.pk])
    text = admin_client.get(where).content.decode()
    assert "<del>Old &lt;b&gt;</del> <ins>New</ins>" in text
    assert reason in text
    assert "style=" not in text


def test_a_form_takes_from_its_address_what_it_would_take_from_a_person(admin_client):
    """Split dates and lists of people broke it; a good value is still there."""
    lesson = reverse("admin:sessions_app_lesson_add")
    asked = {"starts_at": "soon", "ends_at": "\0", "semester": "x", "title": "Weaving"}
    shown = admin_client.get(lesson, asked)
    assert shown.context["adminform"].form.initial == {"title": "Weaving"}
    semester = reverse("admin:sessions_app_semester_add")
    assert admin_client.get(semester, {"assistants": "x,1" + "0" * 30}).status_code == 200
