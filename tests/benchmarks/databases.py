"""Databases of a benchmark: staged once, copied for every contender, dropped at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import DatabaseError, connection

ROOT = Path(__file__).resolve().parents[2]


class ContenderFailed(Exception):
    """A contender ended with an error; its own words are in the message."""


class Databases:
    """Databases on the server of the settings, all named ``bench_<process>_…``.

    Nothing else on the server is touched. A context manager: at the end they are gone, and so is
    ``folder``, where the legacy files lie.
    """

    def __init__(self) -> None:
        self._prefix = f"bench_{os.getpid()}"
        self._made: list[str] = []
        self._files = tempfile.TemporaryDirectory(prefix="carryover-bench-")
        self.folder = Path(self._files.name)

    def __enter__(self) -> Databases:
        return self

    def __exit__(
        self,
        exception: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in reversed(self._made):
            self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._files.cleanup()

    def migrated(self) -> str:
        """The template with all tables, indexes, constraints and triggers, and no rows."""
        return self._template("empty", None)

    def staged(self, file: Path) -> str:
        """A template with the rows of a legacy file staged."""
        return self._template(file.stem, file)

    def prepared(self, name: str, task: str, **arguments: Any) -> str:
        """A template that ``task`` of `tests.benchmarks.tasks` has filled."""
        template = f"{self._prefix}_{name}"
        if template not in self._made:
            self._create(template, self.migrated())
            self._python(
                "-m", "tests.benchmarks.tasks", task, json.dumps(arguments), database=template
            )
            self._settle(template)
        return template

    def legacy_file(self, rows: int) -> Path:
        """A generated file of the old guarantee system; the same for the same number of rows."""
        path = self.folder / f"guarantees_{rows}.sqlite"
        if not path.exists():
            self._python(
                "manage.py", "generate_legacy", "guarantees", "--rows", rows, "--out", path
            )
        return path

    def commanded(self, name: str, *commands: Sequence[object]) -> str:
        """A template in which commands of ``manage.py`` were run after the migrations."""
        template = f"{self._prefix}_{name}"
        if template not in self._made:
            self._create(template, self.migrated())
            for command in commands:
                self._python("manage.py", *command, database=template)
            self._settle(template)
        return template

    def _template(self, name: str, file: Path | None) -> str:
        template = f"{self._prefix}_{name}"
        if template not in self._made:
            if file is None:
                self._create(template, "template0")
                self._python("manage.py", "migrate", "--verbosity", 0, database=template)
            else:
                self._create(template, self.migrated())
                self._python(
                    "manage.py", "import_legacy", "guarantees", file, "--json", database=template
                )
            self._settle(template)
        return template

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """A fresh copy, dropped afterwards."""
        name = f"{self._prefix}_copy"
        self._create(name, template)
        with suppress(DatabaseError):  # for a superuser: everybody starts with an empty log
            self._admin("CHECKPOINT")
        try:
            yield name
        finally:
            self._admin(f'DROP DATABASE "{name}" WITH (FORCE)')
            self._made.remove(name)

    def contend(self, template: str, task: str, **arguments: Any) -> dict[str, Any]:
        """What ``task`` of `tests.benchmarks.tasks` answers, in a process and copy of its own."""
        with self.copy(template) as name:
            out = self._python(
                "-m", "tests.benchmarks.tasks", task, json.dumps(arguments), database=name
            )
        answer: dict[str, Any] = json.loads(out.splitlines()[-1])
        return answer

    def _create(self, name: str, template: str) -> None:
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._made.append(name)

    def _settle(self, name: str) -> None:
        """Statistics and visibility as after a while, so that no contender pays for them."""
        self._python("-m", "tests.benchmarks.tasks", "settle", "{}", database=name)

    def _admin(self, statement: str) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(statement)

    def _python(self, *arguments: object, database: str | None = None) -> str:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": _url(connection.settings_dict, database or self._prefix),
            "SECRET_KEY": settings.SECRET_KEY,
            "CARRYOVER_HTTPS": "false",
            "LOG_LEVEL": "WARNING",
        }
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ContenderFailed(f"{' '.join(map(str, arguments))}: {done.stderr.strip()[-2000:]}")
        return done.stdout


def _url(database: dict[str, Any], name: str) -> str:
    """The database as DATABASE_URL names it; a socket's folder goes before the database's name."""
    user, password, host = (quote(database[key], safe="/") for key in ("USER", "PASSWORD", "HOST"))
    if host.startswith("/"):
        host, name = "", f"{host}/{name}"
    return f"postgres://{user}:{password}@{host}:{database['PORT'] or 5432}/{name}"
