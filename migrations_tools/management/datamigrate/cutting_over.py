"""Cut over, and waive what can never be carried over."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from migrations_tools.cutover.keys import get_cutover
from migrations_tools.cutover.stages import Stage
from migrations_tools.management.base import ExitCode
from migrations_tools.management.datamigrate.base import Answer, Subcommand
from migrations_tools.selectors.cutover import cutover_status
from migrations_tools.services import cutover, runs


class Cutover(Subcommand):
    name = "cutover"
    help = "Show how far a cutover is, or move it to another stage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY")
        parser.add_argument("stage", metavar="STAGE", nargs="?", help=", ".join(Stage.values))
        parser.add_argument("--reason", default="", help="Why; kept in the history.")
        parser.add_argument(
            "--percentage", type=int, metavar="N", help="Share of readers of the new system."
        )

    def execute(self, **options: Any) -> Answer:
        key = get_cutover(options["key"])
        if options["stage"]:
            cutover.change_stage(
                key.name,
                options["stage"],
                reason=options["reason"],
                read_percentage=options["percentage"],
                **self.actor,
            )
        return cutover_status(key), ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        self.stdout.write(f"{answer['cutover']}: {answer['stage']}")
        self.stdout.write(f"  {answer['meaning']}")
        self.stdout.write(f"  can go to: {', '.join(answer['next']) or 'nowhere'}")
        if answer["forced_to_legacy"]:
            self.stdout.write("  the environment forces reads of the old system")
        if answer["compared"]:
            self.stdout.write(
                f"  {answer['mismatched']} of {answer['compared']} comparisons differ; "
                f"old {answer['legacy_ms']} ms, new {answer['new_ms']} ms"
            )
        for found in answer["mismatches"]:
            what = found["error"] or found["explanation"] or "differs"
            self.stdout.write(
                f"  {found['operation']} {found['subject']}: {what} ({found['times']} times)"
            )


class Waive(Subcommand):
    name = "waive"
    help = "Decide that a quarantined or conflicting key is never carried over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("key", metavar="KEY")
        parser.add_argument("--reason", required=True, help="Why; it stays for good.")

    def execute(self, **options: Any) -> Answer:
        run = runs.get_run(options["run"])
        waivers = cutover.waive_key(run, options["key"], reason=options["reason"], **self.actor)
        return {
            "run": str(run.pk),
            "waived": [{"step": waiver.step, "key": waiver.key} for waiver in waivers],
        }, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        for found in answer["waived"]:
            self.stdout.write(f"{found['key']} is waived.")
