"""What one ``sessionmanagements`` document says (collaboration.md R2, R3, R6, R8)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_noop

from migrations_tools.definitions import Warning_
from sessions_app.models import ParticipantRole, ParticipantStatus
from sessions_app.reading.collaboration import (
    access_of,
    email_of,
    instant_of,
    is_blank,
    object_id_time,
    trimmed,
)

_SHOWN: Final = 60  # characters of a value in a detail
_LAST: Final = datetime.max.replace(tzinfo=UTC)

Warnings = list[Warning_]


class RowKind(enum.Enum):
    """What a row is about (R3); ``email`` means another person in each."""

    CREATION = "creation"  # the creator
    INVITATION = "invitation"  # the inviter
    SELF_INVITATION = "self-invitation"  # inviter and invitee
    UPLOAD = "upload"  # the uploader
    ORPHAN = "orphan"  # nobody can say


class FileName(NamedTuple):
    """What identifies a file within its session (R10)."""

    name: str
    path: str


@dataclass(slots=True)
class Person:
    """A participant as the old rows have it; times are UTC."""

    role: ParticipantRole
    status: ParticipantStatus
    display_name: str
    invited_by: str = ""
    invited_at: datetime | None = None
    joined_at: datetime | None = None


class Fact(NamedTuple):
    """One row, read. ``email`` and ``invited`` are addresses or None.

    ``uploaded_at`` is the valid time of the row, ``made_at`` the one inside its ObjectId.
    ``role`` is what its access word grants, ``access_warning`` a code or nothing.
    """

    key: str
    kind: RowKind
    email: str | None
    invited: str | None
    name: str
    description: str
    role: ParticipantRole
    access_warning: str
    access: str
    file: FileName | None
    uploaded_at: datetime | None
    made_at: datetime | None
    staged_at: datetime

    @property
    def at(self) -> datetime | None:
        """When it happened, as far as anything tells."""
        return self.uploaded_at or self.made_at

    @property
    def order(self) -> tuple[bool, datetime, str]:
        """Earliest first, those without a time last; then by ``_id``."""
        at = self.at
        return at is None, at or _LAST, self.key


def read_row(row: Any, warnings: Warnings) -> Fact:
    """The fact of a staged row (``key``, ``document``, ``staged_at``); never raises."""
    key, document = row.key, row.document
    email = _address(document, "email", key, warnings)
    is_invited = not is_blank(document.get("invited_email"))
    invited = _address(document, "invited_email", key, warnings) if is_invited else None
    name = _text(document, "name", key, warnings)
    files = [field for field in ("file_name", "file_path") if not is_blank(document.get(field))]
    access = access_of(document)
    kind = _kind(email, invited, is_invited=is_invited, has_name=bool(name), has_file=bool(files))
    if kind is RowKind.ORPHAN:
        detail = gettext_noop("Row %(key)s invites “%(address)s”, which is no address.") % {
            "key": key,
            "address": _shown(document["invited_email"]),
        }
        warnings.append(Warning_("orphan_row", detail))
    return Fact(
        key=key,
        kind=kind,
        email=email,
        invited=invited,
        name=name,
        description=_text(document, "description", key, warnings),
        role=access.role,
        access_warning=access.warning,
        access=_shown(document.get("access")),
        file=_file(document, key, warnings) if files else None,
        uploaded_at=_uploaded_at(document, key, warnings),
        made_at=object_id_time(key),
        staged_at=row.staged_at,
    )


def _kind(
    email: str | None, invited: str | None, *, is_invited: bool, has_name: bool, has_file: bool
) -> RowKind:
    if is_invited:
        if invited is None:
            return RowKind.ORPHAN
        return RowKind.SELF_INVITATION if invited == email else RowKind.INVITATION
    return RowKind.CREATION if has_name or not has_file else RowKind.UPLOAD


def _address(document: Mapping[str, Any], field: str, key: str, warnings: Warnings) -> str | None:
    value = document.get(field)
    email = email_of(value)
    if email is None:
        what = "nothing" if is_blank(value) else f"“{_shown(value)}”"
        warnings.append(
            Warning_(
                "invalid_email",
                gettext_noop("Row %(key)s: %(field)s says %(what)s, no address.")
                % {"key": key, "field": field, "what": what},
            )
        )
    return email


def _text(document: Mapping[str, Any], field: str, key: str, warnings: Warnings) -> str:
    """Trimmed; what is no text counts as blank (R9)."""
    value = document.get(field)
    if isinstance(value, str):
        return trimmed(value)
    if value is not None:
        detail = gettext_noop("Row %(key)s: %(field)s is no text: %(value)s") % {
            "key": key,
            "field": field,
            "value": _shown(value),
        }
        warnings.append(Warning_("bad_text", detail))
    return ""


def _file(document: Mapping[str, Any], key: str, warnings: Warnings) -> FileName | None:
    file = FileName(
        _text(document, "file_name", key, warnings), _text(document, "file_path", key, warnings)
    )
    return file if any(file) else None


def _uploaded_at(document: Mapping[str, Any], key: str, warnings: Warnings) -> datetime | None:
    value = document.get("uploaded_at")
    instant = instant_of(value)
    if instant is None and value is not None:
        warnings.append(
            Warning_(
                "bad_date",
                gettext_noop("Row %(key)s: “%(value)s” is no date.")
                % {"key": key, "value": _shown(value)},
            )
        )
    return instant


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
