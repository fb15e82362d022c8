"""Text as typed, brought to the characters that the readers know."""

from __future__ import annotations

from typing import Final

_SPACES = (
    "\t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
)
_SPACES += "\u2028\u2029\u202f\u205f\u3000"
# marks of direction and joining, byte order mark, tatweel, vowel signs: they carry no value
_INVISIBLE = "\u061c\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2067\u2068\u2069\ufeff\u0640"
_INVISIBLE += "".join(map(chr, [*range(0x202A, 0x202F), *range(0x064B, 0x0653)]))

_DIGITS = dict(zip("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789", strict=True))

_PLAIN: Final = str.maketrans(
    dict.fromkeys(_SPACES, " ")
    | dict.fromkeys(_INVISIBLE, "")
    | _DIGITS
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | {"،": ","}
)


def plain(text: str) -> str:
    """ASCII digits, hyphens and spaces for their Arabic and typographic kin; ends stripped."""
    return text.translate(_PLAIN).strip(" ")
