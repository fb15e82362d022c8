"""Fixtures for all tests. The database is always a real PostgreSQL."""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from pytest_django import DjangoDbBlocker

from tests.database import do_not_wait_for_the_disk, execute_sql_flush, take_baseline


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Before the test database is made: making it is mostly waiting for the disk."""
    if connection.settings_dict["ENGINE"] == "config.embedded":
        with django_db_blocker.unblock():
            do_not_wait_for_the_disk()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, with a flush that append-only triggers and migrated rows survive."""
    with django_db_blocker.unblock():
        take_baseline()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", execute_sql_flush)
        # what its receivers would make anew is put back with the other rows of migrations
        patch.setattr(flush, "emit_post_migrate_signal", lambda *arguments, **options: None)
        yield


@pytest.fixture(autouse=True)
def nothing_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test made this process believe of cutovers is not true in the next one."""
    from migrations_tools.cutover import believed, comparing  # models: after Django's start

    monkeypatch.setattr(believed, "_believed", {})
    monkeypatch.setattr(comparing, "_figures", {})


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment of a real process (`manage.py worker`, …) that uses the test's database."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": _url(connection.settings_dict),
        "SECRET_KEY": settings.SECRET_KEY,
        "PYTHONUNBUFFERED": "1",
    }


def _url(database: dict[str, Any]) -> str:
    """The database as DATABASE_URL names it; a socket's folder goes before the database's name."""
    user, password, host, name = (
        quote(database[key], safe="/") for key in ("USER", "PASSWORD", "HOST", "NAME")
    )
    if host.startswith("/"):
        host, name = "", f"{host}/{name}"
    return f"postgres://{user}:{password}@{host}:{database['PORT'] or 5432}/{name}"
