"""Staging tables that exist for the length of a test."""

from __future__ import annotations

from typing import ClassVar

import pytest
from django.apps.registry import Apps
from django.contrib.auth.models import User
from django.db import connection, models

from migrations_tools.imports import kinds
from migrations_tools.imports.documents import DocumentTable
from migrations_tools.imports.kinds import ImportKind, register
from migrations_tools.imports.rows import RowTable
from migrations_tools.models import StagedRow
from migrations_tools.services.actors import system_user


class Note(StagedRow):
    """Staged rows with typed columns."""

    id = models.BigAutoField(primary_key=True)
    author_id = models.BigIntegerField(null=True)
    pages = models.SmallIntegerField(null=True)
    title = models.TextField(null=True)  # noqa: DJ001 (null and '' differ)
    amount = models.TextField(null=True)  # noqa: DJ001
    short = models.CharField(max_length=5, null=True)  # noqa: DJ001
    read_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Note]] = models.Manager()

    class Meta:
        app_label = "migrations_tools"
        apps = Apps()

    def __str__(self) -> str:
        return str(self.pk)


class Paper(StagedRow):
    """Staged documents."""

    key = models.TextField(unique=True)
    line = models.TextField()
    document = models.JSONField()
    author = models.TextField(null=True)  # noqa: DJ001

    objects: ClassVar[models.Manager[Paper]] = models.Manager()

    class Meta:
        app_label = "migrations_tools"
        apps = Apps()

    def __str__(self) -> str:
        return str(self.key)


NOTES = ImportKind(
    name="notes",
    title="Notes",
    tables=[
        RowTable(
            "notes",
            Note,
            other_names=("memos",),
            columns={
                "author_id": ("writer_id",),
                "pages": (),
                "title": ("headline", "heading"),
                "amount": (),
                "short": (),
                "read_at": (),
            },
        ),
        RowTable("old_notes", Note, columns={"title": ()}),
    ],
)

PAPERS = ImportKind(
    name="papers",
    title="Papers",
    tables=[
        DocumentTable(
            "papers",
            Paper,
            key="key",
            columns=("author",),
            natural_key=("author", "year"),
            derived={"author": lambda values: str(values.get("author", ""))[:20]},
        )
    ],
)


@pytest.fixture
def staging(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kinds ``notes`` and ``papers``; their tables go with the test's transaction."""
    monkeypatch.setattr(kinds, "_kinds", {})
    register(NOTES)
    register(PAPERS)
    with connection.schema_editor() as editor:
        editor.create_model(Note)
        editor.create_model(Paper)


@pytest.fixture
def actor(db: None) -> User:
    return system_user()
