"""People who use the admin, and what pages tell them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse


def staff(name: str, *permissions: str, **values: Any) -> User:
    """A member of staff with these permissions of sessions_app, such as ``view_lesson``."""
    user = User.objects.create_user(name, f"{name}@example.com", is_staff=True, **values)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="sessions_app", codename__in=permissions)
    )
    return user


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(model: str, view: str, *arguments: object) -> str:
    return reverse(f"admin:sessions_app_{model}_{view}", args=arguments)


def do(client: Client, model: str, pk: object, name: str, /, **values: object) -> Any:
    """Send the form of an operation as a browser would."""
    return client.post(page(model, "operation", pk, name), values)


def told(answer: Any) -> list[str]:
    """The messages of the answer, and the errors of the form that it shows again."""
    messages = [str(message) for message in get_messages(answer.wsgi_request)]
    if answer.status_code == 200:
        errors = answer.context["form"].errors
        messages += [message for of_field in errors.values() for message in of_field]
    return messages
