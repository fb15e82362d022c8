"""How names of suppliers and banks are compared (guarantees.md "Reading values")."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

ARABIC_LETTER: Final = re.compile("[\u0621-\u064a]")

_LETTERS: Final = str.maketrans("أإآٱةىئؤ", "ااااهييو")
_MARKS: Final = re.compile(r"[\u0640\u064b-\u0652\u200b-\u200f]")  # tatweel, vowel signs, joiners
_NO_WORD: Final = re.compile(r"[\W_]+")

#: Words that companies and banks carry beside their name, as `normalize_name` leaves letters.
_COMPANY_WORDS: Final = frozenset(
    {
        *("company", "co", "corporation", "corp", "incorporated", "inc", "limited", "ltd", "llc"),
        *("plc", "est", "establishment", "group", "holding", "jsc", "pjsc", "psc", "wll"),
        *("the", "and"),
        *("شركه", "الشركه", "مؤسسه", "موسسه", "الموسسه", "مجموعه", "المجموعه", "محدوده"),
        *("المحدوده", "القابضه", "قابضه", "مساهمه", "ذ", "م"),
    }
)
#: Forms of companies written with points, ``L.L.C.`` or ``ش.م.م``, which punctuation takes apart.
_COMPANY_INITIALS: Final = re.compile(
    r"(?<!\S)(?:l l c|w l l|p l c|j s c|p j s c|p s c|c j s c|ش م م|ش م ع|ش م ك|ش م س|ش ش و)(?!\S)"
)


@lru_cache(maxsize=65_536)  # the names of a file repeat
def normalize_name(name: str) -> str:
    """``name`` without what makes no difference between two names.

    That is case, spelling variants, punctuation, and company words; a name of nothing but company
    words keeps them.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    text = " ".join(_NO_WORD.sub(" ", _MARKS.sub("", plain).translate(_LETTERS)).split())
    words = [
        word for word in _COMPANY_INITIALS.sub(" ", text).split() if word not in _COMPANY_WORDS
    ]
    return " ".join(words) or text
