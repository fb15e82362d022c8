"""Definitions and steps."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Model
from django.utils.translation import gettext

from migrations_tools.definitions.changes import Change
from migrations_tools.definitions.checks import SQLCheck, SQLScan
from migrations_tools.definitions.decisions import Decision
from migrations_tools.definitions.options import NoOptions
from migrations_tools.definitions.outcomes import Outcome
from migrations_tools.definitions.sources import Source
from migrations_tools.models import ReviewItem


class Step:
    """One pass over a source. Subclasses give ``source``, ``writes`` and ``transform``.

    A step whose options choose among the keys narrows its own ``source`` in ``__init__``: of the
    other keys a run says nothing. The model stays the same.

    ``derived`` names columns (model → names) that are computed from other rows, such as totals:
    they are outside digests, never restored and never a conflict. A step that fills them is
    ``recomputed`` after a rollback too. A step over the run's own output is not ``counted``:
    it has ledger entries, but its keys are no source keys.

    ``shares`` names the models that ``Ensure`` makes, with the natural keys it uses; each needs
    a unique constraint over exactly these fields.

    A step that answers ``Review`` says in ``decided`` what a person's decision does. ``choices``
    is a dataclass of ``option`` fields, as ``options`` is: what the person may choose instead of
    the proposal. ``check_choice`` refuses a choice before anything is decided.

    A batch waits for rows that others have locked. Where ``held_code`` is given, rows that stay
    locked through several waits are quarantined with this code, and the others go on.
    """

    source: Source
    writes: ClassVar[Sequence[type[Model]]] = ()
    shares: ClassVar[dict[type[Model], Sequence[tuple[str, ...]]]] = {}
    derived: ClassVar[dict[type[Model], Sequence[str]]] = {}
    counted: ClassVar[bool] = True
    recomputed: ClassVar[bool] = False
    choices: ClassVar[type[Any] | None] = None
    held_code: ClassVar[str] = ""

    def __init__(self, options: Any) -> None:
        self.options = options

    def load(self, rows: Sequence[Any]) -> Any:
        """What a whole batch needs, in a constant number of queries; given to ``transform``."""
        return None

    def load_decided(self, rows: Sequence[Any], decisions: Sequence[Decision]) -> Any:
        """As ``load``, for rows that persons decided on, a decision each; given to ``decided``."""
        return self.load(rows)

    def transform(self, row: Any, context: Any) -> Outcome:
        """The outcome for one row or group. No database, no clock, no randomness.

        Raises Reject to quarantine the key.
        """
        raise TypeError(f"{type(self).__name__} has no transform")

    def decided(self, row: Any, context: Any, decision: Decision) -> Outcome:
        """The outcome for a row or group whose review a person decided; as pure as ``transform``.

        Called instead of ``transform``, with what ``load_decided`` found, and only while the row
        is what the review saw. Raises Reject to quarantine the key.
        """
        raise TypeError(f"{type(self).__name__} does not say what a decision does: give it decided")

    def confirm(self, changes: Sequence[Change]) -> None:
        """Look at what was written, in the same transaction, in a constant number of queries.

        ``changes`` are those of many keys. Raises Reject where a row is not as it was to be: the
        engine finds the key, quarantines it, and takes what it wrote back; the others stay.
        """

    @classmethod
    def check_choice(cls, choice: Any, items: Sequence[ReviewItem]) -> None:
        """Raise Reject where ``choice``, an object of ``choices``, cannot be chosen for ``items``.

        It may query the database. Nothing is decided then: the code and the sentence of the
        Reject are what the person is told.
        """

    @classmethod
    def title(cls) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__.removesuffix("Step")).lower()


class DataMigration:
    """A data migration. A definition of one step may give the step's attributes itself."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    options: ClassVar[type[Any]] = NoOptions
    steps: ClassVar[Sequence[type[Step]]]
    checks: ClassVar[Sequence[SQLCheck | SQLScan]] = ()
    depends_on: ClassVar[Sequence[str]] = ()
    cutover_key: ClassVar[str | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        if "steps" not in cls.__dict__ and "source" in cls.__dict__:
            cls.steps = [_own_step(cls)]

    @classmethod
    def title(cls) -> str:
        """The name as a heading, in the language of the page."""
        return gettext(cls.name.replace("_", " ").capitalize())

    @classmethod
    def description(cls) -> str:
        """What it does, in the language of the page."""
        words = inspect.cleandoc(cls.__doc__ or "")
        return gettext(words) if words else ""

    @classmethod
    def written_models(cls) -> list[type[Model]]:
        """Every model that a step writes, in order of first mention."""
        return list(dict.fromkeys(model for step in cls.steps for model in step.writes))

    @classmethod
    def counted_steps(cls) -> list[int]:
        """Indexes of the steps whose keys are source keys."""
        return [index for index, step in enumerate(cls.steps) if step.counted]

    @classmethod
    def derived_columns(cls, model: type[Model]) -> set[str]:
        """Columns (database names) of ``model`` that are computed from other rows."""
        names = {name for step in cls.steps for name in step.derived.get(model, ())}
        return {str(model._meta.get_field(name).column) for name in names}  # type: ignore[union-attr]

    @classmethod
    def risks(cls, summary: dict[str, Any]) -> list[str]:
        """Risks to show beside a plan, worked out from its forecast (JSON shape of SPEC §3)."""
        return []

    @classmethod
    def recommendations(cls, summary: dict[str, Any]) -> list[str]:
        """What to do before the run, in order of importance."""
        return []

    @classmethod
    def health(cls) -> dict[str, Any]:
        """Figures of its own for ``datamigrate health``."""
        return {}


#: What a definition says of itself and not of its only step.
_OF_THE_DEFINITION = frozenset(
    {"name", "version", "options", "steps", "checks", "depends_on", "cutover_key"}
    | {"risks", "recommendations", "health"}
)


def _own_step(cls: type[DataMigration]) -> type[Step]:
    """The step that a definition of one step describes itself, with the helpers it calls."""
    own = {
        name: value
        for name, value in cls.__dict__.items()
        if name not in _OF_THE_DEFINITION and not name.startswith("__")
    }
    return type(f"{cls.__name__}Step", (Step,), {**own, "__module__": cls.__module__})
