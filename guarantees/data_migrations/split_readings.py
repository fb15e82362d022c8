"""Amounts and dates of staged rows as SQL expressions (guarantees.md "Reading values").

Written anew for verification, beside `guarantees.reading`: what one of them misreads, the other
finds. An expression is null where the text is blank or not understood. ``OFFSET 0`` keeps each
step of a reading a step: PostgreSQL would write it out wherever the next ones use it.
"""

from __future__ import annotations

from typing import Final

# text as typed → ASCII digits, hyphens, spaces; the last characters have no counterpart: dropped
_TYPED: Final = (
    "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"
    "\u2010\u2011\u2012\u2013\u2014\u2212،"
    "\t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
    "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060"
    "\u2066\u2067\u2068\u2069\ufeff\u0640"
    "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652"
)
_MEANT: Final = "01234567890123456789------," + 24 * " "

_LETTER: Final = "[[:alpha:]\u0620-\u064a\u066e-\u06d3]"
_CURRENCY: Final = (
    "sar|s[.]?r[.]?|saudi|riyals?|rials?|usd|us|dollars?|eur|euros?|gbp|aed|kwd|bhd|qar|omr|egp|jod"
    "|ر[.]? ?س[.]?|ريال(ات)?|سعود[يى](ة|ه)?|دولار|يورو|درهم|دينار|جنيه"
)
_MONEY: Final = f"(?<!{_LETTER})({_CURRENCY})[.]?(?!{_LETTER})|[$€£﷼\u20c1]"
_MONTHS: Final = (
    ("jan january يناير", "كانون الثاني"),
    ("feb february فبراير شباط",),
    ("mar march مارس اذار",),
    ("apr april ابريل نيسان",),
    ("may مايو ايار",),
    ("jun june يونيو يونيه حزيران",),
    ("jul july يوليو يوليه تموز",),
    ("aug august اغسطس اب",),
    ("sep sept september سبتمبر ايلول",),
    ("oct october اكتوبر", "تشرين الاول"),
    ("nov november نوفمبر", "تشرين الثاني"),
    ("dec december ديسمبر", "كانون الاول"),
)


def _plain(column: str) -> str:
    return f"btrim(translate({column}, '{_TYPED}', '{_MEANT}'), ' ')"


#: What nearly all amounts look like; the rest of the grammar is asked for the others only.
USUAL_AMOUNT: Final = "^([0-9]{1,14}|[1-9][0-9]{0,2}(,[0-9]{3}){1,3})([.][0-9]{1,2})?$"

_GROUPED: Final = "^[1-9][0-9]{0,2}([.,٬]| +)[0-9]{3}(\\1[0-9]{3})*$"


def amount_reading(column: str) -> str:
    """SQL of the amount that the text in ``column`` says: numeric with two decimals."""
    return f"""(CASE
    WHEN {column} ~ '{USUAL_AMOUNT}' THEN replace({column}, ',', '')::numeric
    ELSE (
        SELECT CASE
            WHEN split.fraction ~ '[^0-9]' OR length(rtrim(split.fraction, '0')) > 2
                OR split.whole !~ '^[0-9]+$' AND split.whole !~ '{_GROUPED}'
                    AND NOT (split.whole = '' AND mark.decimal IN ('.', '٫'))
                OR length(ltrim(whole.digits, '0')) > 14 THEN NULL
            ELSE (marked.sign || whole.digits || '.' || rtrim(split.fraction, '0') || '0')::numeric
        END
        FROM (SELECT {_plain(column)} AS text OFFSET 0) typed
        CROSS JOIN LATERAL (
            SELECT btrim(regexp_replace(typed.text, '{_MONEY}', '¤', 'gi'), ' ¤') AS text
            OFFSET 0
        ) bare
        CROSS JOIN LATERAL (SELECT
            CASE WHEN bare.text ~ '^[(].*[)]$|^-|^[^-+].*-$' THEN '-' ELSE '' END AS sign,
            btrim(CASE
                WHEN bare.text ~ '^[(].*[)]$' THEN substr(bare.text, 2, length(bare.text) - 2)
                WHEN bare.text ~ '^[-+]' THEN substr(bare.text, 2)
                ELSE regexp_replace(bare.text, '-$', '')
            END, ' ¤') AS body
            OFFSET 0
        ) marked
        CROSS JOIN LATERAL (SELECT
            regexp_replace(marked.body, ' +(?=[.,٬٫])|(?<=[.,٬٫]) +', '', 'g') AS text
            OFFSET 0
        ) body
        CROSS JOIN LATERAL (
            SELECT regexp_replace(body.text, '[^.,٬٫]', '', 'g') AS all
            OFFSET 0
        ) marks
        CROSS JOIN LATERAL (SELECT
            CASE
                WHEN marks.all = '' OR marks.all ~ '^([.,٬])\\1*$' AND body.text ~ '{_GROUPED}'
                    THEN ''
                WHEN marks.all ~ '٫' THEN '٫'
                ELSE right(marks.all, 1)
            END AS decimal
            OFFSET 0
        ) mark
        CROSS JOIN LATERAL (SELECT
            CASE WHEN mark.decimal = '' THEN body.text
                ELSE substr(body.text, 1, length(body.text)
                    - position(mark.decimal IN reverse(body.text))) END AS whole,
            CASE WHEN mark.decimal = '' THEN ''
                ELSE right(body.text, position(mark.decimal IN reverse(body.text)) - 1)
            END AS fraction
            OFFSET 0
        ) split
        CROSS JOIN LATERAL (
            SELECT regexp_replace(split.whole, '[^0-9]', '', 'g') AS digits
            OFFSET 0
        ) whole
        WHERE length(typed.text) <= 100 AND mark.decimal <> '٬'
            AND marked.body ~ '^[0-9.,٬٫ ]*[0-9][0-9.,٬٫ ]*$'
            AND (mark.decimal = '' OR position(mark.decimal IN split.whole) = 0)
    )
END)"""


