"""Accounts and groups in the admin: who gives rights, and that nobody is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from migrations_tools.services.actors import system_user

pytestmark = pytest.mark.django_db


def page(view: str, *arguments: object, model: str = "user") -> str:
    return reverse(f"admin:auth_{model}_{view}", args=arguments)


def clerk_of_accounts() -> Client:
    """May change accounts and groups, and is no superuser."""
    user = User.objects.create_user("personnel", is_staff=True)
    names = ["view_user", "add_user", "change_user", "delete_user", "change_group", "view_group"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def errors(answer: Any) -> str:
    return str(answer.context["adminform"].form.errors)


def test_only_superusers_give_rights():
    personnel, group = clerk_of_accounts(), Group.objects.get_or_create(name="Clerk")[0]
    person, boss = User.objects.create_user("ann"), User.objects.create_superuser("boss")
    rights = {"is_staff": "on", "is_superuser": "on", "groups": [group.pk]}
    sent = {"username": "ann", "first_name": "Ann", "is_active": "on"} | rights
    assert personnel.post(page("change", person.pk), sent).status_code == 302
    person.refresh_from_db()
    assert (person.first_name, person.is_staff, person.is_superuser) == ("Ann", False, False)
    assert not person.groups.exists()
    own = User.objects.get(username="personnel")
    for other in (boss, own):  # theirs is no ordinary account
        assert personnel.post(page("change", other.pk), sent).status_code == 403
        password = reverse("admin:auth_user_password_change", args=[other.pk])
        assert personnel.get(password).status_code == 403
    change = page("change", group.pk, model="group")
    assert personnel.post(change, {"name": "Mine"}).status_code == 403


def test_a_superuser_gives_rights_and_keeps_their_own(admin_client, admin_user):
    person, group = User.objects.create_user("ann"), Group.objects.get_or_create(name="Clerk")[0]
    sent = {"username": "ann", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
    assert admin_client.post(page("change", person.pk), sent).status_code == 302
    person.refresh_from_db()
    assert (person.is_staff, list(person.groups.all())) == (True, [group])
    refused = admin_client.post(page("change", admin_user.pk), {"username": "admin"})
    assert errors(refused).count("Nobody takes this from themselves") == 3
    admin_user.refresh_from_db()
    assert admin_user.is_active
    assert admin_user.is_superuser


def test_nobody_is_deleted_and_the_system_account_is_left_alone(admin_client):
    person, system = User.objects.create_user("ann"), system_user()
    assert admin_client.post(page("delete", person.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [person.pk], "post": "yes"}
    admin_client.post(page("changelist"), chosen)
    assert User.objects.filter(pk=person.pk).exists()
    assert admin_client.get(page("change", system.pk)).status_code == 200
    sent = {"username": "other", "is_active": "on"}
    assert admin_client.post(page("change", system.pk), sent).status_code == 403


def test_two_people_at_one_account_do_not_undo_each_other(admin_client):
    person, group = User.objects.create_user("ann"), Group.objects.get_or_create(name="Clerk")[0]
    address = page("change", person.pk)
    seen = admin_client.get(address).context["adminform"].form.seen
    first = {"username": "ann", "first_name": "Ann", "is_active": "on", "groups": [group.pk]}
    assert admin_client.post(address, first).status_code == 302
    clash = {"username": "ann", "first_name": "Anna", "is_active": "on", "_seen": seen}
    refused = admin_client.post(address, clash)
    assert "“First name” is “Ann” now" in errors(refused)
    other = {"username": "ann", "first_name": "", "last_name": "Lee", "is_active": "on"}
    assert admin_client.post(address, other | {"_seen": seen}).status_code == 302
    person.refresh_from_db()
    assert (person.first_name, person.last_name) == ("Ann", "Lee")
    assert list(person.groups.all()) == [group]


def test_a_group_keeps_what_somebody_else_has_added(admin_client):
    group = Group.objects.create(name="Porters")
    address = page("change", group.pk, model="group")
    seen = admin_client.get(address).context["adminform"].form.seen
    right = Permission.objects.get(codename="view_user")
    admin_client.post(address, {"name": "Porters", "permissions": [right.pk]})
    admin_client.post(address, {"name": "Guards", "permissions": [], "_seen": seen})
    group.refresh_from_db()
    assert (group.name, list(group.permissions.all())) == ("Guards", [right])
