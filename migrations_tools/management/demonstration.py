"""The main job end to end on sample data, by the services that people use (SPEC §1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from migrations_tools.demo import SampleFile, Scenario
from migrations_tools.exceptions import CarryoverError
from migrations_tools.generators import generate_file
from migrations_tools.imports.service import import_legacy
from migrations_tools.management.commands.import_legacy import ProgressReport
from migrations_tools.management.datamigrate.progress import RunProgress
from migrations_tools.models import LegacyImport, Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_run
from migrations_tools.states import RunKind, RunState, Surface

#: Who edits between run and rollback: an account that cannot log in.
PERSON = "demo-clerk"


class DemonstrationFailed(CarryoverError):
    """A step did not end as it must."""

    code = "demonstration_failed"


class NotForDemonstration(CarryoverError):
    """The database holds data that is not of a demonstration; nothing was touched."""

    code = "database_in_use"


@dataclass
class StepResult:
    """What a step did, for the closing table. ``rows`` are keys, rows or edits."""

    migration: str
    step: str
    rows: int
    result: str
    seconds: float = 0.0

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0


class Demonstration:
    """One scenario, step by step. Files lie under ``folder`` and are the same every time."""

    def __init__(self, scenario: Scenario, folder: Path, acting_user: User, rows: int | None):
        self.scenario, self.folder, self.rows = scenario, folder, rows
        self.actor: dict[str, Any] = {"acting_user": acting_user, "surface": Surface.COMMAND}
        self.planned: Run | None = None
        self.applied: Run | None = None
        self.rollback: Run | None = None

    def perform(self, announce: Callable[[str], None]) -> Iterator[StepResult]:
        """The steps in order, each when it is done; ``announce`` is told before.

        Raises DemonstrationFailed, and whatever the services refuse.
        """
        steps: list[tuple[str, Callable[[], tuple[int, str]]]] = [
            ("clear away", self._clear_away),
            ("sample files", self._generate),
            ("import", self._import),
            ("plan", self._plan),
            ("run", self._run),
            ("verify", lambda: self._verify(self.applied)),
            ("edits by a person", self._edit),
            ("roll back", self._roll_back),
            ("verify the rollback", lambda: self._verify(self.rollback)),
            ("run again", self._run_again),
            ("verify again", lambda: self._verify(self.applied)),
        ]
        for name, step in steps:
            announce(name)
            started = time.monotonic()
            rows, result = step()
            seconds = time.monotonic() - started
            yield StepResult(self.scenario.migration, name, rows, result, seconds)

    def _clear_away(self) -> tuple[int, str]:
        """Take back what an earlier demonstration left, edits included."""
        for file in self.scenario.files:
            others = LegacyImport.objects.filter(kind=file.kind).exclude(file_name=file.name)
            found = others.first()
            if found is not None:
                raise NotForDemonstration(
                    f"This database holds “{found.file_name}”, which is no sample: the "
                    "demonstration is for a database of its own. Set CARRYOVER_HOME to a new "
                    "folder and run it there.",
                    file=found.file_name,
                )
        own = Run.objects.filter(definition=self.scenario.migration)
        for rollback in own.active().filter(kind=RunKind.ROLLBACK):
            self._work(runs.resume_run(rollback, **self.actor))
        cleared = 0
        for run in own.standing().order_by("-created_at"):
            undoing = roll_back_run(run, reason="demonstration begins", force=True, **self.actor)
            if undoing is not None:
                self._work(undoing)
                cleared += 1
        return cleared, "runs taken back" if cleared else "nothing was there"

    def _generate(self) -> tuple[int, str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in self.scenario.files:
            generate_file(
                file.kind,
                self._path(file),
                rows=self.rows or file.rows,
                seed=file.seed,
                defects=file.defects,
                force=True,
            )
        return sum(self.rows or file.rows for file in self.scenario.files), ", ".join(
            file.name for file in self.scenario.files
        )

    def _path(self, file: SampleFile) -> Path:
        return self.folder / file.name

    def _import(self) -> tuple[int, str]:
        imports: list[LegacyImport] = []
        with ProgressReport() as report:
            for file in self.scenario.files:
                imports += import_legacy(
                    file.kind, [self._path(file)], progress=report, **self.actor
                )
        return sum(each.read for each in imports), _told(
            imported=sum(each.imported for each in imports),
            updated=sum(each.updated for each in imports),
            unchanged=sum(each.unchanged for each in imports),
            rejected=sum(each.rejected for each in imports),
        )

    def _plan(self) -> tuple[int, str]:
        with RunProgress(f"plan {self.scenario.migration}") as progress:
            planned = runs.plan_run(self.scenario.migration, progress=progress.add, **self.actor)
        if planned is None:
            raise DemonstrationFailed("There is nothing to carry over after the import.")
        self.planned = planned
        low, high = planned.report["estimate"]["seconds"]
        return planned.report["total"], f"forecast: {low} to {high} s"

    def _run(self) -> tuple[int, str]:
        run = runs.start_run(
            self.scenario.migration, planned=self.planned, reason="demonstration", **self.actor
        )
        if run is None:
            raise DemonstrationFailed("There is nothing to run after the plan.")
        self.applied = self._work(run)
        return self._outcomes(self.applied)

    def _run_again(self) -> tuple[int, str]:
        self.planned = None
        return self._run()

    def _edit(self) -> tuple[int, str]:
        person, made = get_user_model().objects.get_or_create(
            username=PERSON, defaults={"is_active": False}
        )
        if made:
            person.set_unusable_password()
            person.save(update_fields=["password"])
        return self.scenario.edit(person), "rows changed"

    def _roll_back(self) -> tuple[int, str]:
        assert self.applied is not None  # noqa: S101 - the steps have an order
        rollback = roll_back_run(self.applied, reason="demonstration", **self.actor)
        if rollback is None:
            raise DemonstrationFailed("There is nothing to roll back after the run.")
        self.rollback = self._work(rollback)
        return self._outcomes(self.rollback)

    def _work(self, run: Run) -> Run:
        with RunProgress(f"{run.kind} {run.definition}") as progress:
            run = runs.work_run(run, progress=progress.of_run)
        if run.state != RunState.COMPLETED:
            raise DemonstrationFailed(
                f"Run {run.pk} is {run.get_state_display()}. {run.state_reason}", run=str(run.pk)
            )
        return run

    def _outcomes(self, run: Run) -> tuple[int, str]:
        summary = summarise(run, problems=False)
        return summary["total"], _told(**summary["outcomes"])

    def _verify(self, run: Run | None) -> tuple[int, str]:
        assert run is not None  # noqa: S101 - the steps have an order
        answer = verify_run(run, **self.actor)
        failed = [check["code"] for check in answer["checks"] if not check["ok"]]
        if failed:
            raise DemonstrationFailed(
                f"The verification of run {run.pk} failed: {', '.join(failed)}.",
                code="not_verified",
                run=str(run.pk),
            )
        edited = sum(check.get("edited_since", 0) for check in answer["checks"])
        examined = sum(check["examined"] for check in answer["checks"])
        told = f"all {len(answer['checks'])} checks passed"
        return examined, f"{told}, {edited} edited since" if edited else told


def _told(**counts: int) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items() if number) or "nothing"
