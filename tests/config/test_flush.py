"""Tests that commit get the newly migrated database back afterwards (tests/database.py)."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from tests.database import MOST_BYTES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def guarded_table() -> Iterator[None]:
    """A table that refuses DELETE, always, as the product's append-only tables do."""
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE TABLE guarded (id bigint GENERATED ALWAYS AS IDENTITY);
            CREATE FUNCTION guarded_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'append-only' USING ERRCODE = 'integrity_constraint_violation';
            END $$;
            CREATE TRIGGER guarded_delete BEFORE DELETE ON guarded
                FOR EACH ROW EXECUTE FUNCTION guarded_refuse();
            ALTER TABLE guarded ENABLE ALWAYS TRIGGER guarded_delete;
            INSERT INTO guarded DEFAULT VALUES;
        """)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE guarded; DROP FUNCTION guarded_refuse")


def flush() -> None:
    call_command("flush", interactive=False, verbosity=0)


def test_flush_passes_a_trigger_and_leaves_it_enabled_always(guarded_table: None) -> None:
    flush()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM guarded")
        assert cursor.fetchone() == (0,)
        cursor.execute("INSERT INTO guarded DEFAULT VALUES")
        cursor.execute("SET session_replication_role = replica")
    try:
        with pytest.raises(IntegrityError), connection.cursor() as cursor:
            cursor.execute("DELETE FROM guarded")
    finally:
        connection.close()


def test_flush_brings_back_the_rows_of_the_newly_migrated_database() -> None:
    permissions = set(Permission.objects.values_list("pk", "codename"))
    assert permissions
    User.objects.create(username="left-over")
    Group.objects.create(name="left-over")
    Permission.objects.filter(codename="add_user").delete()

    flush()

    assert not User.objects.filter(username="left-over").exists()
    assert not Group.objects.filter(name="left-over").exists()
    assert set(Permission.objects.values_list("pk", "codename")) == permissions


def test_what_a_large_test_left_is_cleared_away() -> None:
    now = timezone.now()
    Session.objects.bulk_create(
        Session(session_key=f"{n}", session_data="x" * 100, expire_date=now) for n in range(2_000)
    )

    flush()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('django_session') < %s", [MOST_BYTES])
        assert cursor.fetchone() == (True,)
