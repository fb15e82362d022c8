"""A second connection beside the data transaction: shared objects, records of dry runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from migrations_tools.engine.limits import limit_side_transaction

_local = threading.local()


def _side() -> BaseDatabaseWrapper:
    """One side connection per thread, to the same database as the default one."""
    found: BaseDatabaseWrapper | None = getattr(_local, "connection", None)
    if found is not None and found.settings_dict["NAME"] != connection.settings_dict["NAME"]:
        found.close()
        found = None
    if found is None:
        found = _local.connection = connection.copy()
    return found


def _begun() -> BaseDatabaseWrapper:
    """The side connection in a new transaction; opened again if it was lost while idle."""
    for last in (False, True):
        side = _side()
        try:
            side.set_autocommit(False)
            with side.cursor() as cursor:
                limit_side_transaction(cursor)
        except DatabaseError:
            close_side_connection()
            if last:
                raise
        else:
            return side
    raise AssertionError("unreachable")


@contextmanager
def side_connection() -> Iterator[BaseDatabaseWrapper]:
    """A transaction of its own on the side connection, committed at the end.

    It waits for locks no longer than the data transaction does: an application that waits for
    the data's locks and holds the side's is a deadlock the server cannot see. After an error
    the connection is closed, and the next use opens another.
    """
    side = _begun()
    try:
        yield side
        side.commit()
        side.set_autocommit(True)
    except BaseException:
        close_side_connection()
        raise


def close_side_connection() -> None:
    """Close this thread's side connection, if there is one."""
    found: BaseDatabaseWrapper | None = getattr(_local, "connection", None)
    if found is not None:
        _local.connection = None
        with suppress(DatabaseError):
            found.close()
