"""Letters as one HTML document, each on a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.template.loader import render_to_string

from guarantees.action_errors import NotFound, ValueRefused
from guarantees.letters.facts import letter_of, sender
from guarantees.models import GuaranteeAction
from guarantees.services.actions.finding import LARGEST_ID

#: Language → direction of writing.
LANGUAGES: Final = {"ar": "rtl", "en": "ltr"}


def render_letters(action_ids: Sequence[int], *, language: str = "ar") -> str:
    """One HTML document with the letters of these actions, in this order, a page each.

    It needs nothing beside itself: styles are in it, and nothing is loaded. Raises NotFound,
    LetterRefused or ValueRefused; then there is no document at all.
    """
    if language not in LANGUAGES:
        raise ValueRefused(f"“{language}” is no language of letters: {', '.join(LANGUAGES)}.")
    if not action_ids:
        raise ValueRefused("Name at least one action.")
    return render_to_string(
        f"guarantees/letters/{language}.html",
        {
            "language": language,
            "direction": LANGUAGES[language],
            "letters": [letter_of(action, language) for action in _in_order(action_ids)],
            "sender": sender(language),
        },
    )


def _in_order(action_ids: Sequence[int]) -> list[GuaranteeAction]:
    """The actions as they are named, each once, by one query."""
    wanted = list(dict.fromkeys(action_ids))
    storable = [pk for pk in wanted if 0 < pk <= LARGEST_ID]
    found = GuaranteeAction.objects.select_related("guarantee").in_bulk(storable)
    for pk in wanted:
        if pk not in found:
            raise NotFound(f"There is no action {pk}.", action=pk)
    return [found[pk] for pk in wanted]
