"""The faults of the old platform's rows, one for every rule that the migration has for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

Row = dict[str, Any]
RowDefect = Callable[[Row, Random], None]
SessionDefect = Callable[[list[Row], Random], None]


def _one_of(field: str, *values: Any) -> RowDefect:
    """A defect that puts one of ``values`` into a field."""

    def spoil(row: Row, rng: Random) -> None:
        row[field] = values[int(rng.random() * len(values))]

    return spoil


def _without(*fields: str) -> RowDefect:
    def spoil(row: Row, rng: Random) -> None:
        for field in fields:
            row.pop(field, None)

    return spoil


def _other_spelling(row: Row, rng: Random) -> None:
    """Upper case and blanks around an id; only UUIDs survive the case (R1)."""
    session_id = str(row["session_id"])
    row["session_id"] = f" {session_id.upper() if len(session_id) == 36 else session_id} "


def _garbage_address(field: str) -> RowDefect:
    garbage = _one_of(
        field, "not-an-address", "bob@", "@example.com", "two words@example.com", "a@b", 12345
    )

    def spoil(row: Row, rng: Random) -> None:
        if field in row:
            garbage(row, rng)

    return spoil


def _shouted_address(row: Row, rng: Random) -> None:
    for field in ("email", "invited_email"):
        if isinstance(row.get(field), str):
            row[field] = f" {row[field].upper()} "


def _self_invitation(row: Row, rng: Random) -> None:
    if "invited_email" in row:
        row["invited_email"] = row["email"]


def _text_date(row: Row, rng: Random) -> None:
    at = row.get("uploaded_at")
    if isinstance(at, datetime):
        spellings = (f"{at:%Y-%m-%dT%H:%M:%S.%f}Z", f"{at:%Y-%m-%d %H:%M:%S}", f"{at:%Y-%m-%d}")
        row["uploaded_at"] = spellings[int(rng.random() * len(spellings))]


#: R1 has more of them; a run pauses where too many keys are quarantined, so they are rare.
_NO_SESSION: Final = _one_of(
    "session_id", "", "undefined", "null", "NaN", None, "a b", "جلسة", "x" * 101, 1.5, [], {}
)

#: Faults of one row with their weights.
ROW_DEFECTS: Final[tuple[tuple[RowDefect, float], ...]] = (
    (_NO_SESSION, 0.1),  # R1
    (_other_spelling, 1),
    (_garbage_address("email"), 1),  # R2
    (_garbage_address("invited_email"), 1),  # R3: an orphan row
    (_without("email"), 0.5),
    (_shouted_address, 1),
    (_self_invitation, 1),
    (_without("name", "description"), 1),
    (_one_of("invited_email", "", None), 0.5),
    (_one_of("access", "boss", "", None, 1, "owner"), 1.5),  # R6
    (_without("access"), 1.5),
    (_one_of("access", "Edit ", "WRITE", "read", "Admin"), 1),
    (_one_of("uploaded_at", "garbage", "", "2025-02-30", {"$date": "soon"}, 12), 1),  # R8
    (_without("uploaded_at"), 1),
    (_text_date, 1),
    (_one_of("name", "Renamed", "تمت إعادة التسمية", "  ", 2025, ["N"], "n" * 300), 1.5),  # R9
    (_one_of("file_name", "", None, 5, "=1+1.xlsx"), 0.5),  # R10
)


def _creator_gone(rows: list[Row], rng: Random) -> None:
    """R4: the owner must be inferred; another row repeats instead."""
    if len(rows) > 1:
        rows[0] = {**rows[1], "_id": rows[0]["_id"], "uploaded_at": rows[0]["uploaded_at"]}


def _creators_address_gone(rows: list[Row], rng: Random) -> None:
    rows[0]["email"] = "unknown"


def _second_creator(rows: list[Row], rng: Random) -> None:
    """R5: ``multiple_creators``; sometimes the earlier one."""
    if len(rows) > 1:
        first, last = rows[0], rows[-1]
        last.pop("invited_email", None)
        last["name"] = f"{first['name']} 2"
        if rng.random() < 0.5:
            last["uploaded_at"] = first["uploaded_at"] - timedelta(hours=1)


def _contradiction(rows: list[Row], rng: Random) -> None:
    """R5: the same person is invited again, as something else."""
    invitations = [row for row in rows if row.get("invited_email")]
    if len(invitations) > 1:
        first, last = invitations[0], invitations[-1]
        last["invited_email"], last["access"] = first["invited_email"], "view"
        first["access"] = "edit"


def _numeric_id(rows: list[Row], rng: Random) -> None:
    """R1: the same id, as a number here and as text there."""
    number = rng.getrandbits(30)
    for place, row in enumerate(rows):
        row["session_id"] = number if place % 2 else str(number)


def _no_times(rows: list[Row], rng: Random) -> None:
    """R8: neither a date nor an ObjectId tells when it was."""
    for place, row in enumerate(rows):
        row.pop("uploaded_at", None)
        row["_id"] = f"{row['_id'][-6:]}-{place}"


#: Faults of a whole session with their weights.
SESSION_DEFECTS: Final[tuple[tuple[SessionDefect, float], ...]] = (
    (_creator_gone, 2),
    (_creators_address_gone, 0.3),
    (_second_creator, 2),
    (_contradiction, 2),
    (_numeric_id, 1),
    (_no_times, 1),
)


def spoil_row(row: Row, rng: Random) -> None:
    """Give the row one of the defects."""
    defects, weights = zip(*ROW_DEFECTS, strict=True)
    rng.choices(defects, weights)[0](row, rng)


def spoil_session(rows: list[Row], rng: Random) -> None:
    """Give the session one of the defects."""
    defects, weights = zip(*SESSION_DEFECTS, strict=True)
    rng.choices(defects, weights)[0](rows, rng)