_YEAR_FIRST: Final = "^([0-9]{4})([-/.])([0-9]{1,2})\\2([0-9]{1,2})$"
_YEAR_LAST: Final = "^([0-9]{1,2}) ?([-/.]) ?([0-9]{1,2}) ?\\2 ?([0-9]{4})$"
_DAY_NAME_YEAR: Final = "^([0-9]{1,2})[-/. ,]*([^-/. ,0-9][^0-9]*)([0-9]{4})$"
_NAME_DAY_YEAR: Final = "^([^-/. ,0-9][^0-9]*)([0-9]{1,2})[-/. ,]+([0-9]{4})$"
_TIME: Final = (
    "([T ] ?[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AP]M)?"
    "( ?(Z|UTC|[-+][0-9]{2}(:?[0-9]{2})?))?| ?م[.]?)$"
)
_HIJRI_MARK: Final = "[0-9] ?(ه|A[.]?H)[.]?$"


def _month_number(name: str) -> str:
    words = (
        f"regexp_replace(btrim(translate(lower({name}), 'أإآٱ', 'اااا'), '-/. ,'), ' +', ' ', 'g')"
    )
    whens = []
    for number, spellings in enumerate(_MONTHS, 1):
        single, *double = spellings
        names = ", ".join(f"'{word}'" for word in [*single.split(), *double])
        whens.append(f"WHEN {words} IN ({names}) THEN {number}")
    return f"CASE {' '.join(whens)} END"


def date_reading(column: str, *, day_first: str) -> str:
    """SQL of the calendar date that the text in ``column`` says; ``day_first`` is SQL of a boolean:
    whether 1/2/2025 is the first of February.
    """
    return f"""(
        SELECT CASE
            WHEN serial.number BETWEEN 32874 AND 73050 THEN '1899-12-30'::date + serial.number
            WHEN part.year BETWEEN 1900 AND 2199 AND part.month BETWEEN 1 AND 12
                AND part.day BETWEEN 1 AND CASE
                    WHEN part.month IN (4, 6, 9, 11) THEN 30
                    WHEN part.month <> 2 THEN 31
                    WHEN mod(part.year, 4) = 0 AND mod(part.year, 100) <> 0
                        OR mod(part.year, 400) = 0 THEN 29
                    ELSE 28 END
                THEN make_date(part.year, part.month, part.day)
        END
        FROM (SELECT {_plain(column)} AS text OFFSET 0) typed
        CROSS JOIN LATERAL (
            SELECT regexp_replace(typed.text, '{_TIME}', '', 'i') AS text
            OFFSET 0
        ) bare
        CROSS JOIN LATERAL (SELECT
            regexp_match(bare.text, '{_YEAR_FIRST}') AS year_first,
            regexp_match(bare.text, '{_YEAR_LAST}') AS year_last,
            regexp_match(bare.text, '{_DAY_NAME_YEAR}') AS day_name,
            regexp_match(bare.text, '{_NAME_DAY_YEAR}') AS name_day,
            regexp_match(bare.text, '^([0-9]{{1,9}})([.][0-9]+)?$') AS number
            OFFSET 0
        ) found
        CROSS JOIN LATERAL (SELECT (found.number)[1]::integer AS number OFFSET 0) serial
        CROSS JOIN LATERAL (SELECT
            (found.year_last)[CASE WHEN {day_first} THEN 1 ELSE 3 END]::integer AS day,
            (found.year_last)[CASE WHEN {day_first} THEN 3 ELSE 1 END]::integer AS month
            OFFSET 0
        ) written
        CROSS JOIN LATERAL (
            SELECT (found.year_first)[1]::integer AS year, (found.year_first)[3]::integer AS month,
                (found.year_first)[4]::integer AS day
            WHERE found.year_first IS NOT NULL
            UNION ALL
            SELECT (found.year_last)[4]::integer,
                CASE WHEN written.month > 12 AND written.day <= 12
                    THEN written.day ELSE written.month END,
                CASE WHEN written.month > 12 AND written.day <= 12
                    THEN written.month ELSE written.day END
            WHERE found.year_last IS NOT NULL
            UNION ALL
            SELECT (found.day_name)[3]::integer, {_month_number("(found.day_name)[2]")},
                (found.day_name)[1]::integer
            WHERE found.day_name IS NOT NULL
            UNION ALL
            SELECT (found.name_day)[3]::integer, {_month_number("(found.name_day)[1]")},
                (found.name_day)[2]::integer
            WHERE found.name_day IS NOT NULL
            UNION ALL
            SELECT NULL, NULL, NULL WHERE found.number IS NOT NULL
        ) part
        WHERE length(typed.text) <= 60 AND typed.text !~* '{_HIJRI_MARK}'
    )"""
