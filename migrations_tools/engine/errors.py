"""Which errors pass by themselves, which stop the run, and which belong to one row."""

from __future__ import annotations

from enum import Enum

import psycopg
from django.db import DatabaseError, InterfaceError

from migrations_tools.exceptions import CarryoverError


class ErrorClass(Enum):
    TRANSIENT = "transient"  # try the batch again, later and smaller
    SYSTEMIC = "systemic"  # stop the run until a person has removed the cause
    ROW = "row"  # find the row and quarantine it


#: SQLSTATE prefixes and codes (PostgreSQL documentation, appendix A).
_TRANSIENT_STATES = ("08", "40", "55P03", "57014", "57P01", "57P02", "57P03", "57P05", "25P03")
_SYSTEMIC_STATES = ("25006", "28", "3D", "3F", "42", "53", "54", "58", "F0", "XX")


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE of a database error, whichever layer raised it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, psycopg.Error) and seen.sqlstate:
            return seen.sqlstate
        seen = seen.__cause__
    return None


def is_connection_loss(error: BaseException) -> bool:
    """Whether the connection itself is gone, so that even the commit's result is unknown."""
    state = sqlstate_of(error)
    if state is not None:
        return state.startswith(("08", "57P01", "57P02", "57P03", "57P05", "25P03"))
    return isinstance(error, (InterfaceError, psycopg.InterfaceError)) or (
        isinstance(error, (DatabaseError, psycopg.OperationalError))
        and isinstance(error.__cause__ or error, psycopg.OperationalError)
    )


def classify(error: BaseException) -> ErrorClass:
    """The class of an error met while a batch was carried over."""
    state = sqlstate_of(error)
    if state is not None:
        if state.startswith(_TRANSIENT_STATES):
            return ErrorClass.TRANSIENT
        if state.startswith(_SYSTEMIC_STATES):
            return ErrorClass.SYSTEMIC
        return ErrorClass.ROW
    if is_connection_loss(error):
        return ErrorClass.TRANSIENT
    if isinstance(error, (CarryoverError, MemoryError, OSError)):
        return ErrorClass.SYSTEMIC
    return ErrorClass.ROW


def code_of(error: BaseException) -> str:
    """A stable code for a row's error: the constraint kind, or the exception's name."""
    state = sqlstate_of(error)
    if state is None:
        return "transform_error"
    return _ROW_CODES.get(state, f"database_error_{state}")


_ROW_CODES = {
    "23502": "null_value",
    "23503": "foreign_key_violation",
    "23505": "duplicate_value",
    "23514": "check_violation",
    "23P01": "exclusion_violation",
    "23000": "integrity_violation",
    "22001": "value_too_long",
    "22003": "number_out_of_range",
    "22021": "unstorable_text",
}


def sentence_of(error: BaseException) -> str:
    """The first line of an error, without NUL, short enough to store and show."""
    text = str(error).strip().replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    first = text.splitlines()[0] if text else type(error).__name__
    if sqlstate_of(error) is None and not isinstance(error, CarryoverError):
        first = f"{type(error).__name__}: {first}"
    return first[:500]
