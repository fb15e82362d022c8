"""What may be refused with new guarantees and decisions about names; nothing was written then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError

_TOLD = 10  # faults in the sentence; the details have all


class EntryRefused(CarryoverError):
    """Base of these refusals."""

    code = "entry_refused"


class ValidationRefused(EntryRefused):
    """Values that cannot be, all of them at once.

    ``details`` has an object for each: ``field``, ``code``, ``message``, and ``entry``, the number
    of the guarantee in a pasted text, from 1.
    """

    code = "invalid_entry"
    http_status = 400

    def __init__(self, details: Sequence[dict[str, Any]]) -> None:
        messages = list(dict.fromkeys(detail["message"] for detail in details))
        more = (
            [_("And %(messages)s more.") % {"messages": len(messages) - _TOLD}]
            if len(messages) > _TOLD
            else []
        )
        super().__init__(" ".join(messages[:_TOLD] + more), details=list(details))


class AlreadyImported(EntryRefused):
    """The same file was imported before, and nobody has confirmed that it is meant."""

    code = "already_imported"


class DictionaryChanged(EntryRefused):
    """A supplier or bank was deleted while it was being matched."""

    code = "dictionary_changed"


class DecisionRefused(EntryRefused):
    """A name that cannot be decided for this guarantee."""

    code = "decision_refused"


class NoSuchRow(DecisionRefused):
    """No guarantee, supplier or bank of that id."""

    code = "not_found"
    http_status = 404


class DecidedMeanwhile(DecisionRefused):
    """Somebody else has decided the name since it was looked at."""

    code = "changed_meanwhile"


class NameTaken(DecisionRefused):
    """The dictionary has a supplier or bank of that name already."""

    code = "name_taken"


class GuaranteeProtected(DecisionRefused):
    """A protected guarantee is corrected by a modification."""

    code = "guarantee_protected"
