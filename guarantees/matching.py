"""Who is meant by a name: suppliers and banks (guarantees.md "Reading values").

A name is looked for in the dictionaries tier by tier; the first tier that knows it answers. Names
that merely look alike are suggestions for a person. Pure functions over what
`guarantees.selectors.dictionaries` has read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from math import ceil, floor
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extract_iter

from guarantees.models import MatchStatus
from guarantees.names import normalize_name


class Tier(TextChoices):
    """Where a name was found."""

    OVERRIDE = "override", _("override")  # a person tied the name to the supplier
    EXACT = "exact", _("exact")  # it is the name
    ALIAS = "alias", _("alias")  # another name of it, imported or learnt
    SHORT_CODE = "short_code", _("short code")  # of a bank
    FUZZY = "fuzzy", _("similar")  # it looks alike: a suggestion, never certain


#: Tiers in the order in which they are asked; fuzzy is last for both.
SUPPLIER_TIERS: Final = (Tier.OVERRIDE, Tier.EXACT, Tier.ALIAS)
BANK_TIERS: Final = (Tier.ALIAS, Tier.SHORT_CODE, Tier.EXACT)

#: Similarity from which on a name is suggested: 1 − edits / length of the longer, in characters.
SUPPLIER_SIMILARITY: Final = 0.90
BANK_SIMILARITY: Final = 0.95
#: Anybody else who is nearer to the best than this is a competitor.
COMPETITION: Final = 0.10
_ROUNDING: Final = 1e-9  # 1 − 0.9 is a little less than 0.1

SUGGESTIONS: Final = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A supplier or bank that may be meant; ``score`` is 0–1."""

    pk: int
    name: str
    tier: Tier
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """What a name led to.

    ``pk`` is the one that is known, or None: a fuzzy hit, and a name of two, leave it open.
    ``candidates`` are all that came into question, the best first.
    """

    pk: int | None = None
    tier: Tier | None = None
    is_certain: bool = False
    candidates: tuple[Candidate, ...] = ()


def match_status(supplier: Match, bank: Match) -> str:
    """Ready only with supplier and bank both known and certain."""
    certain = supplier.is_certain and bank.is_certain
    return MatchStatus.READY.value if certain else MatchStatus.NEEDS_REVIEW.value


@dataclass(slots=True)
class Dictionary:
    """Suppliers or banks by their normalised names. ``match`` remembers its answers."""

    tiers: Sequence[Tier]
    similarity: float
    names: dict[int, str] = field(default_factory=dict)  # for people to read, by key
    _known: dict[Tier, dict[str, dict[int, None]]] = field(default_factory=dict)
    # names that may look alike, and the same by length: no other length comes near enough
    _owners: dict[str, dict[int, None]] = field(default_factory=dict)
    _lengths: dict[int, list[str]] = field(default_factory=dict)
    _answers: dict[str, Match] = field(default_factory=dict)

    def add(self, tier: Tier, normalized_name: str, pk: int) -> None:
        """One more name of ``pk``. Short codes are too short to look alike."""
        if not normalized_name:
            return
        self._known.setdefault(tier, {}).setdefault(normalized_name, {})[pk] = None
        if tier is not Tier.SHORT_CODE:
            if normalized_name not in self._owners:
                self._lengths.setdefault(len(normalized_name), []).append(normalized_name)
            self._owners.setdefault(normalized_name, {})[pk] = None
        self._answers.clear()

    def match(self, raw_name: str) -> Match:
        """Who is meant by ``raw_name``; a blank name means nobody."""
        name = normalize_name(raw_name)
        if not name:
            return Match()
        answer = self._answers.get(name)
        if answer is None:
            answer = self._answers[name] = self._match(name)
        return answer

    def _match(self, name: str) -> Match:
        for tier in self.tiers:
            owners = self._known.get(tier, {}).get(name)
            if owners:
                return self._known_match(name, tier, owners)
        similar = [found for found in self._similar(name) if found.score >= self.similarity]
        return Match(tier=Tier.FUZZY if similar else None, candidates=tuple(similar[:SUGGESTIONS]))

    def _known_match(self, name: str, tier: Tier, owners: Iterable[int]) -> Match:
        """What a tier says; all other tiers are asked for competitors.

        An override is what a person said of this very name: only another override competes.
        """
        candidates = {pk: Candidate(pk, self.names[pk], tier, 1.0) for pk in owners}
        is_only = len(candidates) == 1
        best = next(iter(candidates)) if is_only else None
        for rival in self._rivals(name):
            candidates.setdefault(rival.pk, rival)
        return Match(
            pk=best,
            tier=tier,
            is_certain=is_only and (tier is Tier.OVERRIDE or len(candidates) == 1),
            candidates=tuple(candidates.values())[:SUGGESTIONS],
        )

    def _rivals(self, name: str) -> list[Candidate]:
        """Whoever is within `COMPETITION` of a certain hit."""
        rivals = [
            Candidate(pk, self.names[pk], tier, 1.0)
            for tier in self.tiers
            for pk in self._known.get(tier, {}).get(name, ())
        ]
        near = [found for found in self._similar(name) if 1 - found.score < COMPETITION - _ROUNDING]
        return rivals + near

    def _similar(self, name: str) -> list[Candidate]:
        """The nearest whose names look like ``name``, each once, the nearest first."""
        lowest = min(self.similarity, 1 - COMPETITION) - _ROUNDING
        best: dict[int, float] = {}
        for length in range(floor(len(name) * lowest), ceil(len(name) / lowest) + 1):
            names = self._lengths.get(length, ())
            for other, score, _place in extract_iter(
                name, names, scorer=Levenshtein.normalized_similarity, score_cutoff=lowest
            ):
                for pk in self._owners[other]:
                    best[pk] = max(best.get(pk, 0.0), score)
        ranked = nsmallest(2 * SUGGESTIONS, best.items(), key=lambda item: (-item[1], item[0]))
        return [Candidate(pk, self.names[pk], Tier.FUZZY, score) for pk, score in ranked]


@dataclass(frozen=True, slots=True)
class Dictionaries:
    """Both, as one import uses them."""

    suppliers: Dictionary
    banks: Dictionary
