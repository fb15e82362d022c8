"""History pages of every registered admin: to look at, and no way back to an old state."""

from __future__ import annotations

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
