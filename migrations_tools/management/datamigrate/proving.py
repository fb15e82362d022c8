"""Verify and roll back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from migrations_tools.definitions.registry import all_definitions, get_definition
from migrations_tools.management.base import ExitCode
from migrations_tools.management.datamigrate.base import Answer, Subcommand, exit_code_of
from migrations_tools.management.datamigrate.running import positive, work
from migrations_tools.selectors.summary import nothing_to_do, summarise
from migrations_tools.services import runs
from migrations_tools.services.actors import require
from migrations_tools.services.requests import request_rollback
from migrations_tools.services.rollback import rehearse_rollback, roll_back_run
from migrations_tools.services.verification import (
    request_verification,
    request_verifications,
    verify_definition,
    verify_run,
)
from migrations_tools.states import RunKind, RunState


class Verify(Subcommand):
    name = "verify"
    help = "Prove a run, or all data of a definition, right – or name what is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("subject", metavar="RUN|NAME")
        parser.add_argument("--workers", type=positive, default=1, help="Connections at once.")
        parser.add_argument("--background", action="store_true", help="Leave it to the workers.")

    def execute(self, **options: Any) -> Answer:
        subject, workers = options["subject"], options["workers"]
        require(self.actor["acting_user"], "run", surface=self.actor["surface"])
        named = subject in {definition.name for definition in all_definitions()}
        if options["background"]:
            return self._leave_to_workers(subject, named=named)
        if named:
            answer = verify_definition(subject, workers=workers, **self.actor)
        else:
            answer = verify_run(runs.get_run(subject), workers=workers, **self.actor)
        return answer, ExitCode.DONE if answer["ok"] else ExitCode.NOT_VERIFIED

    def _leave_to_workers(self, subject: str, *, named: bool) -> Answer:
        """The run, or the newest of a definition's runs, all of which are to be verified."""
        if not named:
            run = request_verification(runs.get_run(subject), **self.actor)
            return summarise(run), ExitCode.DONE
        definition = get_definition(subject)
        asked = request_verifications(definition, **self.actor)
        if not asked:
            return nothing_to_do(definition, RunKind.APPLY), ExitCode.DONE
        return summarise(asked[-1]), ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        if options["background"]:
            self.stdout.write(
                f"The workers will verify it; datamigrate status {answer['run']} tells when."
                if answer["run"]
                else "There is no run to verify."
            )
            return
        for check in answer["checks"]:
            mark = "ok    " if check["ok"] else "FAILED"
            edited = check.get("edited_since")
            self.stdout.write(
                f"{mark} {check['title']} [{check['code']}]: {check['examined']} examined, "
                f"{check['failures']} wrong" + (f", {edited} edited since" if edited else "")
            )
            for row in check["sample"]:
                self.stdout.write(f"         {row.get('key', '')}: {row.get('detail', '')}")
        self.stdout.write("verified" if answer["ok"] else "verification failed")


class Rollback(Subcommand):
    name = "rollback"
    help = "Take back what a run wrote; rows people edited since stay, and are listed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("--dry-run", action="store_true", help="Count, and keep nothing.")
        parser.add_argument("--force", action="store_true", help="Take conflicts back too.")
        parser.add_argument("--reason", default="", help="Why; kept in the history.")
        parser.add_argument("--workers", type=positive, default=1)
        parser.add_argument("--background", action="store_true")

    def execute(self, **options: Any) -> Answer:
        run = runs.get_run(options["run"])
        if run.kind == RunKind.ROLLBACK and options["run"] == "last" and run.parent is not None:
            run = run.parent
        definition = get_definition(run.definition)
        if options["dry_run"]:
            force, waits = options["force"], options["background"]
            if waits:
                rehearsed = request_rollback(
                    run, dry_run=True, force=force, reason=options["reason"], **self.actor
                )
            else:
                rehearsed = rehearse_rollback(run, force=force, **self.actor)
            if rehearsed is None:
                return nothing_to_do(definition, RunKind.DRY_RUN), ExitCode.DONE
            if waits:
                return summarise(rehearsed), ExitCode.DONE
            summary = summarise(rehearsed)
            return summary, exit_code_of(summary)
        rollback = roll_back_run(
            run, reason=options["reason"], force=options["force"], **self.actor
        )
        if rollback is None:
            return nothing_to_do(definition, RunKind.ROLLBACK), ExitCode.DONE
        if options["background"]:
            return summarise(rollback), ExitCode.DONE
        summary, code = work(rollback, options["workers"], **self.actor)
        if summary["state"] == RunState.COMPLETED:
            rollback.refresh_from_db()
            proof = verify_run(rollback, **self.actor)
            summary["verified"] = proof["ok"]
            if not proof["ok"]:
                summary["checks"] = [check for check in proof["checks"] if not check["ok"]]
                code = ExitCode.NOT_VERIFIED
        return summary, code
