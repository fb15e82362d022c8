"""Pages that have become old: what a form has shown travels with it, and is compared on saving.

The page carries a digest of every value. A value that the person has left as it was is never
written, so that nobody undoes unseen what somebody else has changed meanwhile; where both have
changed the same one, the second is told what it is now, and by whom, before anything is saved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.db.models import Manager, Model, QuerySet
from django.forms.models import model_to_dict
from django.utils.formats import localize
from django.utils.text import capfirst, get_text_list
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError

#: The hidden input of ``admin/change_form.html``.
SEEN: Final = "_seen"
_DIGEST: Final = 16  # signs of a digest: short on the page, and no two values share one
_LONGEST_TOLD: Final = 200  # signs of a value in a sentence


class ChangedMeanwhile(CarryoverError):
    """Somebody else has changed a value that the person changes too."""

    code = "changed_meanwhile"


class SeenForm(forms.ModelForm[Any]):
    """A form whose page says what it has shown. One that is sent without that has shown what is
    stored when it comes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen = {} if self.instance._state.adding else self._digests(self.instance)
        if self.is_bound:
            sent = _read(self.data.get(SEEN, ""))
            self._seen |= {name: sent[name] for name in self._seen if name in sent}
        #: What somebody else has changed, and this form leaves as it is now; in words.
        self.meanwhile = ""

    def values_of(self, row: Any) -> dict[str, Any]:
        """The values of a stored row by the names of the fields that show them."""
        return model_to_dict(row, fields=list(self.fields))

    @property
    def seen(self) -> str:
        """What the page says that it shows."""
        return json.dumps(self._seen) if self._seen else ""

    def changed_values(self) -> dict[str, Any]:
        """What differs from the values that the page has shown; of a new row, all of them."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if self._seen.get(name) != _digest(value)
        }

    def expect_unchanged(self, row: Any) -> None:
        """Compare the row, which is locked, with what the page has shown.

        Raises ChangedMeanwhile; the page then shows what is new, and saving again overwrites it.
        """
        now = self._digests(row)
        theirs = [name for name in now if now[name] != self._seen.get(name)]
        written = {name: _digest(value) for name, value in self.changed_values().items()}
        clashes = [
            name for name in now if name in theirs and written.get(name, now[name]) != now[name]
        ]
        if clashes:
            self._seen |= {name: now[name] for name in clashes}
            message = _("What you have written stands below: save again to put it in its place.")
            raise ChangedMeanwhile(f"{self._told(row, clashes)} {message}")
        kept = [name for name in theirs if name not in written]
        self.meanwhile = self._told(row, kept) if kept else ""

    def _digests(self, row: Any) -> dict[str, str]:
        return {
            name: _digest(value)
            for name, value in self.values_of(row).items()
            if name in self.fields and not self.fields[name].disabled
        }

    def _told(self, row: Any, changed: Iterable[str]) -> str:
        values = self.values_of(row)
        told = [
            _("“%(field)s” is “%(value)s” now")
            % {
                "field": capfirst(str(self.fields[name].label or name)),
                "value": _in_words(row, name, values[name]),
            }
            for name in changed
        ]
        sentence = _("Somebody else has changed this since the page was opened: %(changes)s.") % {
            "changes": get_text_list(told, _("and"))
        }
        return f"{sentence} {_last_change(self.instance)}".strip()


def _read(sent: Any) -> Mapping[str, Any]:
    try:
        seen = json.loads(sent)
    except (ValueError, RecursionError):
        return {}
    return seen if isinstance(seen, dict) else {}


def _digest(value: Any) -> str:
    return hashlib.sha256(_plain(value).encode("utf-8", "replace")).hexdigest()[:_DIGEST]


def _plain(value: Any) -> str:
    """One text for a value, whether a form has read it or the database: rows by their keys."""
    match value:
        case None:
            return ""
        case Model():
            return str(value.pk)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value.normalize():f}"
        case str():
            return value.replace("\r\n", "\n")
        case list() | tuple() | set() | QuerySet():
            return "\n".join(sorted(_plain(each) for each in value))
        case _:
            return str(value)


def _in_words(row: Any, name: str, value: Any) -> str:
    shown = getattr(row, f"get_{name}_display", None)
    if shown is not None:
        return str(shown())
    stored = getattr(row, name, value)
    if isinstance(stored, Manager):
        return ", ".join(str(each) for each in stored.all()) or "–"
    if isinstance(stored, bool):
        return _("yes") if stored else _("no")
    if isinstance(stored, datetime):
        stored = localtime(stored)
    text = "–" if stored in (None, "") else str(localize(stored))
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"


def _last_change(row: Any) -> str:
    history = getattr(row, "history", None)
    last = None if history is None else history.first()
    if last is None:
        return ""
    return _("Last change: %(what)s, %(who)s (%(when)s).") % {
        "what": last.history_change_reason or last.get_history_type_display(),
        "who": last.history_user or _("the system"),
        "when": localize(localtime(last.history_date)),
    }
