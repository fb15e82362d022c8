"""One tree of errors: each carries a machine code and a sentence that says how to go on.

Surfaces (command, admin, API) render these in one place each; nothing below a surface formats
an error for a person in any other way.
"""

from __future__ import annotations

from typing import Any


class CarryoverError(Exception):
    """Base of every refusal. ``code`` is stable, ``message`` is for a person.

    ``http_status`` is the class of the refusal in the words of HTTP, such as 403, 404, 409 or 422.
    """

    code = "error"
    http_status = 409

    def __init__(self, message: str, *, code: str | None = None, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.fields = fields

    def as_dict(self) -> dict[str, Any]:
        """The error envelope's inner object (SPEC §3)."""
        return {"code": self.code, "message": self.message, **self.fields}


class UnknownDefinition(CarryoverError):
    code = "unknown_migration"
    http_status = 404


class UnknownRun(CarryoverError):
    code = "unknown_run"
    http_status = 404


class InvalidOption(CarryoverError):
    code = "invalid_option"
    http_status = 422


class ActiveRun(CarryoverError):
    """A run of the same definition, or one that writes the same table, is still active."""

    code = "run_active"


class DependencyUnfinished(CarryoverError):
    """A migration that this one depends on still has keys to carry over."""

    code = "dependency_unfinished"


class DataMigrationUnfinished(CarryoverError):
    """What needs a data migration's result, code or ``migrate``, has to wait for it.

    The message says what a person does first.
    """

    code = "data_migration_unfinished"


class TransitionRefused(CarryoverError):
    code = "transition_refused"


class PermissionRefused(CarryoverError):
    code = "permission_denied"
    http_status = 403


class PlanDrift(CarryoverError):
    """Code, options, schema or evidence differ from what the plan saw."""

    code = "plan_drift"


class PlanRefused(CarryoverError):
    code = "plan_refused"


class RehearsalCancelled(CarryoverError):
    """Somebody cancelled the plan or dry run at work; nothing was kept."""

    code = "run_cancelled"


class JournalDamaged(CarryoverError):
    """Missing or changed journal or ledger rows; nothing was written."""

    code = "journal_damaged"


class SchemaDrift(CarryoverError):
    """A column that the run wrote is gone or narrower; nothing was written."""

    code = "schema_drift"


class DefinitionFault(CarryoverError):
    """The definition did what no definition may: undeclared writes, changing keys, …"""

    code = "definition_fault"


class LeaseLost(CarryoverError):
    """Another worker took the batch over; this transaction is rolled back."""

    code = "lease_lost"


class ImportRefused(CarryoverError):
    """A file that cannot be imported at all; nothing of it was kept."""

    code = "import_refused"
    http_status = 422


class ReviewRefused(CarryoverError):
    """Items that cannot be decided so; nothing was decided."""

    code = "review_refused"
