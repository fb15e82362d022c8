"""A second connection beside the data transaction: shared objects, records of dry runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

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


@contextmanager
def side_connection() -> Iterator[BaseDatabaseWrapper]:
    """A transaction of its own on the side connection, committed at the end."""
    side = _side()
    side.close_if_health_check_failed()
    side.set_autocommit(False)
    try:
        yield side
        side.commit()
    except BaseException:
        side.rollback()
        raise
    finally:
        if side.connection is not None:
            side.set_autocommit(True)


def close_side_connection() -> None:
    """Close this thread's side connection, if there is one."""
    found: BaseDatabaseWrapper | None = getattr(_local, "connection", None)
    if found is not None:
        found.close()
        _local.connection = None
