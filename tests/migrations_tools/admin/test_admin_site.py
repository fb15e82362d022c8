"""The admin site itself: who comes in, what is kept of the refused, and pages of errors."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from guarantees.models import BatchKind, ImportBatch
from migrations_tools.admin_site import CarryoverAdminSite
from migrations_tools.exceptions import CarryoverError, PermissionRefused, UnknownRun
from migrations_tools.models import LegacyImport, Transition
from migrations_tools.services.actors import require

pytestmark = pytest.mark.django_db

SUPPLIERS = reverse("admin:guarantees_supplier_changelist")


def refusals() -> list[tuple[str, dict[str, str]]]:
    found = Transition.objects.filter(action="refused", surface="admin").order_by("pk")
    return list(found.values_list("actor__username", "details"))


def test_the_default_site_is_ours_and_has_what_others_registered():
    assert isinstance(admin.site, CarryoverAdminSite)
    assert admin.site.is_registered(User)


def test_a_page_without_the_right_is_refused_once_and_on_record(client):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    page = client.get(SUPPLIERS)
    assert page.status_code == 403
    assert "The attempt was recorded" in page.content.decode()
    assert refusals() == [
        ("clerk", {"address": "admin:guarantees_supplier_changelist", "method": "GET"})
    ]


def test_somebody_who_is_no_staff_is_kept_as_refused_and_a_stranger_is_not(client):
    assert client.get(SUPPLIERS).status_code == 302
    client.force_login(User.objects.create_user("student"))
    assert client.get(SUPPLIERS).status_code == 302
    assert client.post(reverse("admin:logout")).status_code in (200, 302)
    assert [name for name, _ in refusals()] == ["student"]


@pytest.mark.parametrize(
    ("error", "status"), [(CarryoverError("It ended."), 409), (UnknownRun("It is gone."), 404)]
)
def test_what_a_service_refuses_is_told_in_its_words(rf, error, status):
    def view(request):
        raise error

    request = rf.get("/admin/")
    request.user = User.objects.create_superuser("boss")
    page = admin.site.admin_view(view)(request)
    assert page.status_code == status
    page.render()
    assert error.message in page.content.decode()


def test_an_address_that_nothing_can_be_made_of_is_refused_in_words(admin_client):
    for address in ("/admin/knox/authtoken/%00/change/", "/admin/r/1/nothing/"):
        page = admin_client.get(address)
        assert page.status_code in (400, 404), address
        assert "cannot be looked up" in page.content.decode() or page.status_code == 404


def test_a_copy_is_made_by_no_form_that_offers_none(admin_client):
    """Imports and batches may be added, by their wizards: that must not open Django's form."""
    actor = User.objects.get(username="admin")
    done = LegacyImport.objects.create(
        kind="projects", file_name="a.jsonl", size=1, sha256="0" * 64, actor=actor
    )
    batch = ImportBatch.objects.create(kind=BatchKind.EXCEL)
    for row in (done, batch):
        address = reverse(
            f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]
        )
        for button in ("_saveasnew", "_save"):
            sent = {"kind": row.kind, "file_name": "forged.jsonl", "actor": actor.pk, button: "1"}
            assert admin_client.post(address, sent).status_code == 403, address
    assert (LegacyImport.objects.count(), ImportBatch.objects.count()) == (1, 1)


def test_a_refusal_that_a_service_kept_is_not_kept_twice(rf):
    user = User.objects.create_user("clerk", is_staff=True)

    def view(request):
        require(user, "run", surface="admin")

    def denied(request):
        try:
            view(request)
        except PermissionRefused as refusal:
            raise PermissionDenied from refusal

    request = rf.post("/admin/")
    request.user = user
    request._dont_enforce_csrf_checks = True
    assert admin.site.admin_view(view)(request).status_code == 403
    with pytest.raises(PermissionDenied):
        admin.site.admin_view(denied)(request)
    assert refusals() == [("clerk", {"permission": "run"})] * 2


def test_who_failed_too_often_is_told_when_to_come_back(settings):
    settings.AXES_FAILURE_LIMIT = 3
    User.objects.create_superuser("boss", password="right")
    client = Client()
    login = reverse("admin:login")
    wrong = {"username": "boss", "password": "wrong"}
    answers = [client.post(login, wrong).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    page = client.post(login, wrong | {"password": "right"})
    assert page.status_code == 429
    assert "come back in 15 min" in page.content.decode()
    assert (
        Client(REMOTE_ADDR="10.0.0.9").post(login, wrong | {"password": "right"}).status_code == 302
    )


def test_a_login_goes_on_within_the_admin_only():
    User.objects.create_superuser("boss", password="right")
    sent = {"username": "boss", "password": "right"}
    for address in ("//elsewhere.example", "https://elsewhere.example", "javascript:x", ""):
        answer = Client().post(reverse("admin:login"), sent | {"next": address})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/"), address


@pytest.mark.parametrize("name", ["x" * 5_000, "a\0b", "\u202e", "' or 1=1 --"])
def test_a_name_that_nobody_has_is_a_wrong_name(name):
    page = Client().post(reverse("admin:login"), {"username": name, "password": "x"})
    assert page.status_code == 200
    assert page.context["form"].errors


def test_what_is_too_large_is_refused_in_words(admin_client):
    many = {f"field-{number}": "" for number in range(10_001)}
    page = admin_client.post(reverse("admin:migrations_tools_run_governor"), many)
    assert page.status_code == 400
    assert "Choose fewer rows" in page.content.decode()


def test_pages_of_a_person_are_not_kept_by_browsers(admin_client):
    for name in ("index", "password_change", "password_change_done"):
        page = admin_client.get(reverse(f"admin:{name}"))
        assert "no-store" in page.headers["Cache-Control"], name


def test_pages_of_errors_have_our_look_and_no_trace(admin_client, rf, monkeypatch):
    gone = admin_client.get("/admin/nowhere/at/all/")
    assert gone.status_code == 404
    assert "There is nothing here" in gone.content.decode()
    strict = Client(enforce_csrf_checks=True)
    old = strict.post(reverse("admin:login"), {"username": "a"})
    assert old.status_code == 403
    assert "The page was too old" in old.content.decode()

    def broken(self, request, *args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(CarryoverAdminSite, "get_app_list", broken)
    admin_client.raise_request_exception = False
    page = admin_client.get("/admin/")
    assert page.status_code == 500
    assert "It is our mistake" in page.content.decode()
    assert "secret detail" not in page.content.decode()


@pytest.mark.parametrize("name", ["password_change", "index", "login"])
def test_own_pages_load_nothing_inline_in_both_languages(admin_client, name):
    for language, direction in (("en", "ltr"), ("ar", "rtl")):
        admin_client.cookies["django_language"] = language
        client = Client() if name == "login" else admin_client
        client.cookies["django_language"] = language
        page = client.get(reverse(f"admin:{name}"))
        text = page.content.decode()
        assert page.status_code == 200
        assert f'dir="{direction}"' in text
        assert "style=" not in text
        assert "<style" not in text
        assert "<script>" not in text
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_language_is_switched_by_a_form_and_kept(admin_client):
    answer = admin_client.post(reverse("set_language"), {"language": "ar", "next": "/admin/"})
    assert answer.headers["Location"] == "/admin/"
    assert 'lang="ar"' in admin_client.get("/admin/").content.decode()


def test_what_people_work_with_comes_before_the_machinery(admin_client):
    labels = [app["app_label"] for app in admin_client.get("/admin/").context["app_list"]]
    ours = {"migrations_tools", "sessions_app", "guarantees"}
    assert set(labels[: len(ours & set(labels))]) <= ours
