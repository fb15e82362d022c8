"""What counts as nothing in the legacy values of sessions."""

from __future__ import annotations

from typing import Any, Final

#: What is cut off around names and numbers; the checks of the migrations cut the same.
WHITE_SPACE: Final = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())


def is_blank(value: Any) -> bool:
    """Missing, null, or text of white space."""
    return value is None or (isinstance(value, str) and not value.strip(WHITE_SPACE))
