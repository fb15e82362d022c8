"""Kept sentences in the language of the page.

Evidence is kept in English (`evidence_language`). Where a page shows it, the sentence is looked up
in the catalogue: as it stands, or as one of those in which something is filled in. What the
catalogue does not know is shown as it was kept.
"""

from __future__ import annotations

import gettext as catalogues
import re
from functools import cache, lru_cache
from typing import Final

from django.conf import settings
from django.utils.translation import get_language, gettext

from migrations_tools.evidence_language import EVIDENCE_LANGUAGE

_PLACE: Final = re.compile(r"%\((\w+)\)[sd]")
#: Letters that a sentence has beside what is filled in, or it would fit almost anything.
_FEWEST_LETTERS: Final = 8


def told(text: str | None) -> str:
    """``text``, which was kept in English, in the language of the page."""
    language = get_language() or EVIDENCE_LANGUAGE
    if not text or language == EVIDENCE_LANGUAGE:
        return text or ""
    return _told(text, language)


@lru_cache(maxsize=2000)
def _told(text: str, language: str) -> str:
    whole = gettext(text)
    if whole != text:
        return whole
    for pattern, sentence in _sentences(language):
        found = pattern.fullmatch(text)
        if found is not None:
            return sentence % {name: told(value) for name, value in found.groupdict().items()}
    return text


@cache
def _sentences(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Sentences with places to fill in, those with the most words of their own first."""
    found: list[tuple[int, re.Pattern[str], str]] = []
    for folder in settings.LOCALE_PATHS:
        catalogue = catalogues.translation("django", str(folder), [language], fallback=True)
        # gettext tells nothing about what it knows but by this
        known: dict[object, str] = getattr(catalogue, "_catalog", {})
        for words, sentence in known.items():
            if isinstance(words, str) and _PLACE.search(words):
                letters = len(re.sub(r"\W", "", _PLACE.sub("", words)))
                if letters >= _FEWEST_LETTERS:
                    found.append((letters, _pattern(words), sentence))
    return [entry[1:] for entry in sorted(found, key=lambda entry: -entry[0])]


def _pattern(words: str) -> re.Pattern[str]:
    """What a sentence of the catalogue looks like when its places are filled in."""
    seen: set[str] = set()
    pattern = ""
    # every second part is the name of a place
    for index, part in enumerate(_PLACE.split(words)):
        if index % 2 == 0:
            pattern += re.escape(part.replace("%%", "%"))
        elif part in seen:
            pattern += f"(?P={part})"
        else:
            seen.add(part)
            pattern += f"(?P<{part}>.+?)"
    return re.compile(pattern, re.DOTALL)
