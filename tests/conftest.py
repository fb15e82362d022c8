"""Fixtures for all tests. The database is always a real PostgreSQL."""

import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from pytest_django import DjangoDbBlocker

from tests.database import execute_sql_flush, take_baseline


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, with a flush that append-only triggers and migrated rows survive."""
    with django_db_blocker.unblock():
        take_baseline()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", execute_sql_flush)
        yield


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment of a real process (`manage.py worker`, …) that uses the test's database."""
    database = connection.settings_dict
    password = f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    host = quote(database["HOST"], safe="")
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"postgres://{database['USER']}{password}@{host}:{database['PORT'] or 5432}"
        f"/{database['NAME']}",
        "SECRET_KEY": settings.SECRET_KEY,
        "PYTHONUNBUFFERED": "1",
    }
