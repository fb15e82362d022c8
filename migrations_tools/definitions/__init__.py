"""What a developer writes: definitions, steps, sources, outcomes, changes, checks.

Everything a data migration needs is imported from here.
"""

from migrations_tools.definitions.base import DataMigration, Step
from migrations_tools.definitions.changes import Delete, Ensure, Insert, Update, build
from migrations_tools.definitions.checks import SQLCheck, SQLScan
from migrations_tools.definitions.decisions import Decision
from migrations_tools.definitions.options import NoOptions, option
from migrations_tools.definitions.outcomes import (
    Apply,
    Conflict,
    Outcome,
    Reject,
    Review,
    Skip,
    Unchanged,
    Warning_,
    shown,
)
from migrations_tools.definitions.registry import all_definitions, get_definition, register
from migrations_tools.definitions.sources import Group, GroupSource, RowSource, TouchedSource

__all__ = [
    "Apply",
    "Conflict",
    "DataMigration",
    "Decision",
    "Delete",
    "Ensure",
    "Group",
    "GroupSource",
    "Insert",
    "NoOptions",
    "Outcome",
    "Reject",
    "Review",
    "RowSource",
    "SQLCheck",
    "SQLScan",
    "Skip",
    "Step",
    "TouchedSource",
    "Unchanged",
    "Update",
    "Warning_",
    "all_definitions",
    "build",
    "get_definition",
    "option",
    "register",
    "shown",
]
