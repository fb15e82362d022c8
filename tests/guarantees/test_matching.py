"""Who is meant by a name: by table, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guarantees.matching import (
    BANK_SIMILARITY,
    BANK_TIERS,
    SUPPLIER_SIMILARITY,
    SUPPLIER_TIERS,
    Dictionary,
    Match,
    Tier,
    match_status,
)
from guarantees.names import normalize_name

NOOR, NAJD, GULF = 1, 2, 3


def dictionary(*known: tuple[Tier, str, int], banks: bool = False) -> Dictionary:
    tiers, similarity = (
        (BANK_TIERS, BANK_SIMILARITY) if banks else (SUPPLIER_TIERS, SUPPLIER_SIMILARITY)
    )
    found = Dictionary(tiers, similarity, names={pk: f"party {pk}" for pk in range(1, 10)})
    for tier, name, pk in known:
        found.add(tier, normalize_name(name), pk)
    return found


def told(match: Match) -> tuple[int | None, str | None, bool]:
    return match.pk, match.tier, match.is_certain


SUPPLIERS = (
    (Tier.EXACT, "Al Noor Trading Company", NOOR),
    (Tier.ALIAS, "النور للتجارة", NOOR),
    (Tier.EXACT, "Najd Contracting", NAJD),
    (Tier.ALIAS, "Noor and Najd", NOOR),
    (Tier.ALIAS, "Noor & Najd Co.", NAJD),
    (Tier.EXACT, "Gulf Catering", GULF),
    (Tier.OVERRIDE, "Gulf Catering", NAJD),
    (Tier.OVERRIDE, "Desert Works", NOOR),
    (Tier.OVERRIDE, "Desert Works", NAJD),
    (Tier.ALIAS, "Gulf House", GULF),
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("AL-NOOR  trading co. ltd.", (NOOR, "exact", True)),
        ("al noor trading L.L.C.", (NOOR, "exact", True)),
        ("شركة النور للتجاره", (NOOR, "alias", True)),
        # an override goes before the name of somebody else
        ("gulf catering", (NAJD, "override", True)),
        # two claim the name
        ("Noor & Najd", (None, "alias", False)),
        ("desert works", (None, "override", False)),
        # it only looks alike: 1 letter of 15, 1 of 16 and 2 of 16
        ("Al Nour Trading", (None, "fuzzy", False)),
        ("Najd Contractinq", (None, "fuzzy", False)),
        ("Nejd Contractinq", (None, None, False)),
        ("somebody else", (None, None, False)),
        ("", (None, None, False)),
        (" – ", (None, None, False)),
    ],
)
def test_a_supplier_is_found_by_override_name_alias_and_likeness(written, expected):
    assert told(dictionary(*SUPPLIERS).match(written)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("riyad bank", (1, "exact", True)),
        ("RIBL", (1, "short_code", True)),
        ("بنك الرياض", (1, "exact", True)),
        ("Riyadh Bank", (2, "alias", False)),  # the alias is another bank's; the names look alike
        ("Saudi National Banc", (None, None, False)),  # 0.947
        ("The Saudi National Investment Banc", (None, "fuzzy", False)),  # 0.967
    ],
)
def test_a_bank_is_found_by_alias_code_name_and_likeness(written, expected):
    banks = dictionary(
        (Tier.EXACT, "Riyad Bank", 1),
        (Tier.EXACT, "بنك الرياض", 1),
        (Tier.SHORT_CODE, "RIBL", 1),
        (Tier.ALIAS, "Riyadh Bank", 2),
        (Tier.EXACT, "Saudi National Bank", 3),
        (Tier.EXACT, "Saudi National Investment Bank", 4),
        banks=True,
    )
    found = banks.match(written)
    if written == "riyad bank":  # 0.909 alike: a competitor within 0.10
        expected = (1, "exact", False)
    assert told(found) == expected


def test_who_looks_alike_is_a_competitor_of_a_certain_hit_but_not_at_a_tenth():
    near = dictionary((Tier.EXACT, "Contractor 1", 1), (Tier.EXACT, "Contractor 2", 2))
    assert told(near.match("Contractor 1")) == (1, "exact", False)
    assert [found.pk for found in near.match("Contractor 1").candidates] == [1, 2]
    far = dictionary((Tier.EXACT, "Supplier 1", 1), (Tier.EXACT, "Supplier 2", 2))
    assert told(far.match("Supplier 1")) == (1, "exact", True)
    # what a person said of this very name is certain all the same
    near.add(Tier.OVERRIDE, "contractor 1", 2)
    assert told(near.match("Contractor 1")) == (2, "override", True)


def test_suggestions_come_with_the_nearest_first_and_each_once():
    found = dictionary(
        (Tier.EXACT, "abcdefghijklmnopqrst", 1),
        (Tier.ALIAS, "abcdefghijklmnopqrsx", 1),
        (Tier.EXACT, "abcdefghijklmnopqrxx", 2),
    ).match("abcdefghijklmnopqrsy")
    assert [(one.pk, one.tier, round(one.score, 2)) for one in found.candidates] == [
        (1, "fuzzy", 0.95),
        (2, "fuzzy", 0.9),
    ]
    assert [one.name for one in found.candidates] == ["party 1", "party 2"]


def test_likeness_counts_characters_and_not_bytes():
    # one Arabic letter of ten is one of ten, though it has two bytes
    found = dictionary((Tier.EXACT, "الصحراءكبر", 1)).match("الصحراءكبد")
    assert told(found) == (None, "fuzzy", False)
    assert round(found.candidates[0].score, 2) == 0.9


def test_ready_needs_both_to_be_certain():
    certain, open_ = Match(1, Tier.EXACT, True), Match(1, Tier.EXACT, False)
    assert match_status(certain, certain) == "ready"
    for supplier, bank in ((certain, open_), (open_, certain), (certain, Match())):
        assert match_status(supplier, bank) == "needs_review"


@given(st.text(max_size=30), st.text(alphabet="abcنو. ", max_size=12))
def test_whatever_is_written_only_a_known_name_is_certain(written, known):
    found = dictionary((Tier.EXACT, known, 1)).match(written)
    name = normalize_name(known)
    is_known = normalize_name(written) == name != ""
    assert (found.pk == 1) == found.is_certain == is_known
