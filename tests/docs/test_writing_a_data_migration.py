"""docs/writing-a-data-migration.md: its code is run as it stands there."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader

from migrations_tools import checks, triggers
from migrations_tools.definitions import Outcome, outcomes, registry
from migrations_tools.operations import LARGEST_INLINE
from tests.docs.console import blocks, commands, document, run, section, table
from tests.shop import data_migrations, models
from tests.shop.models import DayBook, LegacyOrder, Order

TEXT = document("docs/writing-a-data-migration.md")


def written(name: str, text: str = TEXT) -> str:
    """The code of the example's file of that name; its app is the test's shop."""
    head = f"# shop/{name}\n"
    (found,) = [block for block in blocks(text, "python") if block.startswith(head)]
    return found.removeprefix(head)


def as_test(code: str) -> str:
    """The models are those of the test's shop; the other modules are the example's own."""
    code = code.replace("from shop.models", "from tests.shop.models")
    return code.replace("from shop.", "from written_shop.")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The modules of the example, imported from files; afterwards they are forgotten."""
    monkeypatch.setattr(registry, "_definitions", dict(registry._definitions))
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "written_shop"
    package.mkdir()
    (package / "__init__.py").touch()
    example = TEXT.partition("\n---\n")[0]
    found = {}
    for name in ("data_migrations", "tests"):
        code = as_test(written(f"{name}.py", example))
        (package / f"{name}.py").write_text(code, encoding="utf-8")
        found[name] = importlib.import_module(f"written_shop.{name}")
    yield found
    for module in [name for name in sys.modules if name.startswith("written_shop")]:
        del sys.modules[module]


@pytest.mark.django_db(transaction=True)
def test_the_example_is_carried_over_and_back(practice: Path, shop: dict[str, ModuleType]) -> None:
    exec(as_test(written("some_data.py")), {})  # noqa: S102 - our own
    tasks = commands(section(TEXT, "5. From plan to rollback"))
    for command in tasks[:-1]:
        run(command)
    assert set(Order.objects.values_list("number", flat=True)) == {"A1", "A2", "A3"}
    assert list(DayBook.objects.order_by("day").values_list("orders", flat=True)) == [2, 1]
    run(tasks[-1])
    assert not Order.objects.exists()
    assert not DayBook.objects.exists()
    assert LegacyOrder.objects.filter(order=None).count() == 5


def test_its_test_passes(shop: dict[str, ModuleType]) -> None:
    tests = [call for name, call in vars(shop["tests"]).items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()


def test_its_models_are_those_of_the_shop() -> None:
    classes = written("models.py").split("\n\n\n")[1:]
    assert len(classes) == 2
    for text in classes:
        assert text.strip() in inspect.getsource(models)


def test_its_definition_of_one_step_is_that_of_the_shop() -> None:
    text = section(TEXT, "One step, and groups")
    assert written("data_migrations.py", text).strip() in inspect.getsource(data_migrations)


@pytest.mark.django_db(transaction=True)
def test_it_is_proved_as_it_says(
    shop: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the kills, which take a minute: tests of the engine do them."""
    exec(as_test(written("some_data.py")), {})  # noqa: S102 - our own
    killed: list[str] = []
    found: dict[str, Any] = {}
    exec(written("tests_under_faults.py"), found)  # noqa: S102 - our own
    found["assert_crash_safe"] = killed.append
    found["test_no_fault_harms_it"](None)
    assert killed == ["move_orders"]


def test_its_schema_migration_is_one_the_checks_accept() -> None:
    """Written for the test's shop, it runs what the shop's definition is called."""
    found: dict[str, Any] = {}
    exec(written("migrations/0002_move_orders.py"), found)  # noqa: S102 - our own
    migration = found["Migration"]
    (operation,) = migration.operations
    assert (operation.name, operation.largest) == ("move_orders", LARGEST_INLINE)
    assert not migration.atomic
    newest = MigrationLoader(None).graph.leaf_nodes("migrations_tools")
    assert set(newest) <= set(migration.dependencies)


def test_its_definition_with_reviews_is_that_of_the_shop() -> None:
    text = section(TEXT, "Reviews")
    assert written("data_migrations.py", text).strip() in inspect.getsource(data_migrations)


def test_it_names_every_answer_of_transform() -> None:
    named = {re.findall(r"\w+(?=\()", row[0])[0] for row in table(TEXT.partition("## What tr")[2])}
    assert named == {answer.__name__ for answer in Outcome.__args__} | {outcomes.Reject.__name__}


def test_it_names_every_system_check() -> None:
    ids = r"migrations_tools\.E\d+"
    source = inspect.getsource(checks) + inspect.getsource(triggers)
    assert set(re.findall(ids, TEXT)) == set(re.findall(ids, source))
