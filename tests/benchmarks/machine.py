"""What a table of figures says of the machine it was measured on; no names, no paths."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime

from django.db import connection


def machine_facts() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('shared_buffers'), "
            "current_setting('synchronous_commit')"
        )
        version, buffers, synchronous = cursor.fetchone()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return [
        f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), "
        f"{memory / 2**30:.0f} GB of memory, client and server on one machine",
        f"PostgreSQL {version} (shared_buffers {buffers}, synchronous_commit {synchronous}), "
        f"Python {platform.python_version()} on {sys.platform}",
    ]


def load() -> float:
    """Processes that want a core, on average over the last minute."""
    return os.getloadavg()[0]
