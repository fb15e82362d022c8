"""SQL that finds the problem of an attempt (contests.md "Attempts"), apart from
`sessions_app.contests.problems`: the checks and the selection of sessions use it.

An attempt is called ``x``, with ``ref`` – the problem's id as written –, ``by_external_id``,
``problem_number``, and ``contest``, ``year`` and ``shuffle`` of its session.
"""

from __future__ import annotations

from typing import Final

_SPACES: Final = r"regexp_replace(x.contest, '\s', '', 'g')"


def _place(contest: str, number: str) -> str:
    """SQL: the problem of the bank at a place."""
    return (
        f"(SELECT q.id FROM sessions_app_problem q WHERE lower(q.contest_id) = lower({contest}) "
        f"AND q.number = {number})"
    )


# split, not taken apart by patterns: that costs many times as much
_NUMBER_OF_ID: Final = "ltrim(split_part(x.ref, '_', 3), 'pP')::int"
_BY_YEAR: Final = _place(
    "split_part(x.ref, '_', 2) || '_' || split_part(x.ref, '_', 1)::int", _NUMBER_OF_ID
)
_BY_CONTEST: Final = _place(
    "split_part(x.ref, '_', 1) || '_' || split_part(x.ref, '_', 2)::int", _NUMBER_OF_ID
)
_BY_NUMBER: Final = _place(f"{_SPACES} || '_' || x.year", "x.problem_number")

#: The problem of ``x``: by id – external, or in either of its forms – first, by number only in
#: unshuffled sessions.
PROBLEM: Final = f"""coalesce(
    x.by_external_id,
    CASE WHEN x.ref ~ '^[0-9]{{4}}_[^_]+_[pP]?[0-9]{{1,6}}$' THEN {_BY_YEAR}
        WHEN x.ref ~ '^[^_]+_[0-9]{{4}}_[pP]?[0-9]{{1,6}}$' THEN {_BY_CONTEST}
        WHEN NOT x.shuffle AND {_SPACES} <> '' AND x.year IS NOT NULL THEN {_BY_NUMBER} END
)"""
#: ``by_external_id`` by ``ref``, to be joined to all attempts at once: asking the bank for each of
#: them costs many times as much.
EXTERNAL: Final = """external AS MATERIALIZED (
    SELECT ref, min(id) AS id FROM sessions_app_problem CROSS JOIN LATERAL unnest(external_ids) ref
    WHERE ref <> '' GROUP BY ref
)"""
