"""Data migrations as a part of ``migrate``."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from guarantees.models import Guarantee, ImportedRecord, ImportSession
from migrations_tools import checks, requirements
from migrations_tools.exceptions import CarryoverError, DataMigrationUnfinished
from migrations_tools.models import Run
from migrations_tools.operations import RunDataMigration
from migrations_tools.requirements import requires_data_migration
from migrations_tools.services import runs, verification
from migrations_tools.services.actors import system_user
from tests.shop.models import LegacyOrder, Order

pytestmark = pytest.mark.django_db(transaction=True)

DAY = datetime.date(2025, 5, 1)
WHO: dict[str, Any] = {"surface": "command"}


def stage(count: int, **values: Any) -> None:
    first = LegacyOrder.objects.count()
    LegacyOrder.objects.bulk_create(
        LegacyOrder(**{"number": f"B{first + n}", "day": DAY, "total": "1", **values})
        for n in range(count)
    )


def forwards(name: str = "carry_orders", *, atomic: bool = False, **arguments: Any) -> None:
    operation = RunDataMigration(name, **arguments)
    with connection.schema_editor(atomic=atomic) as editor:
        operation.database_forwards("shop", editor, ProjectState(), ProjectState())


def backwards(name: str = "carry_orders") -> None:
    with connection.schema_editor(atomic=False) as editor:
        RunDataMigration(name).database_backwards("shop", editor, ProjectState(), ProjectState())


def test_an_empty_source_needs_nothing():
    forwards()
    assert not Run.objects.exists()


def test_a_small_migration_is_carried_over_and_verified():
    stage(5)
    forwards()
    (run,) = Run.objects.filter(kind="apply")
    assert (run.state, run.verification_state, run.reason) == (
        "completed",
        "passed",
        "schema migration",
    )
    assert Order.objects.count() == 5
    forwards()
    assert Run.objects.filter(kind="apply").count() == 1


def test_a_large_one_is_refused_until_its_run_is_completed_and_verified():
    stage(5)
    with pytest.raises(CarryoverError, match="datamigrate run carry_orders") as refused:
        forwards(largest=4)
    assert refused.value.fields == {"migration": "carry_orders", "keys": 5}
    assert not Run.objects.exists()
    run = runs.start_run("carry_orders", acting_user=system_user(), **WHO)
    assert run is not None
    runs.work_run(run)
    with pytest.raises(CarryoverError, match=f"datamigrate verify {run.pk}"):
        forwards(largest=4)
    verification.verify_run(run, acting_user=system_user(), **WHO)
    forwards(largest=4)
    assert Run.objects.filter(kind="apply").count() == 1


def test_quarantined_keys_are_work_for_people_and_do_not_hold_migrate_up():
    stage(4)
    stage(1, day=None)
    forwards()
    forwards()
    (run,) = Run.objects.filter(kind="apply")
    assert run.ledger.filter(outcome="quarantined").count() == 1


def test_rows_that_come_later_are_carried_over_by_the_next_migrate():
    stage(3)
    forwards()
    stage(2)
    forwards()
    assert Order.objects.count() == 5


def test_a_failing_verification_stops_migrate():
    stage(3)
    forwards()
    LegacyOrder.objects.filter(number="B1").update(order=None)
    Run.objects.update(verification_state="none")
    with pytest.raises(CarryoverError, match=r"verification of run .* failed"):
        forwards()


def test_backwards_rolls_every_run_back():
    stage(3)
    forwards()
    stage(2)
    forwards()
    backwards()
    assert not Order.objects.exists()
    assert set(Run.objects.filter(kind="apply").values_list("state", flat=True)) == {"rolled_back"}


def test_backwards_is_refused_while_conflicts_remain():
    stage(3)
    forwards()
    Order.objects.filter(number="B1").update(total="99")
    with pytest.raises(CarryoverError, match="--force"):
        backwards()
    assert [order.number for order in Order.objects.all()] == ["B1"]


def test_an_atomic_migration_is_refused():
    stage(1)
    with pytest.raises(CarryoverError, match="atomic = False"):
        forwards(atomic=True)
    assert not Run.objects.exists()


def test_it_is_written_into_migrations():
    written, imports = MigrationWriter.serialize(RunDataMigration("carry_orders", largest=5))
    assert "".join(written.split()) == (
        "migrations_tools.operations.RunDataMigration(name='carry_orders',largest=5,)"
    )
    assert imports == {"import migrations_tools.operations"}
    assert RunDataMigration("carry_orders").describe() == "Carry staged rows over with carry_orders"


def test_migrate_carries_the_staged_records_of_the_department_over_and_back():
    session = ImportSession.objects.create(session_type="manual")
    ImportedRecord.objects.create(
        session=session, guarantee_number="G-1", amount="10", created_at="2025-05-01 10:00:00"
    )
    try:
        call_command("migrate", "guarantees", "0003", verbosity=0)
        assert not Guarantee.objects.exists()
        call_command("migrate", "guarantees", verbosity=0)
        assert [guarantee.number for guarantee in Guarantee.objects.all()] == ["G-1"]
        call_command("migrate", "guarantees", "0003", verbosity=0)
        assert not Guarantee.objects.exists()
    finally:
        ImportedRecord.objects.all().delete()
        call_command("migrate", "guarantees", verbosity=0)


# ------------------------------------------------------------------------------------ checks


def _loader(**migrations: list[Any]) -> Any:
    """A loader of the app ``shop`` with these migrations, one after the other."""
    loader = MigrationLoader(None)
    (previous,) = loader.graph.leaf_nodes("shop")
    for name, operations in migrations.items():
        migration: Any = Migration(name, "shop")
        migration.atomic = False
        migration.dependencies = [previous, *loader.graph.leaf_nodes("migrations_tools")]
        migration.operations = operations
        loader.disk_migrations[("shop", name)] = migration
        loader.graph.add_node(("shop", name), migration)
        loader.graph.add_dependency(migration, ("shop", name), previous)
        previous = ("shop", name)
    return loader


def _ids(loader: Any, number: str) -> list[str]:
    migration = loader.disk_migrations["shop", number]
    operation = migration.operations[0]
    return [str(found.id) for found in checks._check_operation(loader, migration, operation)]


def test_the_shipped_migrations_are_in_order():
    assert checks.check_operations() == []


def test_a_schema_change_after_the_operation_is_an_error():
    assert _ids(_loader(m2=[RunDataMigration("carry_orders")]), "m2") == []
    loader = _loader(m2=[RunDataMigration("carry_orders")], m3=[])
    assert _ids(loader, "m2") == ["migrations_tools.E022"]


def test_an_unknown_name_atomicity_and_a_missing_dependency_are_errors():
    loader = _loader(m2=[RunDataMigration("carry_nothing")])
    loader.disk_migrations["shop", "m2"].atomic = True
    loader.disk_migrations["shop", "m2"].dependencies = []
    assert _ids(loader, "m2") == [
        "migrations_tools.E020",
        "migrations_tools.E021",
        "migrations_tools.E023",
    ]


# ------------------------------------------------------------------------------------ guards


@pytest.fixture
def guarded(monkeypatch):
    """A function that needs the shop's orders."""
    monkeypatch.setattr(requirements, "guarded", {})
    monkeypatch.setattr(checks, "guarded", requirements.guarded)
    monkeypatch.setattr(requirements, "_done_until", {})

    def guard(name: str) -> Any:
        return requires_data_migration(name)(lambda: "done")

    return SimpleNamespace(guard=guard)


def test_guarded_code_works_once_the_data_is_there(guarded):
    count = guarded.guard("carry_orders")
    stage(2)
    with pytest.raises(DataMigrationUnfinished, match="2 keys of carry_orders"):
        count()
    assert [found.id for found in checks.check_guarded_data(["default"])] == [
        "migrations_tools.W025"
    ]
    forwards()
    assert count() == "done"
    assert checks.check_guarded_data(["default"]) == []


def test_a_guard_of_an_unknown_migration_is_an_error(guarded):
    guarded.guard("carry_nothing")
    (error,) = checks.check_guards()
    assert error.id == "migrations_tools.E024"
