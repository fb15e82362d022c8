"""Tests that commit get the newly migrated database back afterwards (tests/database.py)."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from tests.database import truncate_triggers_disabled

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def guarded_table():
    """A table that refuses TRUNCATE, always, as the product's append-only tables do."""
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE TABLE guarded (id bigint GENERATED ALWAYS AS IDENTITY);
            CREATE FUNCTION guarded_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'append-only' USING ERRCODE = 'integrity_constraint_violation';
            END $$;
            CREATE TRIGGER guarded_truncate BEFORE TRUNCATE ON guarded
                FOR EACH STATEMENT EXECUTE FUNCTION guarded_refuse();
            ALTER TABLE guarded ENABLE ALWAYS TRIGGER guarded_truncate;
            INSERT INTO guarded DEFAULT VALUES;
        """)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE guarded; DROP FUNCTION guarded_refuse")


def _enabled(cursor):
    cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'guarded_truncate'")
    return cursor.fetchone()[0]


def test_flush_passes_a_truncate_trigger_and_leaves_it_enabled_always(guarded_table):
    connection.ops.execute_sql_flush(["TRUNCATE guarded"])

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM guarded")
        assert cursor.fetchone()[0] == 0
        assert _enabled(cursor) == "A"
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("TRUNCATE guarded")


def test_a_flush_that_fails_leaves_the_trigger_as_it_was(guarded_table):
    def fail():
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            truncate_triggers_disabled(cursor),
        ):
            assert _enabled(cursor) == "D"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with connection.cursor() as cursor:
        assert _enabled(cursor) == "A"


def test_flush_brings_back_the_rows_of_the_newly_migrated_database():
    permissions = set(Permission.objects.values_list("pk", "codename"))
    assert permissions
    User.objects.create(username="left-over")
    Group.objects.create(name="left-over")

    call_command("flush", interactive=False, verbosity=0)

    assert not User.objects.filter(username="left-over").exists()
    assert not Group.objects.filter(name="left-over").exists()
    assert permissions <= set(Permission.objects.values_list("pk", "codename"))
