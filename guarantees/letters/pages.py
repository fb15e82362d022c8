"""Letters as one HTML document, each on a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from guarantees.action_errors import LetterRefused, NotFound, ValueRefused
from guarantees.letters.facts import letter_of, sender, with_letters
from guarantees.models import ActionSession, GuaranteeAction
from guarantees.services.actions.finding import LARGEST_ID
from migrations_tools.pdf import render_pdf

#: Language → direction of writing.
LANGUAGES: Final = {"ar": "rtl", "en": "ltr"}

#: Where the rules of letters lie, for pages that load them.
STYLESHEET: Final = "carryover/letters.css"
_STYLES: Final = Path(__file__).parent.parent / "static" / STYLESHEET

#: Letters that one document holds at most, one PDF, and one part of a document.
MOST_LETTERS: Final = 500
MOST_IN_PDF: Final = 100  # more keep a person waiting for minutes


@dataclass(frozen=True, slots=True)
class Tool:
    """A link above the letters, on the screen only; ``language`` is that of ``title``."""

    title: str
    address: str
    language: str = ""


def render_letters(
    action_ids: Sequence[int],
    *,
    language: str = "ar",
    is_page: bool = False,
    tools: Sequence[Tool] = (),
) -> str:
    """One HTML document with the letters of these actions, in this order, a page each.

    It needs nothing beside itself: styles are in it, and nothing is loaded. Only a page of the
    application (``is_page``) loads its stylesheet, since its policy allows no styles in pages.
    Raises NotFound, LetterRefused or ValueRefused; then there is no document at all.
    """
    if language not in LANGUAGES:
        raise ValueRefused(
            _("“%(language)s” is no language of letters: %(languages)s.")
            % {"language": language, "languages": ", ".join(LANGUAGES)}
        )
    if not action_ids:
        raise ValueRefused(_("Name at least one action."))
    if len(action_ids) > MOST_LETTERS:
        raise ValueRefused(
            _(
                "%(n)s letters are more than one document holds, which is %(most)s. Take them in "
                "parts: part 1 to part %(parts)s."
            )
            % {"n": len(action_ids), "most": MOST_LETTERS, "parts": len(parts_of(action_ids))}
        )
    return render_to_string(
        f"guarantees/letters/{language}.html",
        {
            "language": language,
            "direction": LANGUAGES[language],
            "letters": [letter_of(action, language) for action in _in_order(action_ids)],
            "sender": sender(language),
            "stylesheet": static(STYLESHEET) if is_page else "",
            "icon": static("carryover/icon.svg") if is_page else "",
            "styles": _styles(),
            "tools": tools,
        },
    )


def render_letters_as_pdf(action_ids: Sequence[int], *, language: str = "ar") -> bytes:
    """The same document as PDF. Raises as `render_letters`, also for too many letters of a PDF,
    and PDFUnavailable.
    """
    if len(action_ids) > MOST_IN_PDF:
        raise ValueRefused(
            _(
                "%(n)s letters are more than one PDF holds, which is %(most)s. Take them in parts: "
                "part 1 to part %(parts)s."
            )
            % {"n": len(action_ids), "most": MOST_IN_PDF, "parts": len(parts_of(action_ids))}
        )
    return render_pdf(render_letters(action_ids, language=language))


def parts_of(action_ids: Sequence[int]) -> list[Sequence[int]]:
    """The letters in parts that one PDF holds each; part 1 is the first."""
    starts = range(0, len(action_ids), MOST_IN_PDF)
    return [action_ids[start : start + MOST_IN_PDF] for start in starts]


def part_of(action_ids: Sequence[int], part: int) -> Sequence[int]:
    """The letters of one part, counted from 1. Raises ValueRefused where there is no such part."""
    parts = parts_of(action_ids)
    if not 1 <= part <= len(parts):
        raise ValueRefused(
            _("There is no part %(part)s of these letters; the last is part %(parts)s.")
            % {"part": part, "parts": len(parts)},
            field="part",
        )
    return parts[part - 1]


def letters_of_session(session_id: int) -> list[int]:
    """The actions of a session that have a letter, in the order in which they were issued.

    Raises NotFound for an unknown session and LetterRefused where there is none to print.
    """
    pk = session_id if 0 < session_id <= LARGEST_ID else 0
    session = ActionSession.objects.filter(pk=pk).first()
    if session is None:
        raise NotFound(
            _("There is no action session %(session_id)s.") % {"session_id": session_id},
            session=session_id,
        )
    actions = with_letters(GuaranteeAction.objects.filter(session=session))
    found = list(actions.order_by("issued_at", "pk").values_list("pk", flat=True))
    if not found:
        raise LetterRefused(
            _("No action of %(day)s has a letter: letters are for issued extensions and releases.")
            % {"day": session.day},
            session=session.pk,
        )
    return found


def newest_letter(guarantee_id: int) -> int | None:
    """The newest action of a guarantee that has a letter."""
    actions = with_letters(GuaranteeAction.objects.filter(guarantee=guarantee_id))
    return actions.order_by("-issued_at", "-pk").values_list("pk", flat=True).first()


@cache
def _styles() -> SafeString:
    return mark_safe(_STYLES.read_text(encoding="utf-8"))  # noqa: S308 - our own file


def _in_order(action_ids: Sequence[int]) -> list[GuaranteeAction]:
    """The actions as they are named, each once, by one query."""
    wanted = list(dict.fromkeys(action_ids))
    storable = [pk for pk in wanted if 0 < pk <= LARGEST_ID]
    found = GuaranteeAction.objects.select_related("guarantee").in_bulk(storable)
    for pk in wanted:
        if pk not in found:
            raise NotFound(_("There is no action %(pk)s.") % {"pk": pk}, action=pk)
    return [found[pk] for pk in wanted]
