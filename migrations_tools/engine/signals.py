"""The database's own signs of strain, and when they ask the migration to wait (SPEC §2.3 "Load").

The migration is always the victim: it waits until the application is well again.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext_noop

_READ = """
SELECT
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
     AND backend_type = 'client backend' AND wait_event_type = 'Lock') AS lock_waiters,
    (SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)
     FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
     AND backend_type = 'client backend') AS longest_transaction_seconds,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
        / current_setting('max_connections')::numeric AS connections_share,
    (SELECT extract(epoch FROM max(replay_lag)) FROM pg_stat_replication) AS replica_lag_seconds,
    CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'usage')
        THEN current_setting('data_directory', true) END AS data_directory
"""

Signals = dict[str, float | None]


@dataclass(frozen=True)
class Limit:
    """A signal asks for a pause above ``most``, or below ``least``; ``sentence`` says so.

    ``written`` is how its value is written there.
    """

    sentence: str
    written: str
    most: float | None = None
    least: float | None = None

    def exceeded(self, value: float) -> bool:
        return (self.most is not None and value > self.most) or (
            self.least is not None and value < self.least
        )


#: Seconds, numbers, shares (0–1) and bytes. The setting CARRYOVER_LIMITS overrides single ones.
LIMITS: dict[str, Limit] = {
    "lock_waiters": Limit(
        gettext_noop("sessions that wait for locks: %(value)s"), "{:.0f}", most=20
    ),
    "longest_transaction_seconds": Limit(
        gettext_noop("a transaction is open for %(value)s s"), "{:.0f}", most=300
    ),
    "connections_share": Limit(
        gettext_noop("%(value)s of the connections are taken"), "{:.0%}", most=0.9
    ),
    "replica_lag_seconds": Limit(
        gettext_noop("a replica is %(value)s s behind"), "{:.0f}", most=30
    ),
    "free_disk_bytes": Limit(
        gettext_noop("only %(value)s bytes of disk are free"), "{:,.0f}", least=1_000_000_000
    ),
}


def read_signals() -> Signals:
    """The signals as they are now; None for one that cannot be read."""
    unreadable: Signals = dict.fromkeys(LIMITS)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_READ)
            names = [column.name for column in cursor.description]
            found: dict[str, Any] = dict(zip(names, cursor.fetchone(), strict=True))
    except DatabaseError:
        return unreadable
    folder = found.pop("data_directory")
    found["free_disk_bytes"] = _free_disk(folder)
    return unreadable | {
        name: None if value is None else float(value) for name, value in found.items()
    }


def _free_disk(folder: str | None) -> float | None:
    """Bytes free where the server keeps its data, if that is on this machine."""
    host = str(connection.settings_dict["HOST"])
    here = host in ("", "localhost", "127.0.0.1") or host.startswith("/")
    if not (folder and here and Path(folder).is_dir()):
        return None
    return float(shutil.disk_usage(folder).free)


def watched(signals: Signals) -> list[str]:
    """The signals that can be read; the others are not watched."""
    return sorted(name for name, value in signals.items() if value is not None)


def strain(signals: Signals, watching: list[str]) -> str:
    """Why to wait, in words; empty where nothing is strained.

    A watched signal that stopped being readable is a reason too.
    """
    for name in watching:
        limit = _limits().get(name)
        value = signals.get(name)
        if limit is None:
            continue
        if value is None:
            return gettext_noop("the signal %(name)s cannot be read any more") % {"name": name}
        if limit.exceeded(value):
            return limit.sentence % {"value": limit.written.format(value)}
    return ""


def _limits() -> Mapping[str, Limit]:
    overrides: Mapping[str, float] = getattr(settings, "CARRYOVER_LIMITS", {})
    limits = dict(LIMITS)
    for name, value in overrides.items():
        known = limits[name]
        limits[name] = (
            Limit(known.sentence, known.written, least=value)
            if known.least is not None
            else Limit(known.sentence, known.written, most=value)
        )
    return limits
