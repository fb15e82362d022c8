"""Letters as pages to look at and print, and as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from guarantees.action_errors import ValueRefused
from guarantees.admin.pages import address, refused, require
from guarantees.letters import (
    LANGUAGES,
    MOST_IN_PDF,
    MOST_LETTERS,
    Tool,
    letters_of_session,
    part_of,
    parts_of,
    render_letters,
    render_letters_as_pdf,
)
from guarantees.services.actions.finding import LARGEST_ID
from migrations_tools.exceptions import CarryoverError

_NAMES = {"ar": "العربية", "en": "English"}


@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    """``?action=1&action=2``: the letters of these actions, in this order."""
    require(request, "view_guaranteeaction")
    back = address("guaranteeaction_changelist")
    try:
        asked = [_number(text) for text in request.GET.getlist("action")[: MOST_LETTERS + 1]]
        if len(asked) == 1:
            back = address("guaranteeaction_change", asked[0])
        return _answer(request, asked, back)
    except CarryoverError as refusal:
        return refused(request, refusal, back=back, title=_("No letter"))


@require_safe
def session_letters(request: HttpRequest, pk: int) -> HttpResponse:
    """All letters of a day's session."""
    require(request, "view_guaranteeaction", "view_actionsession")
    back = address("actionsession_change", pk)
    try:
        return _answer(request, letters_of_session(pk), back)
    except CarryoverError as refusal:
        return refused(request, refusal, back=back, title=_("No letters"))


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)):
        return int(text)
    raise ValueRefused(_("“%(text)s” is no number.") % {"text": text[:50]}, field="action")


def _answer(request: HttpRequest, actions: Sequence[int], back: str) -> HttpResponse:
    """The letters, or one part of them; whoever asks for too many begins with the first part."""
    language = request.GET.get("language") or get_language() or "ar"
    part = request.GET.get("part", "")
    everything = actions
    if part:
        actions = part_of(actions, _number(part))
    if request.GET.get("format") == "pdf":
        return _pdf(actions, language)
    if len(actions) > MOST_LETTERS:
        return HttpResponseRedirect(_here(request, language=language, part="1"))
    chosen = {"part": part} if part else {}
    others = [code for code in LANGUAGES if code != language]
    tools = [
        Tool(_("Back"), back),
        *(Tool(_NAMES[code], _here(request, language=code, **chosen), code) for code in others),
    ]
    if len(actions) <= MOST_IN_PDF:
        as_pdf = _here(request, language=language, format="pdf", **chosen)
        tools.append(Tool(_("Save as PDF"), as_pdf))
    if len(everything) > MOST_IN_PDF:
        tools += [
            Tool(
                _told(number, len(everything)), _here(request, language=language, part=str(number))
            )
            for number in range(1, len(parts_of(everything)) + 1)
        ]
    return HttpResponse(render_letters(actions, language=language, is_page=True, tools=tools))


def _pdf(actions: Sequence[int], language: str) -> HttpResponse:
    answer = HttpResponse(
        render_letters_as_pdf(actions, language=language), content_type="application/pdf"
    )
    name = f"letter-{actions[0]}" if len(actions) == 1 else f"letters-{actions[0]}-{actions[-1]}"
    answer["Content-Disposition"] = f'attachment; filename="{name}-{language}.pdf"'
    return answer


def _told(part: int, letters: int) -> str:
    """A part in words: “Letters 101 to 200 of 731”."""
    return _("Letters %(first)s to %(last)s of %(all)s") % {
        "first": (part - 1) * MOST_IN_PDF + 1,
        "last": min(part * MOST_IN_PDF, letters),
        "all": letters,
    }


def _here(request: HttpRequest, **changed: str) -> str:
    asked = [("action", text) for text in request.GET.getlist("action")]
    return "?" + urlencode([*asked, *changed.items()])
