"""Begin a data migration: a module that runs as it stands, and its tests."""

from __future__ import annotations

import keyword
import re
from argparse import ArgumentParser
from pathlib import Path
from string import Template
from typing import Any

from django.apps import AppConfig, apps

from migrations_tools.definitions.registry import all_definitions
from migrations_tools.exceptions import CarryoverError
from migrations_tools.management.base import ExitCode
from migrations_tools.management.datamigrate.base import Answer, Subcommand
from migrations_tools.models import StagedRow

_MODULE = Template('''\
"""Rows of ``$source`` become … (say what)."""

from __future__ import annotations

from typing import Any

from migrations_tools.definitions import DataMigration, Outcome, Reject, RowSource, register
from $models import $source


@register
class $definition(DataMigration):
    """Rows of ``$source`` become … (the first line is what ``datamigrate list`` shows)."""

    version = 1
    source = RowSource($source)
    writes = [$source]  # and every other model whose rows transform asks to change

    def transform(self, row: Any, context: Any) -> Outcome:
        raise Reject("not_decided", "transform does not say yet what becomes of this row.")
''')

_TESTS = Template('''\
"""``$name``: it is pure, it can be taken back, and no crash loses or doubles anything."""

import pytest
from migrations_tools.testing import assert_crash_safe, assert_pure, assert_reversible
from $models import $source


@pytest.fixture
def staged(transactional_db: None) -> None:
    """Rows of every kind that the old system has, enough for several batches."""
    $source.objects.bulk_create([])


def test_it_is_pure_and_reversible(staged: None) -> None:
    assert_pure("$name")
    assert_reversible("$name")


def test_no_crash_loses_or_doubles_anything(staged: None) -> None:
    assert_crash_safe("$name")
''')


class New(Subcommand):
    name = "new"
    help = "Begin a data migration: write a module that runs as it stands, and its tests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("migration", metavar="NAME", help="Such as move_orders.")
        parser.add_argument(
            "--app", metavar="LABEL", help="The app it lives in; else the first that has some."
        )
        parser.add_argument(
            "--source", metavar="MODEL", help="What it reads; else the app's first staged rows."
        )

    def execute(self, **options: Any) -> Answer:
        name = _new_name(options["migration"])
        app = _app(options["app"])
        words = {
            "name": name,
            "definition": "".join(word.capitalize() for word in name.split("_")),
            "source": _model_name(app, options["source"]),
            "models": f"{app.name}.models",
        }
        folder = Path(app.path)
        if (folder / "data_migrations.py").exists():
            raise CarryoverError(
                f"{folder / 'data_migrations.py'} is a module: make it a package, and import its "
                "definitions in its __init__.py.",
                code="no_package",
            )
        package = folder / "data_migrations"
        module, tests = package / f"{name}.py", _tests_folder(folder) / f"test_{name}.py"
        for file in (module, tests):
            if file.exists():
                raise CarryoverError(f"{file} exists already.", code="file_exists")
        try:
            package.mkdir(exist_ok=True)
            module.write_text(_MODULE.substitute(words), encoding="utf-8")
            tests.write_text(_TESTS.substitute(words), encoding="utf-8")
            _import_in(package / "__init__.py", f"from {app.name}.data_migrations import {name}")
        except OSError as error:
            raise CarryoverError(
                f"The new files cannot be written: {error}", code="not_written"
            ) from error
        return {"migration": name, "files": [str(module), str(tests)]}, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        module, tests = answer["files"]
        self.stdout.write(f"{module}: say in transform what becomes of a row.")
        self.stdout.write(f"{tests}: stage rows of every kind.")
        self.stdout.write(f"Then: manage.py datamigrate plan {answer['migration']}")


def _import_in(package_file: Path, line: str) -> None:
    """Add the line to a package, whose last line may lack its end."""
    before = package_file.read_text(encoding="utf-8") if package_file.exists() else ""
    gap = "\n" if before and not before.endswith("\n") else ""
    name = line.rpartition(" ")[2]
    package_file.write_text(f"{before}{gap}{line} as {name}\n", encoding="utf-8")


def _new_name(text: str) -> str:
    well_made = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*", text)
    if not well_made or keyword.iskeyword(text):
        raise CarryoverError(
            f"“{text}” is no name: use small letters, digits and _, such as move_orders.",
            code="bad_name",
        )
    if text in {definition.name for definition in all_definitions()}:
        raise CarryoverError(f"There is a data migration {text} already.", code="name_taken")
    return text


def _app(label: str | None) -> AppConfig:
    """The app called ``label``, or the first one of the project that has data migrations."""
    if label is not None:
        try:
            return apps.get_app_config(label)
        except LookupError:
            known = ", ".join(sorted(config.label for config in apps.get_app_configs()))
            raise CarryoverError(
                f"There is no app “{label}”. Installed are: {known}.", code="unknown_app"
            ) from None
    for config in apps.get_app_configs():
        if (Path(config.path) / "data_migrations" / "__init__.py").exists():
            return config
    raise CarryoverError("No app has data migrations yet: name one with --app.", code="unknown_app")


def _model_name(app: AppConfig, name: str | None) -> str:
    """The model called ``name``, or the first of the app that holds staged rows, or any."""
    models = list(app.get_models())
    if name is None:
        models.sort(key=lambda model: not issubclass(model, StagedRow))
    else:
        models = [model for model in models if model.__name__.lower() == name.lower()]
    if not models:
        known = ", ".join(sorted(model.__name__ for model in app.get_models())) or "none"
        raise CarryoverError(
            f"The app {app.label} has no model “{name or ''}”, only {known}.", code="unknown_model"
        )
    return models[0].__name__


def _tests_folder(app: Path) -> Path:
    """The app's package of tests, or the app itself."""
    return app / "tests" if (app / "tests").is_dir() else app
