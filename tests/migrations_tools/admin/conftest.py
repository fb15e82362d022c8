"""People in the admin, and runs to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from migrations_tools.models import Run
from migrations_tools.services import runs
from migrations_tools.services.requests import work_on_request

Enter = Callable[..., Client]

#: What everybody sees who has to do with runs.
SEES = (
    "view_run",
    "view_ledgerentry",
    "view_rowchange",
    "view_check",
    "view_transition",
    "view_reviewitem",
    "view_cutover",
)


def staff(name: str, *permissions: str) -> User:
    """A person who may enter the admin, with these rights of the engine."""
    user = User.objects.create_user(name, password=name, is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="migrations_tools", codename__in=permissions
        )
    )
    return user


@pytest.fixture
def enter() -> Enter:
    """A browser of a person who sees everything and may do what is named."""

    def entered(*permissions: str, name: str = "olga") -> Client:
        client = Client()
        client.force_login(staff(name, *SEES, *permissions))
        return client

    return entered


def confirm(client: Client, address: str, **values: Any) -> Any:
    """Send a confirmation page; the answer after redirects."""
    return client.post(address, {"confirm": "yes", **values}, follow=True)


def words(answer: Any) -> list[str]:
    """The messages of a page."""
    return [str(message) for message in answer.context["messages"]]


def do_work() -> None:
    """What workers would do: take up what was asked for, and carry runs out."""
    while work_on_request() is not None:
        pass
    for run in Run.objects.all().runnable():
        runs.work_run(run)
