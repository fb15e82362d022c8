"""Named places where a test stops the process: killed or frozen.

Nothing happens unless the environment variable ``CARRYOVER_FAILPOINT`` says ``name:action`` or
``name:action:count`` (the count-th time the place is reached). Actions: ``kill`` (SIGKILL)
and ``stop`` (SIGSTOP).
"""

from __future__ import annotations

import os
import signal

#: Every fail-point of a batch, in the order they are passed.
BATCH_FAILPOINTS = (
    "claimed",
    "locked",
    "transformed",
    "ensured",
    "written",
    "ledger_written",
    "before_done",
    "before_commit",
    "committed",
)

#: Fail-points of the close of a run, in order.
CLOSE_FAILPOINTS = ("closing", "sealed", "closed")

#: An import is read and written, and not committed yet.
IMPORT_FAILPOINT = "imported"

#: The environment variable that names one.
VARIABLE = "CARRYOVER_FAILPOINT"

_reached: dict[str, int] = {}


def reset() -> None:
    """Count anew: in a process that was forked."""
    _reached.clear()


def failpoint(name: str) -> None:
    """Pass the place ``name``."""
    setting = os.environ.get(VARIABLE)
    if not setting:
        return
    wanted, action, *rest = setting.split(":")
    if wanted != name:
        return
    _reached[name] = _reached.get(name, 0) + 1
    if _reached[name] != int(rest[0] if rest else 1):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
