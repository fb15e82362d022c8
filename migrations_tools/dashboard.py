"""Cards of the overview. An app says in its module ``dashboard_cards`` what it has to tell.

    @dashboard_card(order=30, permission="guarantees.view_guarantee")
    def expiring_soon(user: User) -> Card | None:
        return Card(title=_("Guarantees"), figures=[Figure(7, _("expire in 30 days"), url)])

A card asks a constant number of queries, and is None where it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.safestring import SafeString

Words = str | Promise


@dataclass(frozen=True)
class Figure:
    """A number, what it counts, and where it leads. ``tone`` as in `migrations_tools.tones`."""

    value: int
    label: Words
    url: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Item:
    """A line of a card: text with an address, a state, and a quiet note."""

    text: Words
    url: str = ""
    state: str = ""
    state_label: Words = ""
    note: Words = ""
    done: int | None = None  # with ``total``: a progress bar
    total: int | None = None


@dataclass(frozen=True)
class Card:
    """``empty`` is said where there are neither figures nor items; ``link`` ends the card."""

    title: Words
    figures: Sequence[Figure] = ()
    items: Sequence[Item] = ()
    empty: Words = ""
    tone: str = ""  # good, warn or bad: a coloured edge
    link: Words = ""
    url: str = ""
    chart: SafeString | str = ""
    wide: bool = False


CardMaker = Callable[[User], Card | None]


@dataclass(frozen=True)
class _Registered:
    order: int
    name: str
    permission: str
    make: CardMaker


_cards: dict[str, _Registered] = {}


def dashboard_card(*, order: int, permission: str) -> Callable[[CardMaker], CardMaker]:
    """Register a maker of a card, seen by those who have ``permission``, placed by ``order``."""

    def register(make: CardMaker) -> CardMaker:
        name = f"{make.__module__}.{make.__name__}"
        _cards[name] = _Registered(order, name, permission, make)
        return make

    return register


def cards_for(user: User) -> list[Card]:
    """The cards that ``user`` may see and that have something to say, in their order."""
    made = (card.make(user) for card in sorted(_cards.values(), key=_place) if _sees(user, card))
    return [card for card in made if card is not None]


def _place(card: _Registered) -> tuple[int, str]:
    return card.order, card.name


def _sees(user: User, card: _Registered) -> bool:
    return not card.permission or user.has_perm(card.permission)
