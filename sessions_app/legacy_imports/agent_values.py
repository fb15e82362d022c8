"""How values of the agents' old system are read: ids, instants, words, JSON (agents.md "Shape").

What cannot be used is not lost: whoever asks keeps the value as written beside the row.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import DateTimeField
from django.utils.translation import gettext_noop

from migrations_tools.imports.tables import RowRefusedError
from migrations_tools.imports.values import DoesNotFitError, converter, document_json
from migrations_tools.text import storable, storable_text
from sessions_app.models import Actor, ProjectStatus, SessionStatus
from sessions_app.reading.blanks import is_blank

Values = dict[str, Any]

LONGEST_ID: Final = 255  # characters, as the columns hold them

_UUID: Final = re.compile(
    r"(?:urn:uuid:)?\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?",
    re.IGNORECASE | re.ASCII,
)
#: How exports write that there is nothing.
_NOTHING: Final = frozenset({"", "null", "none", "nil", "undefined", "\\n"})

_AGENT_STATUSES: Final[Mapping[str, SessionStatus]] = {
    **dict.fromkeys(("active", "running", "open", "started", "resumed"), SessionStatus.ACTIVE),
    "in_progress": SessionStatus.ACTIVE,
    **dict.fromkeys(("inactive", "idle", "paused", "stale", "expired"), SessionStatus.INACTIVE),
    **dict.fromkeys(("timeout", "timed_out"), SessionStatus.INACTIVE),
    **dict.fromkeys(("completed", "complete", "done", "ended"), SessionStatus.COMPLETED),
    **dict.fromkeys(("finished", "closed", "success", "archived"), SessionStatus.COMPLETED),
    **dict.fromkeys(("abandoned", "cancelled", "canceled", "failed"), SessionStatus.ABANDONED),
    **dict.fromkeys(("aborted", "error", "crashed", "deleted"), SessionStatus.ABANDONED),
}
_PROJECT_STATUSES: Final[Mapping[str, ProjectStatus]] = {
    **dict.fromkeys(("active", "open", "running", "in_progress"), ProjectStatus.ACTIVE),
    **dict.fromkeys(("paused", "on_hold", "inactive", "suspended"), ProjectStatus.PAUSED),
    **dict.fromkeys(("completed", "complete", "done", "finished"), ProjectStatus.COMPLETED),
    **dict.fromkeys(("archived", "archive", "closed", "deleted"), ProjectStatus.ARCHIVED),
}
_ACTORS: Final[Mapping[str, Actor]] = {
    **dict.fromkeys(("human", "user", "person"), Actor.HUMAN),
    **dict.fromkeys(("ai", "agent", "assistant", "bot"), Actor.AI),
    "system": Actor.SYSTEM,
}
_YES: Final = frozenset({"true", "t", "yes", "y", "1"})

_instant_of = converter(DateTimeField())


def is_nothing(value: Any) -> bool:
    """Whether an id or an instant is missing, whatever the export writes for that."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in _NOTHING)


def scalar_text(value: Any) -> str | None:
    """A scalar as trimmed text; None for lists and objects, and for what no column can hold."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    text = (format(value, "f") if isinstance(value, Decimal) else str(value)).strip()
    return text if storable(text) else None


def canonical(text: str) -> str:
    """UUIDs in lower case with hyphens, anything else as it is."""
    found = _UUID.fullmatch(text)
    return found[1].lower() if found else text


def required_id(value: Any) -> str:
    """The canonical id of a row. Raises RowRefusedError where there is none that can be used.

    Words such as “none” are ids like any other here.
    """
    if is_blank(value):
        raise RowRefusedError("id_missing", gettext_noop("The row has no id."))
    text = scalar_text(value)
    if not text or len(text) > LONGEST_ID:
        shown = storable_text(str(value))[:60]
        raise RowRefusedError(
            "invalid_id",
            gettext_noop("“%(shown)s” is no id of 1 to %(longest_id)s characters.")
            % {"shown": shown, "longest_id": LONGEST_ID},
        )
    return canonical(text)


def project_id(value: Any) -> uuid.UUID | None:
    """The UUID of a project, of any version; None for what is no UUID."""
    try:
        return uuid.UUID(scalar_text(value) or "")
    except ValueError:
        return None


def instant(value: Any) -> datetime:
    """ISO text, or seconds or milliseconds since 1970. Raises DoesNotFitError."""
    try:
        return _instant_of(value)  # type: ignore[no-any-return]  # of a DateTimeField
    except DoesNotFitError:
        return _since_1970(value)


def _since_1970(value: Any) -> datetime:
    try:
        number = float(scalar_text(value) or "")
    except ValueError:
        raise DoesNotFitError from None
    seconds = number / 1_000 if number >= 1e11 else number
    if not 1e8 <= seconds < 1e11:  # from 1973 on: small numbers mean something else
        raise DoesNotFitError
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _word(value: Any) -> str:
    return re.sub(r"[\s\-]+", "_", (scalar_text(value) or "").casefold())


def agent_status(value: Any, *, ended: bool) -> SessionStatus:
    """The status a word stands for; an unknown word says only whether the session has ended."""
    unknown = SessionStatus.COMPLETED if ended else SessionStatus.ACTIVE
    return _AGENT_STATUSES.get(_word(value), unknown)


def project_status(value: Any) -> ProjectStatus:
    """The status a word stands for; active for an unknown one."""
    return _PROJECT_STATUSES.get(_word(value), ProjectStatus.ACTIVE)


def actor(value: Any) -> str:
    """The actor a word stands for; other words as written."""
    return _ACTORS.get(_word(value), scalar_text(value) or "")


def yes(value: Any) -> bool:
    return value is True or _word(value) in _YES


def json_object(value: Any, name: str) -> Values:
    """A JSON object, given as such or as its text; anything else becomes the value of ``name``."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {name: value} if value.strip() else {}
    if value is None:
        return {}
    return dict(value) if isinstance(value, dict) else {name: value}


def with_remains(own: Values, remains: Mapping[str, Any]) -> str:
    """JSON text of ``own`` and of what no column took, each under its column's name."""
    for name, value in remains.items():
        if value is None:
            continue
        taken = name in own and own[name] != value
        own[f"{name} (column)" if taken else name] = value
    if not own:
        return "{}"
    try:
        return document_json(own)
    except RecursionError:  # only the text of a CSV cell can be that deep: readers refuse it
        return json.dumps({"too_deep": True})
