"""What no text of PostgreSQL can hold: NUL, and lone surrogates."""

from __future__ import annotations

import re

_LOST = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> bool:
    """Whether a text of the database can be this one."""
    return not _LOST.search(text)


def storable_text(text: str) -> str:
    """``text`` with a replacement character for what no column can hold; for display."""
    return _LOST.sub("\ufffd", text)
