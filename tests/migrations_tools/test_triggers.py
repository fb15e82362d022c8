import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from migrations_tools.triggers import check_triggers, expected_triggers

pytestmark = pytest.mark.django_db

TABLE, NAME = "guarantees_guaranteeaction", "guarantees_action_locked"


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_migrated_database_has_the_triggers_of_its_migrations():
    assert NAME in expected_triggers(connection)
    assert check_triggers(["default"]) == []


@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        (f"DROP TRIGGER {NAME} ON {TABLE}", "is missing"),
        (f"ALTER TABLE {TABLE} DISABLE TRIGGER {NAME}", "is not enabled always"),
        (f"ALTER TABLE {TABLE} ENABLE TRIGGER {NAME}", "is not enabled always"),
        (
            f"CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql "
            "SET search_path = public, pg_temp AS 'BEGIN RETURN OLD; END'",
            "calls another function",
        ),
        (f"ALTER FUNCTION {NAME}() RESET search_path", "calls another function"),
        (
            f"DROP TRIGGER {NAME} ON {TABLE}; CREATE TRIGGER {NAME} AFTER UPDATE ON {TABLE} "
            f"FOR EACH ROW WHEN (OLD.is_locked) EXECUTE FUNCTION {NAME}(); "
            f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {NAME}",
            "fires at other events",
        ),
    ],
)
def test_a_changed_trigger_is_an_error_that_names_its_migration(damage, difference):
    execute(damage)
    (error,) = check_triggers(["default"])
    assert error.id == "migrations_tools.E010"
    assert error.msg == f"The trigger {NAME} on {TABLE} {difference}."
    assert "sqlmigrate guarantees 0002_locked_actions" in str(error.hint)


def test_the_system_check_finds_it():
    execute(f"DROP TRIGGER {NAME} ON {TABLE}")
    with pytest.raises(SystemCheckError, match=NAME):
        call_command("check", databases=["default"])


def test_triggers_of_migrations_not_applied_are_not_expected():
    execute(f"DROP TRIGGER {NAME} ON {TABLE}")
    MigrationRecorder(connection).record_unapplied("guarantees", "0002_locked_actions")
    assert check_triggers(["default"]) == []


def test_no_database_asked_for_means_none_is_read(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert check_triggers(None) == []
