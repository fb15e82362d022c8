"""Checks of a definition: what must hold afterwards, as SQL of its own.

A check never calls ``transform``: a check through the same parser could not fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SQLCheck:
    """``failures`` selects (key, detail) of wrong rows; ``examined`` counts those looked at.

    ``failures`` may select a third column, ``edited``: true where a newer history row explains
    the difference; such rows are counted apart and do not fail the check.
    ``parameters`` are values, or functions that tell one when the check runs (settings).
    ``may_be_empty``: whether looking at nothing is an answer (for rows that need not exist).
    """

    code: str
    title: str
    examined: str
    failures: str
    parameters: dict[str, Any] = field(default_factory=dict)
    may_be_empty: bool = False


@dataclass(frozen=True)
class SQLScan:
    """Several checks answered by one pass over the same rows.

    ``titles`` by code, in the order in which they are told. ``failures`` selects (code, key,
    detail) and may select a fourth column, ``edited``; the rest is as for a single check.
    """

    titles: Mapping[str, str]
    examined: str
    failures: str
    parameters: dict[str, Any] = field(default_factory=dict)
    may_be_empty: bool = False
