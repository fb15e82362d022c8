"""How long the engine's transactions may wait and stand idle: the migration is the victim."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

#: Length of a lease in seconds (database time).
LEASE_SECONDS = 30.0
#: A data transaction waits this long for a lock, in milliseconds: less than the server's
#: deadlock_timeout (one second unless somebody set it), so that in a deadlock with the application
#: the migration has given up before the server looks for a victim on the application's behalf.
LOCK_TIMEOUT_MS = 800
#: Where the role may set it, the migration looks for deadlocks itself, and sooner.
DEADLOCK_TIMEOUT_MS = 50
STATEMENT_TIMEOUT_MS = 120_000
#: Bookkeeping (claims, changes of state) waits longer: it is short itself.
SHORT_LOCK_TIMEOUT_MS = 10_000
#: What a page out of turn costs the planner, against 1 for the next one: the rows that a batch
#: writes have just been read and locked, so they are in memory. With the server's own 4, meant for
#: disks, a batch reads a table of some hundred thousand rows from end to end for each statement.
RANDOM_PAGE_COST = 1.1


def lease_seconds() -> float:
    """Length of a lease in seconds; tests shorten it by the environment."""
    return float(os.environ.get("CARRYOVER_LEASE_SECONDS", LEASE_SECONDS))


def limit_data_transaction() -> None:
    """Short waits for locks, and plans for rows in memory, for this transaction only."""
    with connection.cursor() as cursor:
        _set_local(
            cursor,
            lock_timeout=LOCK_TIMEOUT_MS,
            statement_timeout=STATEMENT_TIMEOUT_MS,
            random_page_cost=RANDOM_PAGE_COST,
        )
        _be_the_victim(cursor)


@contextmanager
def short_transaction() -> Iterator[None]:
    """A transaction of bookkeeping.

    A process that freezes within it is cut off by the server after a lease, so that it does not
    keep the run locked for everybody else.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            _set_local(
                cursor,
                lock_timeout=SHORT_LOCK_TIMEOUT_MS,
                idle_in_transaction_session_timeout=round(lease_seconds() * 1_000),
            )
        yield


def limit_side_transaction(cursor: Any) -> None:
    """For the second connection: it stands beside a data transaction that holds locks."""
    _set_local(
        cursor,
        lock_timeout=LOCK_TIMEOUT_MS,
        statement_timeout=STATEMENT_TIMEOUT_MS,
        idle_in_transaction_session_timeout=round(lease_seconds() * 1_000),
    )
    _be_the_victim(cursor)


def _be_the_victim(cursor: Any) -> None:
    """Find a deadlock before the application does: whoever finds it is its victim.

    Only superusers and roles with the privilege SET on the parameter may (PostgreSQL 15).
    """
    cursor.execute(
        "SELECT set_config('deadlock_timeout', %s, true) "
        "WHERE has_parameter_privilege('deadlock_timeout', 'SET')",
        [str(DEADLOCK_TIMEOUT_MS)],
    )


def _set_local(cursor: Any, **settings: float) -> None:
    """Settings of this transaction; times are in milliseconds."""
    # temporary tables that are there already are no news
    wanted = {"client_min_messages": "warning", **settings}
    calls = ", ".join("set_config(%s, %s, true)" for _ in wanted)
    cursor.execute(f"SELECT {calls}", [str(part) for pair in wanted.items() for part in pair])
