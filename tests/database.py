"""How the test database is brought back to its first state between tests that commit.

Django does it with TRUNCATE of every table, which the product's append-only triggers refuse, which
takes away the rows that migrations made, and which makes some hundreds of files anew each time.
Here the tables that a test changed are emptied, without triggers and foreign keys, and the rows of
migrations come back from copies taken when the database was new.
"""

from collections.abc import Sequence

from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

#: Bytes of a table above which deleted rows are cleared away: later tests would read through them.
MOST_BYTES = 128 * 1024

_BASELINE = """
    DROP SCHEMA IF EXISTS baseline CASCADE;
    CREATE SCHEMA baseline;

    CREATE FUNCTION baseline.tables() RETURNS TABLE (name text, columns text) LANGUAGE sql AS $$
        SELECT relname::text,
               string_agg(format('%I', attname), ', ' ORDER BY attnum)
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
          AND relname <> 'django_migrations' AND pg_relation_size(pg_class.oid) > 0
        GROUP BY relname
    $$;

    CREATE FUNCTION baseline.take() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        found record;
        filled boolean;
    BEGIN
        FOR found IN SELECT * FROM baseline.tables() LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', found.name) INTO filled;
            IF filled THEN
                EXECUTE format('CREATE TABLE baseline.%1$I AS SELECT %2$s FROM public.%1$I',
                               found.name, found.columns);
            END IF;
        END LOOP;
    END $$;

    -- Row triggers and foreign keys are silent in the role of a replica, but those that are
    -- enabled always.
    CREATE FUNCTION baseline.refill(name text, columns text, kept boolean) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        guard name;
        guards name[] := array(
            SELECT tgname FROM pg_trigger
            WHERE tgrelid = format('public.%I', name)::regclass AND tgenabled = 'A'
        );
    BEGIN
        FOREACH guard IN ARRAY guards LOOP
            EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER %I', name, guard);
        END LOOP;
        EXECUTE format('DELETE FROM public.%I', name);
        IF kept THEN
            EXECUTE format('INSERT INTO public.%1$I (%2$s) OVERRIDING SYSTEM VALUE '
                           'SELECT %2$s FROM baseline.%1$I', name, columns);
        END IF;
        FOREACH guard IN ARRAY guards LOOP
            EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER %I', name, guard);
        END LOOP;
    END $$;

    CREATE FUNCTION baseline.restore() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        found record;
        kept boolean;
        changed boolean;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR found IN SELECT * FROM baseline.tables() LOOP
            kept := to_regclass(format('baseline.%I', found.name)) IS NOT NULL;
            IF kept THEN
                EXECUTE format(
                    'SELECT EXISTS ((SELECT %2$s FROM public.%1$I EXCEPT ALL '
                    'SELECT %2$s FROM baseline.%1$I) UNION ALL (SELECT %2$s FROM baseline.%1$I '
                    'EXCEPT ALL SELECT %2$s FROM public.%1$I))',
                    found.name, found.columns
                ) INTO changed;
            ELSE
                EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', found.name) INTO changed;
            END IF;
            IF changed THEN
                PERFORM baseline.refill(found.name, found.columns, kept);
            END IF;
        END LOOP;
        SET LOCAL session_replication_role = origin;
    END $$;

    SELECT baseline.take();
"""

_LARGE = """
    SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > %s
"""


def do_not_wait_for_the_disk() -> None:
    """The tests' own server holds nothing that has to survive a crash of the machine."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET fsync = off")
        cursor.execute("SELECT pg_reload_conf()")


def take_baseline() -> None:
    """Copy the rows that a newly migrated database has."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BASELINE)


def execute_sql_flush(operations: DatabaseOperations, sql_list: Sequence[str]) -> None:
    """Django's flush, in place of `DatabaseOperations.execute_sql_flush`.

    Needs a superuser. Sequences go on, as with Django's flush.
    """
    with operations.connection.cursor() as cursor:
        cursor.execute("SELECT baseline.restore()")
        cursor.execute(_LARGE, [MOST_BYTES])
        (large,) = cursor.fetchone()
        if large:
            cursor.execute(f"VACUUM {large}")
