"""Printable letters to banks about extensions and releases, in Arabic and English."""

from guarantees.letters.facts import has_letter, with_letters
from guarantees.letters.pages import (
    LANGUAGES,
    MOST_LETTERS,
    Tool,
    letters_of_session,
    newest_letter,
    render_letters,
)

__all__ = [
    "LANGUAGES",
    "MOST_LETTERS",
    "Tool",
    "has_letter",
    "letters_of_session",
    "newest_letter",
    "render_letters",
    "with_letters",
]
