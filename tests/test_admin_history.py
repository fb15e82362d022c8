"""History pages of every registered admin: to look at, and no way back to an old state."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin

from tests.guarantees import test_admin as guarantees
from tests.sessions_app import test_admin as sessions
from tests.sessions_app import test_contest_admin as contests
from tests.sessions_app import test_lesson_admin as lessons
from tests.sessions_app.factories import SessionFactory

pytestmark = pytest.mark.django_db


def test_every_history_is_to_be_looked_at_and_brings_nothing_back(admin_client):
    guarantees.make_one_of_each(1)
    sessions.make_one_of_each(1_000_000)  # beside the people that factories number
    contests.make_one_of_each(1)
    lessons.make_one_of_each()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    looking = Client()
    looking.force_login(viewer)
    pages = [page for page in admin.site._registry.values() if isinstance(page, SimpleHistoryAdmin)]
    assert len(pages) >= 24
    for page in pages:
        meta = page.model._meta
        obj = page.model._default_manager.first()
        assert obj is not None, meta
        stored = page.model._default_manager.filter(pk=obj.pk).values().get()
        old = obj.history.last()
        address = reverse(
            f"admin:{meta.app_label}_{meta.model_name}_simple_history", args=[obj.pk, old.pk]
        )
        for client in (looking, admin_client):
            assert client.get(address).status_code == 200, address
            assert client.post(address, {"name": "as before"}).status_code == 403, address
        assert page.model._default_manager.filter(pk=obj.pk).values().get() == stored


def test_a_history_of_no_key_is_not_found(admin_client):
    pages = [page for page in admin.site._registry.values() if isinstance(page, SimpleHistoryAdmin)]
    for page in pages:
        meta = page.model._meta
        name = f"admin:{meta.app_label}_{meta.model_name}"
        for wrong in ("abc", "1.5", "\0", "1" * 30, "x" * 3_000, "-1", "../.."):
            assert admin_client.get(reverse(f"{name}_history", args=[wrong])).status_code == 404
        some = "1" if meta.pk.get_internal_type() != "UUIDField" else str(uuid4())
        for version in ("abc", "1", "1" * 30, "\0"):
            version_page = reverse(f"{name}_simple_history", args=[some, version])
            assert admin_client.get(version_page).status_code == 404, version_page


def test_a_history_is_shown_on_the_pages_of_its_kind_only(admin_client):
    session = SessionFactory.create(kind="agent")
    pages = {
        kind: reverse(f"admin:sessions_app_{kind}_history", args=[session.pk])
        for kind in ("agentsession", "collaborationsession")
    }
    version = reverse(
        "admin:sessions_app_collaborationsession_simple_history",
        args=[session.pk, session.history.first().pk],
    )
    for is_there in (True, False):
        if not is_there:
            session.delete()
        assert admin_client.get(pages["agentsession"]).status_code == 200
        assert admin_client.get(pages["collaborationsession"]).status_code == 404
        assert admin_client.get(version).status_code == 404
