"""How names of suppliers and banks are compared (guarantees.md "Reading values")."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LETTERS: Final = str.maketrans("أإآٱةىئؤ", "ااااهييو")
_MARKS: Final = re.compile(r"[\u0640\u064b-\u0652\u200b-\u200f]")  # tatweel, vowel signs, joiners
_NO_WORD: Final = re.compile(r"[\W_]+")

#: Words that companies and banks carry beside their name, as `normalize_name` leaves letters.
_COMPANY_WORDS: Final = frozenset(
    {
        *("company", "co", "corporation", "corp", "incorporated", "inc", "limited", "ltd", "llc"),
        *("plc", "est", "establishment", "group", "holding", "jsc", "psc", "wll", "the", "and"),
        *("شركه", "الشركه", "مؤسسه", "موسسه", "الموسسه", "مجموعه", "المجموعه", "محدوده"),
        *("المحدوده", "القابضه", "قابضه", "مساهمه", "ذ", "م"),
    }
)


def normalize_name(name: str) -> str:
    """``name`` without what makes no difference between two names.

    That is case, spelling variants, punctuation, and company words; a name of nothing but company
    words keeps them.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    words = _NO_WORD.sub(" ", _MARKS.sub("", plain).translate(_LETTERS)).split()
    return " ".join([word for word in words if word not in _COMPANY_WORDS] or words)
