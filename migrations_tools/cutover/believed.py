"""What this process believes of the cutovers: for reads, what it read some seconds ago."""

from __future__ import annotations

import time
from typing import Final

from migrations_tools.models.cutover import Cutover

#: Seconds for which a process believes what it read of a cutover, for reads.
BELIEVED_SECONDS: Final = 5.0

_believed: dict[str, tuple[float, Cutover]] = {}


def current(key: str) -> Cutover:
    """The cutover as it was at most five seconds ago; one that nobody began is off."""
    known = _believed.get(key)
    now = time.monotonic()
    if known is not None and now - known[0] < BELIEVED_SECONDS:
        return known[1]
    found = Cutover.objects.filter(key=key).first() or Cutover(key=key)
    _believed[key] = (now, found)
    return found


def forget(key: str) -> None:
    """Read the cutover again: it was changed here."""
    _believed.pop(key, None)
