"""What tests of the API share: people who are signed in, and JSON in both directions."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

API = "/api/v1"


def person(*permissions: str, name: str = "clerk") -> User:
    """Somebody with these permissions of the department, such as ``view_guarantee``."""
    user, _ = User.objects.get_or_create(username=name)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="guarantees", codename__in=permissions)
    )
    return User.objects.get(pk=user.pk)


def chief() -> User:
    """Somebody who may do everything."""
    return User.objects.get_or_create(username="chief", is_superuser=True)[0]


class Caller:
    """Sends JSON and takes answers as they are."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client()
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.get(f"{API}/{path}", query, headers=headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = body if isinstance(body, str) else json.dumps({} if body is None else body)
        return self.client.generic(
            method, f"{API}/{path}", data, content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )  # fmt: skip

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.send("DELETE", path, **headers)


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def faults(answer: Any) -> list[tuple[str, str]]:
    """Field and code of every fault that is listed."""
    return [(each["field"], each["code"]) for each in answer.json()["error"]["details"]["fields"]]
