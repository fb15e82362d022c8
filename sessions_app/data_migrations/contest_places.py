"""SQL that finds the problem of an attempt (contests.md "Attempts"), apart from
`sessions_app.contests.problems`: the checks and the selection of sessions use it.

An attempt is called ``x``, with ``ref`` – the problem's id as written –, ``by_external_id``,
``problem_number``, and ``contest``, ``year`` and ``shuffle`` of its session.
"""

from __future__ import annotations

from typing import Final

from sessions_app.reading.blanks import WHITE_SPACE

_WHITE: Final = "".join(f"\\{ord(letter):04X}" for letter in WHITE_SPACE)


def _joined(text: str) -> str:
    """SQL: the text without white space."""
    return f"translate({text}, U&'{_WHITE}', '')"


_CONTEST: Final = _joined("x.contest")
_REF: Final = _joined("x.ref")


def _place(contest: str, number: str) -> str:
    """SQL: the problem of the bank at a place."""
    return (
        f"(SELECT q.id FROM sessions_app_problem q WHERE lower(q.contest_id) = lower({contest}) "
        f"AND q.number = {number})"
    )


# split, not taken apart by patterns: that costs many times as much
_NUMBER_OF_ID: Final = "ltrim(split_part(x.ref, '_', 3), 'pP')::int"
_BY_YEAR: Final = _place(
    f"split_part({_REF}, '_', 2) || '_' || split_part(x.ref, '_', 1)::int", _NUMBER_OF_ID
)
_BY_CONTEST: Final = _place(
    f"split_part({_REF}, '_', 1) || '_' || split_part(x.ref, '_', 2)::int", _NUMBER_OF_ID
)
_BY_NUMBER: Final = _place(f"{_CONTEST} || '_' || x.year", "x.problem_number")

_YEAR_FIRST: Final = "x.ref ~ '^[0-9]{4}_[^_]+_[pP]?[0-9]{1,6}$'"
_CONTEST_FIRST: Final = "x.ref ~ '^[^_]+_[0-9]{4}_[pP]?[0-9]{1,6}$'"

#: Whether the id of ``x`` names a place, and the problem at that place.
NAMES_A_PLACE: Final = f"({_YEAR_FIRST} OR {_CONTEST_FIRST})"
AT_THAT_PLACE: Final = (
    f"CASE WHEN {_YEAR_FIRST} THEN {_BY_YEAR} WHEN {_CONTEST_FIRST} THEN {_BY_CONTEST} END"
)
#: The problem that the number of ``x`` names: of unshuffled sessions only.
AT_ITS_NUMBER: Final = (
    f"CASE WHEN NOT x.shuffle AND {_CONTEST} <> '' AND x.year IS NOT NULL THEN {_BY_NUMBER} END"
)
#: The problem of ``x``: by id – external, or in either of its forms – first, else by number.
PROBLEM: Final = f"""coalesce(
    x.by_external_id,
    CASE WHEN {NAMES_A_PLACE} THEN {AT_THAT_PLACE} ELSE {AT_ITS_NUMBER} END
)"""

#: The ids of ``listed`` with ``by_ref``, the problem that each names, and whether it names a place
#: at all. Looking each id up once costs a fraction of doing it for all attempts.
REFS: Final = f"""external AS MATERIALIZED (
    SELECT ref, min(id) AS id FROM sessions_app_problem CROSS JOIN LATERAL unnest(external_ids) ref
    WHERE ref <> '' GROUP BY ref
),
refs AS MATERIALIZED (
    SELECT x.ref, {NAMES_A_PLACE} AS names_a_place, coalesce(external.id, {AT_THAT_PLACE}) AS by_ref
    FROM (SELECT DISTINCT ref FROM listed) x LEFT JOIN external ON external.ref = x.ref
)"""
