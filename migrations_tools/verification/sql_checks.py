"""Running the checks of a definition: SQL of its own, over all data (SPEC §2.1)."""

from __future__ import annotations

from migrations_tools.definitions.checks import SQLCheck, SQLScan
from migrations_tools.verification.results import MOST_NAMED, Result, rows_of, timed


def run_check(check: SQLCheck | SQLScan) -> list[Result]:
    """Count what the check looks at and what is wrong; name the first wrong rows."""
    titles = check.titles if isinstance(check, SQLScan) else {check.code: check.title}
    results = {
        code: Result(code, title, may_be_empty=check.may_be_empty) for code, title in titles.items()
    }
    parameters = {
        name: value() if callable(value) else value for name, value in check.parameters.items()
    }
    with timed(*results.values()):
        examined = int(rows_of(check.examined, parameters)[0][0] or 0)
        found = rows_of(_named(check), parameters)
    for result in results.values():
        result.examined = examined
    for code, key, detail, edited, number in found:
        result = results[code or next(iter(results))]
        if edited:
            result.edited_since = number
        else:
            result.failures = number
            result.name(key, detail)
    return list(results.values())


def _named(check: SQLCheck | SQLScan) -> str:
    """Failures counted by code, edited rows apart, and cut to the rows that are named.

    A check names its leading columns as it likes; without ``edited`` nothing is explained.
    """
    scan = isinstance(check, SQLScan)
    columns = "code, key, detail" if scan else "key, detail"
    return f"""
        WITH f AS (
            SELECT {"r.code::text" if scan else "NULL::text"} AS code, r.key::text, r.detail::text,
                   coalesce((to_jsonb(r) ->> 'edited')::boolean, false) AS edited
            FROM ({check.failures}) AS r ({columns})
        ),
        counted AS (
            SELECT *, count(*) OVER (PARTITION BY code, edited) AS number,
                   row_number() OVER (PARTITION BY code, edited ORDER BY key) AS place
            FROM f
        )
        SELECT code, key, detail, edited, number FROM counted
        WHERE place <= {MOST_NAMED} ORDER BY code, place
    """
