"""Warnings of one document, gathered so that each code is told once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from migrations_tools.definitions import Warning_

_TOLD: Final = 5  # details of one code

#: What the warnings of a code have in common, in words.
SENTENCES: Final = {
    "answer_conflict": "Two sources give different answers for",
    "bad_flag": "Neither true nor false:",
    "bad_number": "No usable number:",
    "bad_timestamp": "No point in time:",
    "missing_created_at": "The document does not say when it was made;",
    "number_mismatch": "Id and number name different problems:",
    "score_mismatch": "The score is not the number of correct attempts:",
    "session_id_shared": "Another user has a session of this id too:",
    "unknown_status": "No status of a contest session:",
    "unresolved_problem": "No problem of the bank was found for",
}


class Notes:
    """Details by code, in the order of first mention."""

    __slots__ = ("_details",)

    def __init__(self) -> None:
        self._details: dict[str, list[str]] = {}

    def add(self, code: str, detail: str) -> None:
        self._details.setdefault(code, []).append(detail)

    def __iter__(self) -> Iterator[str]:
        return iter(self._details)

    def warnings(self) -> list[Warning_]:
        """One warning for each code, with the first of its details."""
        return [Warning_(code, _sentence(code, told)) for code, told in self._details.items()]


def _sentence(code: str, details: list[str]) -> str:
    more = f" and {len(details) - _TOLD} more" if len(details) > _TOLD else ""
    return f"{SENTENCES[code]} {', '.join(details[:_TOLD])}{more}."
