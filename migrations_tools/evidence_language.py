"""What is kept is in one language, whatever the language of who asked for it.

Refusals, states and reasons are words of the catalogue: a page tells them in its own language. What
workers and services store – ledger, checks, transitions, rejected lines, notices, reports – is
evidence, read by others and compared later, so it is always told in English.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.utils import translation

EVIDENCE_LANGUAGE: Final = "en"

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_evidence_language(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let ``function`` tell and store everything in the language of evidence."""

    @wraps(function)
    def told(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        # a new one for each call: threads have languages of their own
        with translation.override(EVIDENCE_LANGUAGE):
            return function(*arguments, **named)

    return told
