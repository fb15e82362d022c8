"""SQL that reads values of contest documents, written apart from `sessions_app.contests`.

The checks of the migration use it: a check through the parser that it checks could not fail.
Each function takes SQL of a JSONB value and gives SQL of what it means, NULL where it means
nothing. ``%(white)s`` is the white space around values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

_LARGEST: Final = 10**12

#: White space of every kind, what ``%(white)s`` stands for.
WHITE: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def text(value: str) -> str:
    """Strings as they are, numbers and booleans as JSON writes them."""
    return (
        f"CASE WHEN jsonb_typeof({value}) IN ('string', 'number', 'boolean') "
        f"THEN {value} #>> '{{}}' END"
    )


def trimmed(value: str) -> str:
    """Text without white space around it, NULL where nothing is left."""
    return f"nullif(btrim({text(value)}, %(white)s), '')"


def filled(value: str) -> str:
    """Text as it is; NULL where it is blank."""
    return f"CASE WHEN {trimmed(value)} IS NOT NULL THEN {text(value)} END"


def number(value: str) -> str:
    """A number, or text of one, of a size that is believed."""
    pattern = r"^[+-]?[0-9]{1,15}(\.[0-9]{0,6})?$"
    return f"""(
        SELECT CASE WHEN abs(n) <= {_LARGEST} THEN n END FROM (
            SELECT CASE jsonb_typeof({value})
                WHEN 'number' THEN ({value} #>> '{{}}')::numeric
                WHEN 'string' THEN CASE WHEN btrim({value} #>> '{{}}', %(white)s) ~ '{pattern}'
                    THEN btrim({value} #>> '{{}}', %(white)s)::numeric END
            END AS n OFFSET 0
        ) read
    )"""


def count(value: str, highest: int = 2**31 - 1) -> str:
    """A whole number from 0 to ``highest``."""
    return f"""(
        SELECT CASE WHEN n = trunc(n) AND n BETWEEN 0 AND {highest} THEN n::bigint END
        FROM (SELECT {number(value)} AS n OFFSET 0) counted
    )"""


def milliseconds(value: str) -> str:
    """A time span in whole milliseconds, half up."""
    return f"""(
        SELECT CASE WHEN n >= 0 THEN round(n)::bigint END
        FROM (SELECT {number(value)} AS n OFFSET 0) spent
    )"""


def first(read: Callable[[str], str], document: str, names: Sequence[str]) -> str:
    """What ``read`` makes of the first of the keys that it understands."""
    values = (read(f"({document} -> '{name}')") for name in names)
    return f"coalesce({', '.join(values)})"


def truth(value: str) -> str:
    """A boolean, or its word."""
    return f"""CASE
        WHEN jsonb_typeof({value}) = 'boolean' THEN ({value} #>> '{{}}')::boolean
        WHEN jsonb_typeof({value}) = 'string'
            AND lower(btrim({value} #>> '{{}}', %(white)s)) IN ('true', 'false')
            THEN btrim({value} #>> '{{}}', %(white)s)::boolean
    END"""


_DAY: Final = "([0-9]{4})-([0-9]{2})-([0-9]{2})"
_TIME: Final = (
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_LAST_DAYS: Final = "ARRAY[31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]"


#: Texts of this form are read at once: taking one apart costs ten times as much. Only days that
#: every year has.
_USUAL_INSTANT: Final = (
    "^(19|20|21)[0-9]{2}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)"
    "|(0[13578]|1[02])-31)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+]00:00)$"
)


def instant(value: str) -> str:
    """A point in time: ISO text, UTC without an offset, or milliseconds since 1970."""
    text = f"({value} #>> '{{}}')"
    return f"""CASE
        WHEN jsonb_typeof({value}) = 'string' AND {text} ~ '{_USUAL_INSTANT}'
            THEN {text}::timestamptz
        ELSE {_unusual_instant(value)} END"""


def told_instant(value: str, stored: str) -> str:
    """As `instant`; faster where the text is how imports write the stored instant."""
    written = f"to_char({stored} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || '+00:00'"
    return f"""CASE
        WHEN {value} #>> '{{}}' = {written} AND {stored} BETWEEN '1900-01-01Z' AND '2200-12-31Z'
            THEN {stored}
        ELSE {instant(value)} END"""


def _unusual_instant(value: str) -> str:
    return f"""CASE jsonb_typeof({value})
        WHEN 'string' THEN (
            SELECT CASE WHEN at >= '1900-01-01Z' AND at < '2201-01-01Z' THEN at END FROM (
            SELECT CASE
                WHEN m[1]::int BETWEEN 1899 AND 2201 AND m[2]::int BETWEEN 1 AND 12
                    AND m[3]::int BETWEEN 1 AND ({_LAST_DAYS})[m[2]::int]
                    AND (m[2] || m[3] <> '0229' OR m[1]::int %% 4 = 0
                        AND (m[1]::int %% 100 <> 0 OR m[1]::int %% 400 = 0))
                    AND coalesce(m[4], '0')::int < 24 AND coalesce(m[5], '0')::int < 60
                    AND coalesce(m[6], '0')::int < 60
                    AND (m[8] IS NULL OR m[8] = 'Z' OR substr(m[8], 2, 2)::int < 16
                        AND right('00' || replace(substr(m[8], 4), ':', ''), 2)::int < 60)
                THEN (m[1] || '-' || m[2] || '-' || m[3] || ' ' || coalesce(m[4], '00') || ':'
                    || coalesce(m[5], '00') || ':' || coalesce(m[6], '00')
                    || coalesce(left(m[7], 7), '') || coalesce(m[8], 'Z'))::timestamptz
            END AS at
            FROM (
                SELECT regexp_match(btrim({value} #>> '{{}}', %(white)s), '^{_DAY}{_TIME}$') AS m
                OFFSET 0
            ) parts OFFSET 0
            ) read
        )
        WHEN 'number' THEN (
            SELECT CASE WHEN ms BETWEEN -2208988800000 AND 7289654399999
                    AND {value} #>> '{{}}' ~ '^-?[0-9]+$'
                THEN 'epoch'::timestamptz + ms * interval '1 millisecond' END
            FROM (SELECT ({value} #>> '{{}}')::numeric AS ms OFFSET 0) since
        )
    END"""


def _string(value: str, keys: Sequence[str]) -> str:
    strings = (
        f"CASE WHEN jsonb_typeof({value} -> '{key}') = 'string' THEN {value} ->> '{key}' END"
        for key in keys
    )
    return f"coalesce({', '.join(strings)})"


#: One or two names that need no trimming: read at once, as taking a list apart costs ten times
#: as much.
_USUAL_NAME: Final = r'"^[A-Za-z0-9]([^\n\r]*[A-Za-z0-9.)])?$"'
_UNUSUAL_NAMES: Final = f'strict $[*] ? (@.type() != "string" || !(@ like_regex {_USUAL_NAME}))'


def topics(value: str) -> str:
    """JSONB list of names, trimmed, each once, in order; NULL for none."""
    return f"""CASE
        WHEN {value} IS NULL OR {value} IN ('[]', 'null', '""') THEN NULL
        WHEN jsonb_typeof({value}) = 'array' AND jsonb_array_length({value}) <= 2
            AND {value} -> 0 IS DISTINCT FROM {value} -> 1
            AND NOT jsonb_path_exists({value}, '{_UNUSUAL_NAMES}') THEN {value}
        ELSE {_unusual_topics(value)} END"""


def _unusual_topics(value: str) -> str:
    area = _string("e", ("area", "topic", "name"))
    sub_topic = _string("e", ("sub_topic", "subtopic", "subTopic"))
    return f"""(
        SELECT jsonb_agg(name ORDER BY place) FROM (
            SELECT btrim(n.name, %(white)s) AS name, min(2 * o + n.part) AS place
            FROM jsonb_array_elements(CASE jsonb_typeof({value}) WHEN 'array' THEN {value}
                ELSE jsonb_build_array({value}) END) WITH ORDINALITY t(e, o)
            CROSS JOIN LATERAL (VALUES
                (0, CASE jsonb_typeof(e) WHEN 'string' THEN e #>> '{{}}' WHEN 'object' THEN {area}
                    END),
                (1, CASE jsonb_typeof(e) WHEN 'object' THEN {sub_topic} END)
            ) n(part, name)
            GROUP BY 1
        ) named WHERE name <> ''
    )"""
