"""Cutover keys: what can be cut over. Domains register theirs in ``cutovers`` modules."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError


class UnknownCutover(CarryoverError):
    code = "unknown_cutover"
    http_status = 404


_OFF_WORDS = frozenset({"0", "false", "no", "off"})


def _nothing() -> Sequence[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class CutoverKey:
    """A pair of systems. ``definition`` is the data migration that carries the old rows over.

    ``environment`` names a variable that forces reads of the old system while it is ``false``.
    ``only_in_new`` answers what the old system does not know, which forbids the way back to it.
    """

    name: str
    title: str
    definition: str
    environment: str
    only_in_new: Callable[[], Sequence[str]] = _nothing

    def forced_to_legacy(self) -> bool:
        """Whether the environment forces reads of the old system, as in an emergency."""
        return os.environ.get(self.environment, "").strip().lower() in _OFF_WORDS


_keys: dict[str, CutoverKey] = {}


def register_cutover(key: CutoverKey) -> CutoverKey:
    """Make a key known; its name must be free."""
    if _keys.get(key.name, key) != key:
        raise ValueError(f"the cutover {key.name!r} is registered twice")
    _keys[key.name] = key
    return key


def all_cutovers() -> list[CutoverKey]:
    return [_keys[name] for name in sorted(_keys)]


def get_cutover(name: str) -> CutoverKey:
    """The key called ``name``; raises UnknownCutover naming the known ones."""
    try:
        return _keys[name]
    except KeyError:
        known = ", ".join(sorted(_keys)) or "none"
        raise UnknownCutover(
            _("There is no cutover “%(name)s”; known are: %(known)s.")
            % {"name": name, "known": known}
        ) from None
